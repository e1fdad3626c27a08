//! What partners are told: the one table from events of the outbox to the webhooks that leave.
//!
//! An event tells facts to programs of ours. What leaves here is for others, so each kind lists its fields, and an event
//! that stands here under no kind leaves to nobody, whatever topics they asked for: not why something was refused, not
//! who asked for a number, not who was reached.

use notify::HookEvent;
use serde_json::{Map, Value as Json};
use store::OutboxEvent;

/// Of a listing that is or was shown.
const SHOWN: &[&str] = &["listingId", "sellerId", "categoryId", "title", "status"];
/// Of a listing whose words nobody has approved.
const NOT_SHOWN: &[&str] = &["listingId", "sellerId", "categoryId", "status"];

/// Every kind that leaves, with what it says beside its subject.
const TABLE: &[(&str, &[&str])] = &[
    ("listing.created", NOT_SHOWN),
    ("listing.submitted", NOT_SHOWN),
    ("listing.updated", NOT_SHOWN),
    ("listing.approved", SHOWN),
    ("listing.rejected", NOT_SHOWN),
    ("listing.paused", SHOWN),
    ("listing.resumed", SHOWN),
    ("listing.renewed", SHOWN),
    ("listing.sold", SHOWN),
    ("listing.expired", SHOWN),
    ("listing.deleted", NOT_SHOWN),
    (
        "listing.boosted",
        &["listingId", "sellerId", "categoryId", "title", "status", "kind", "startsAt", "endsAt"],
    ),
    ("listing.boost_ended", &["listingId", "sellerId", "categoryId", "title", "status", "kind"]),
    ("wallet.updated", &["available", "held", "promo", "earnings", "debt", "version", "reason", "journal"]),
    ("wallet.bonus_granted", &["amount", "journal"]),
    ("wallet.refunded", &["payment", "refund", "boost", "listing", "kind", "amount", "journal"]),
    ("wallet.refund_failed", &["payment", "refund", "amount"]),
    ("payment.captured", &["payment", "order", "amount"]),
    ("payment.failed", &["payment", "order", "amount"]),
    ("user.registered", &["userId"]),
    ("user.blocked", &["userId", "status"]),
    ("user.unblocked", &["userId"]),
];

/// What of the event leaves, if it does.
pub(super) fn outside(event: &OutboxEvent) -> Option<HookEvent> {
    let (_, fields) = TABLE.iter().find(|(kind, _)| *kind == event.kind)?;
    let told = |field: &&str| event.payload.get(field).map(|value| ((*field).to_owned(), value.clone()));
    Some(HookEvent {
        id: event.id,
        sequence: event.position,
        subject: event.subject.clone(),
        kind: event.kind.clone(),
        at: event.at,
        data: Json::Object(fields.iter().filter_map(told).collect::<Map<_, _>>()),
    })
}

#[cfg(test)]
mod tests {
    use kernel::Ambient;
    use serde_json::json;

    use super::*;

    const ID: &str = "018f0000-0000-7000-8000-000000000001";

    /// An event with everything in it that any event tells, and something that none should.
    fn event(kind: &str) -> OutboxEvent {
        let ambient = Ambient::system();
        let sort = kind.split('.').next().unwrap();
        let sort = if sort == "listing" { "listing" } else { "user" };
        let mut payload = json!({
            "reason": "prohibited", "buyerId": ID, "reached": [{"userId": ID}], "sessionId": ID, "contact": "phone",
            "until": "2026-01-05T13:00:00Z", "previousStatus": "PENDING", "automatic": true, "planId": ID, "value": 18,
        });
        for (_, fields) in TABLE {
            for field in *fields {
                payload[field] = json!(ID);
            }
        }
        OutboxEvent {
            id: ambient.new_id(),
            position: 7,
            subject: format!("{sort}:{ID}"),
            kind: kind.to_owned(),
            payload,
            at: ambient.now(),
        }
    }

    #[test]
    fn each_kind_that_leaves_names_its_subject_and_its_place_in_the_order() {
        for (kind, fields) in TABLE {
            let told = outside(&event(kind)).unwrap();
            let owner = if kind.starts_with("listing.") { "listing:" } else { "user:" };
            assert_eq!(told.subject, format!("{owner}{ID}"), "{kind}");
            assert_eq!(told.sequence, 7, "{kind}");
            let said: Vec<&str> = told.data.as_object().unwrap().keys().map(String::as_str).collect();
            let mut listed = fields.to_vec();
            listed.sort_unstable();
            assert_eq!(said, listed, "{kind}: all that is listed and nothing else");
        }
    }

    #[test]
    fn nothing_of_what_is_ours_alone_leaves() {
        for kind in [
            "session.revoked",
            "announcement.told",
            "listing.contacted",
            "listing.expiring",
            "user.role_changed",
            "user.contact_changed",
            "user.new_device",
            "settings.updated",
            "something.new",
        ] {
            assert_eq!(outside(&event(kind)), None, "{kind}");
        }
        for (kind, fields) in TABLE {
            let secret = ["buyerId", "reached", "sessionId", "contact", "planId", "previousStatus", "value"];
            assert!(secret.iter().all(|field| !fields.contains(field)), "{kind}");
            // Why a wallet changed is a word of ours; why a listing was refused is between its seller and staff.
            assert!(!fields.contains(&"reason") || *kind == "wallet.updated", "{kind}");
        }
    }

    #[test]
    fn partners_can_read_which_kinds_there_are() {
        let docs = include_str!("../../../../docs/notifications.md");
        for (kind, _) in TABLE {
            assert!(docs.contains(&format!("`{kind}`")), "{kind}");
        }
    }
}
