//! Who hears of what: the one table from events of the outbox to what streams are told.
//!
//! An event tells facts to programs of ours; what leaves here is for clients, so each payload lists its fields and
//! nobody hears more than they could ask for. An event that stands here under no kind concerns nobody.

use std::fmt;

use kernel::{ListingId, NotificationId, Role, UserId};
use notify::Kind;
use serde_json::{Map, Value as Json, json};
use store::{NewEntry, OutboxEvent};
use uuid::Uuid;

/// The stream that everybody hears who is connected.
pub const EVERYONE: &str = "everyone";

/// Those of the staff who review listings.
const REVIEWERS: [Role; 3] = [Role::Moderator, Role::Admin, Role::SuperAdmin];
/// Those who run the place.
const ADMINS: [Role; 2] = [Role::Admin, Role::SuperAdmin];

/// What can be listened to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stream {
    /// What concerns one person.
    User(UserId),
    /// What concerns staff of one role.
    Staff(Role),
    /// What happens to one listing.
    Listing(ListingId),
    /// What concerns everybody.
    Everyone,
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(user) => write!(f, "user:{user}"),
            Self::Staff(role) => write!(f, "role:{}", role.as_str()),
            Self::Listing(listing) => write!(f, "listing:{listing}"),
            Self::Everyone => f.write_str(EVERYONE),
        }
    }
}

/// What the event tells whom.
pub(super) fn entries(event: &OutboxEvent) -> Vec<NewEntry> {
    let facts = Facts(event);
    match event.kind.as_str() {
        "wallet.updated" => {
            let fields = ["available", "held", "promo", "earnings", "debt", "version", "reason", "journal"];
            facts.to_subject("wallet:updated", &fields)
        }
        "wallet.refunded" => {
            facts.to_subject("wallet:refunded", &["payment", "refund", "boost", "listing", "amount"])
        }
        "payment.captured" => facts.to_subject("payment:captured", &["payment", "order", "amount"]),
        "payment.failed" => facts.to_subject("payment:failed", &["payment", "order", "amount"]),
        "listing.submitted" => {
            let fields = ["listingId", "categoryId", "title", "status"];
            facts.to(REVIEWERS.map(Stream::Staff), "listing:new", &fields)
        }
        "listing.approved" => facts.to_listing("listing:approved", &[]),
        "listing.rejected" => {
            facts.to_seller("listing:rejected", &["listingId", "title", "status", "reason"])
        }
        "listing.updated" | "listing.paused" | "listing.resumed" | "listing.renewed" | "listing.sold"
        | "listing.expired" => facts.to_listing("listing:updated", &[]),
        "listing.boosted" | "listing.boost_ended" => facts.to_listing("listing:updated", &["kind", "endsAt"]),
        "listing.deleted" => facts.to_listing("listing:deleted", &[]),
        "settings.updated" if event.payload.get("public") == Some(&Json::Bool(true)) => {
            facts.to([Stream::Everyone], "settings:updated", &["key", "value", "version"])
        }
        "settings.updated" => facts.to(ADMINS.map(Stream::Staff), "settings:updated", &["key", "version"]),
        "announcement.told" => facts.to_reached(),
        "broadcast.sent" => {
            let fields = ["titleEn", "titleHi", "bodyEn", "bodyHi", "action"];
            facts.to([Stream::Everyone], "broadcast:new", &fields)
        }
        "user.blocked" => facts.to_subject("user:blocked", &["status", "until"]),
        "user.unblocked" => facts.to_subject("user:unblocked", &[]),
        "user.role_changed" => facts.to_subject("user:role_changed", &["from", "to"]),
        "session.revoked" => facts.to_subject("session:revoked", &["sessionId", "reason"]),
        _ => Vec::new(),
    }
}

/// An event, about to be told.
struct Facts<'a>(&'a OutboxEvent);

impl Facts<'_> {
    /// To the user whom the event is about.
    fn to_subject(&self, name: &str, fields: &[&str]) -> Vec<NewEntry> {
        let user = self.0.subject.strip_prefix("user:").and_then(|id| Uuid::parse_str(id).ok());
        self.to(user.map(|id| Stream::User(id.into())), name, fields)
    }

    /// To the seller of the listing that the event is about, who knows it whole.
    fn to_seller(&self, name: &str, fields: &[&str]) -> Vec<NewEntry> {
        self.to(self.id("sellerId").map(|id| Stream::User(id.into())), name, fields)
    }

    /// To its seller, with what there is beside the usual; and to those who look at the listing, who are told no more
    /// than that there is something to ask for: what they may see of it is decided when they ask.
    fn to_listing(&self, name: &str, more: &[&str]) -> Vec<NewEntry> {
        let mut entries = self.to_seller(name, &[&["listingId", "title", "status"], more].concat());
        let listing = self.id("listingId").map(|id| Stream::Listing(id.into()));
        entries.extend(self.to(listing, name, &["listingId", "status"]));
        entries
    }

    fn to(&self, streams: impl IntoIterator<Item = Stream>, name: &str, fields: &[&str]) -> Vec<NewEntry> {
        let OutboxEvent { id, payload, at, .. } = self.0;
        let told = |field: &&str| {
            let value = payload.get(field).filter(|value| !value.is_null())?;
            Some(((*field).to_owned(), value.clone()))
        };
        let payload = Json::Object(fields.iter().filter_map(told).collect::<Map<_, _>>());
        let entry = |stream: Stream| NewEntry {
            stream: stream.to_string(),
            name: name.to_owned(),
            payload: payload.clone(),
            event: *id,
            at: *at,
        };
        streams.into_iter().map(entry).collect()
    }

    /// To those whom a batch of an announcement's audience reached, each of what stands in their inbox too.
    fn to_reached(&self) -> Vec<NewEntry> {
        let mut entries = Vec::new();
        let reached = self.0.payload.get("reached").and_then(Json::as_array);
        for one in reached.into_iter().flatten() {
            let Some(user) = id(one, "userId").map(UserId::from) else { continue };
            entries.extend(self.to([Stream::User(user)], "announcement:new", &["announcementId"]));
            if let Some(notification) = id(one, "notificationId") {
                let stands = (notification.into(), Kind::Announcement);
                entries.push(notification_new(self.0, user, stands, false));
            }
        }
        entries
    }

    fn id(&self, field: &str) -> Option<Uuid> {
        id(&self.0.payload, field)
    }
}

fn id(facts: &Json, field: &str) -> Option<Uuid> {
    Uuid::parse_str(facts.get(field)?.as_str()?).ok()
}

/// What somebody hears of a notification in their inbox.
pub(super) fn notification_new(
    event: &OutboxEvent,
    user: UserId,
    (notification, kind): (NotificationId, Kind),
    merged: bool,
) -> NewEntry {
    NewEntry {
        stream: Stream::User(user).to_string(),
        name: "notification:new".to_owned(),
        payload: json!({ "notificationId": notification, "kind": kind.as_str(), "merged": merged }),
        event: event.id,
        at: event.at,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use kernel::Ambient;

    use super::*;

    fn event(subject: &str, kind: &str, payload: Json) -> OutboxEvent {
        let ambient = Ambient::system();
        let (subject, kind) = (subject.to_owned(), kind.to_owned());
        OutboxEvent { id: ambient.new_id(), position: 1, subject, kind, payload, at: ambient.now() }
    }

    fn told(event: &OutboxEvent) -> Vec<(String, String, Json)> {
        entries(event).into_iter().map(|entry| (entry.stream, entry.name, entry.payload)).collect()
    }

    const SELLER: &str = "018f0000-0000-7000-8000-000000000001";
    const LISTING: &str = "018f0000-0000-7000-8000-000000000002";

    fn listing(kind: &str) -> OutboxEvent {
        let facts = json!({
            "listingId": LISTING, "sellerId": SELLER, "categoryId": LISTING, "title": "A bicycle",
            "status": "REJECTED", "reason": "prohibited", "buyerId": SELLER,
        });
        event(&format!("listing:{LISTING}"), kind, facts)
    }

    #[test]
    fn a_seller_hears_why_and_the_listings_audience_hears_nothing_of_a_rejection() {
        let payload =
            json!({"listingId": LISTING, "title": "A bicycle", "status": "REJECTED", "reason": "prohibited"});
        assert_eq!(
            told(&listing("listing.rejected")),
            [(format!("user:{SELLER}"), "listing:rejected".to_owned(), payload)]
        );
    }

    #[test]
    fn those_who_look_at_a_listing_hear_of_its_state_alone() {
        let told = told(&listing("listing.sold"));
        assert_eq!(told.len(), 2);
        let audience = told.iter().find(|(stream, ..)| *stream == format!("listing:{LISTING}")).unwrap();
        assert_eq!(audience.2, json!({"listingId": LISTING, "status": "REJECTED"}));
    }

    #[test]
    fn reviewers_hear_of_new_listings_and_finance_does_not() {
        let streams: Vec<_> =
            told(&listing("listing.submitted")).into_iter().map(|(stream, ..)| stream).collect();
        assert_eq!(streams, ["role:MODERATOR", "role:ADMIN", "role:SUPER_ADMIN"]);
    }

    #[test]
    fn who_asked_for_a_number_is_told_to_nobody() {
        assert_eq!(told(&listing("listing.contacted")), []);
    }

    #[test]
    fn a_setting_that_is_not_public_is_told_to_admins_without_its_value() {
        let facts = json!({"key": "boost_gst_percent", "value": 18, "version": 2, "public": false});
        let told = told(&event("setting:boost_gst_percent", "settings.updated", facts));
        assert_eq!(told.len(), 2);
        assert!(
            told.iter()
                .all(|(stream, _, payload)| stream.starts_with("role:") && payload.get("value").is_none())
        );
    }

    #[test]
    fn whom_an_announcement_reached_hears_of_it_and_of_what_stands_in_their_inbox() {
        let facts = json!({
            "announcementId": LISTING,
            "reached": [{"userId": SELLER, "notificationId": LISTING}, {"userId": LISTING}],
        });
        let announced = json!({"announcementId": LISTING});
        let stands = json!({"notificationId": LISTING, "kind": "announcement", "merged": false});
        assert_eq!(
            told(&event(&format!("announcement:{LISTING}"), "announcement.told", facts)),
            [
                (format!("user:{SELLER}"), "announcement:new".to_owned(), announced.clone()),
                (format!("user:{SELLER}"), "notification:new".to_owned(), stands),
                (format!("user:{LISTING}"), "announcement:new".to_owned(), announced),
            ]
        );
    }

    /// The kinds of events that stand in the table above, as it is written there.
    fn kinds() -> BTreeSet<&'static str> {
        let table = include_str!("audience.rs").split("match event.kind.as_str() {").nth(1).unwrap();
        let quoted = table.split("_ => Vec::new()").next().unwrap().split('"').skip(1).step_by(2);
        quoted.filter(|word| word.contains('.')).collect()
    }

    /// Whatever a clients' developer reads of an event in the documents is what is told, field by field, and nothing is
    /// told that does not stand there.
    #[test]
    fn the_documents_name_each_event_its_streams_and_its_fields() {
        let mut told: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
        let documents =
            [include_str!("../../../../docs/realtime.md"), include_str!("../../../../docs/asyncapi.yaml")];
        // Whatever is asked for is there: what the documents do not name must not be told.
        let words = documents.concat() + include_str!("audience.rs");
        let words = words.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
        let mut facts: Map<_, _> = words.map(|word| (word.to_owned(), json!(1))).collect();
        for id in ["listingId", "sellerId", "announcementId"] {
            facts.insert(id.to_owned(), json!(LISTING));
        }
        facts.insert("reached".to_owned(), json!([{ "userId": SELLER, "notificationId": LISTING }]));
        for public in [true, false] {
            facts.insert("public".to_owned(), json!(public));
            for kind in kinds() {
                for entry in entries(&event(&format!("user:{SELLER}"), kind, Json::Object(facts.clone()))) {
                    let stream = entry.stream.split(':').next().unwrap().to_owned();
                    let fields = entry.payload.as_object().unwrap().keys().cloned();
                    told.entry((entry.name, stream)).or_default().extend(fields);
                }
            }
        }
        assert!(kinds().len() > 20, "{:?}", kinds());
        assert_eq!(told, of_the_table(documents[0]));
        let mut fields: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for ((name, _), names) in told {
            fields.entry(name).or_default().extend(names);
        }
        for (name, names) in fields {
            assert_eq!(of_the_asyncapi(documents[1], &name), names, "{name}");
        }
    }

    /// Event and stream with the payload's fields, of the rows of `docs/realtime.md`.
    fn of_the_table(document: &str) -> BTreeMap<(String, String), BTreeSet<String>> {
        let quoted = |text: &str| text.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
        let rows = document.split("\n## Events\n").nth(1).unwrap().split("\n## ").next().unwrap();
        let rows = rows.lines().filter(|line| line.starts_with("| `"));
        rows.map(|row| {
            let cells: Vec<_> = row.split('|').map(quoted).collect();
            ((cells[1][0].clone(), cells[2][0].clone()), cells[3].iter().cloned().collect())
        })
        .collect()
    }

    /// The names of an event's properties; those of an amount within stand further in.
    fn of_the_asyncapi(document: &str, name: &str) -> BTreeSet<String> {
        let message = document.split(&format!("\n        name: \"{name}\"\n")).nth(1).unwrap();
        let properties = message.split("\n          properties:").nth(1).unwrap();
        let lines = properties.lines().skip(1).take_while(|line| line.starts_with("            "));
        lines
            .filter_map(|line| line.strip_prefix("            ")?.strip_suffix(':'))
            .filter(|property| !property.starts_with(' '))
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn an_event_without_a_person_is_told_to_nobody() {
        assert_eq!(told(&event("user:nobody", "user.blocked", json!({}))), []);
    }
}
