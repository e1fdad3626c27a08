//! What people are notified of: from events of the outbox to what goes into an inbox, and from there by other ways.

use kernel::{ListingId, UserId};
use moderation::ReasonCode;
use notify::{Kind, Language, NewNotification};
use serde_json::{Value as Json, json};
use store::OutboxEvent;
use uuid::Uuid;

/// Something that somebody is to be notified of; what it says may depend on their language.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Notice {
    pub(super) user: UserId,
    kind: Kind,
    event: String,
    params: Params,
    action: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
enum Params {
    Plain(Json),
    /// A rejected listing: its title, and the reason's code.
    Rejection(String, String),
    /// A login: with what, if that is known, and when.
    Login(Option<String>, Json),
}

impl Notice {
    /// What they are told, in their language.
    pub(super) fn told(self, language: Language) -> NewNotification {
        let params = match self.params {
            Params::Plain(params) => params,
            Params::Login(device, at) => {
                let unknown = match language {
                    Language::English => "an unknown device",
                    Language::Hindi => "अज्ञात डिवाइस",
                };
                json!({ "device": device.as_deref().unwrap_or(unknown), "at": at })
            }
            Params::Rejection(title, code) => json!({ "title": title, "reason": reason(&code, language) }),
        };
        NewNotification { kind: self.kind, event_key: self.event, params, action: self.action, only: None }
    }
}

/// A reason in people's words; a code that is none of ours, from an older release, as it is.
fn reason(code: &str, language: Language) -> String {
    let known = code.parse::<ReasonCode>().ok();
    known
        .map_or(code, |reason| match language {
            Language::English => reason.english(),
            Language::Hindi => reason.hindi(),
        })
        .to_owned()
}

/// Whom the event is news for. An event that stands here under no kind is none for anybody.
pub(super) fn notices(event: &OutboxEvent) -> Option<Notice> {
    let facts = &event.payload;
    let plain = |user, kind, params: Option<Json>, action| {
        Some(Notice {
            user: user?,
            kind,
            event: event.id.to_string(),
            params: Params::Plain(params?),
            action,
        })
    };
    let seller = id(facts, "sellerId");
    let listing = id(facts, "listingId").map(ListingId::from).map(|listing| format!("/listings/{listing}"));
    let title = text(facts, "title");
    let titled = || title.clone().map(|title| json!({ "title": title }));
    let until = |field| Some(json!({ "title": title.clone()?, "until": text(facts, field)? }));
    let subject =
        event.subject.strip_prefix("user:").and_then(|id| Uuid::parse_str(id).ok()).map(UserId::from);
    let amount = || facts.get("amount").map(|amount| json!({ "amount": amount }));
    let wallet = || Some("/wallet".to_owned());
    match event.kind.as_str() {
        "listing.approved" => plain(seller.map(Into::into), Kind::ListingApproved, titled(), listing),
        "listing.rejected" => Some(Notice {
            user: seller?.into(),
            kind: Kind::ListingRejected,
            event: event.id.to_string(),
            params: Params::Rejection(title?, text(facts, "reason").unwrap_or_default()),
            action: listing,
        }),
        "listing.expiring" => plain(seller.map(Into::into), Kind::ListingExpiring, until("until"), listing),
        "listing.expired" => plain(seller.map(Into::into), Kind::ListingExpired, titled(), listing),
        "listing.boosted" => plain(seller.map(Into::into), Kind::BoostStarted, until("endsAt"), listing),
        "listing.boost_ended" => plain(seller.map(Into::into), Kind::BoostEnded, titled(), listing),
        "listing.contacted" => plain(seller.map(Into::into), Kind::ContactReceived, titled(), listing),
        "payment.captured" => plain(subject, Kind::WalletToppedUp, amount(), wallet()),
        "payment.failed" => plain(subject, Kind::PaymentFailed, amount(), wallet()),
        "wallet.refunded" => plain(subject, Kind::RefundProcessed, amount(), wallet()),
        "wallet.bonus_granted" => plain(subject, Kind::WalletBonus, amount(), wallet()),
        "user.blocked" => plain(subject, Kind::AccountBlocked, Some(json!({})), None),
        "user.unblocked" => plain(subject, Kind::AccountRestored, Some(json!({})), None),
        "wallet.refund_failed" => plain(subject, Kind::RefundFailed, amount(), wallet()),
        "user.new_device" => Some(Notice {
            user: subject?,
            kind: Kind::SecurityNewLogin,
            event: event.id.to_string(),
            params: Params::Login(text(facts, "device"), json!(event.at)),
            action: None,
        }),
        "user.contact_changed" => {
            plain(subject, Kind::SecurityContactChanged, Some(json!({ "at": event.at })), None)
        }
        _ => None,
    }
}

fn text(facts: &Json, field: &str) -> Option<String> {
    facts.get(field)?.as_str().map(str::to_owned)
}

fn id(facts: &Json, field: &str) -> Option<Uuid> {
    Uuid::parse_str(facts.get(field)?.as_str()?).ok()
}

#[cfg(test)]
mod tests {
    use kernel::Ambient;

    use super::*;

    fn event(kind: &str, payload: Json) -> OutboxEvent {
        let ambient = Ambient::system();
        let subject = "user:018f0000-0000-7000-8000-000000000001".to_owned();
        OutboxEvent {
            id: ambient.new_id(),
            position: 1,
            subject,
            kind: kind.to_owned(),
            payload,
            at: ambient.now(),
        }
    }

    fn listing(kind: &str) -> OutboxEvent {
        let id = "018f0000-0000-7000-8000-000000000002";
        let at = "2026-01-05T13:00:00Z";
        event(
            kind,
            json!({
                "listingId": id, "sellerId": id, "title": "A bicycle", "reason": "contact_in_text", "until": at, "endsAt": at,
            }),
        )
    }

    /// What follows from no event yet: there are no payouts, no warnings, no checks of who somebody is, and no reports.
    const LATER: [Kind; 6] = [
        Kind::PayoutCompleted,
        Kind::PayoutFailed,
        Kind::AccountWarned,
        Kind::KycApproved,
        Kind::KycRejected,
        Kind::ReportResolved,
    ];

    /// An event of each kind that is news for somebody.
    fn news() -> Vec<OutboxEvent> {
        let money = json!({ "amount": { "amount": 100, "currency": "INR" } });
        vec![
            listing("listing.approved"),
            listing("listing.rejected"),
            listing("listing.expiring"),
            listing("listing.expired"),
            listing("listing.boosted"),
            listing("listing.boost_ended"),
            listing("listing.contacted"),
            event("payment.captured", money.clone()),
            event("payment.failed", money.clone()),
            event("wallet.refunded", money.clone()),
            event("wallet.refund_failed", money.clone()),
            event("wallet.bonus_granted", money),
            event("user.blocked", json!({})),
            event("user.unblocked", json!({})),
            event("user.contact_changed", json!({ "contact": "phone" })),
            event("user.new_device", json!({ "device": "Chrome on Android" })),
            event("user.new_device", json!({ "device": null })),
        ]
    }

    /// A kind that nothing brings about is a promise in the catalogue that nobody keeps. Announcements are told by their
    /// fan-out.
    #[test]
    fn every_kind_of_the_catalogue_has_a_cause_or_is_declared_as_coming_later() {
        let caused: Vec<Kind> = news().iter().map(|event| notices(event).unwrap().kind).collect();
        for kind in Kind::all().filter(|kind| *kind != Kind::Announcement) {
            assert_ne!(caused.contains(&kind), LATER.contains(&kind), "{kind:?}");
        }
    }

    /// Each notice has the variables that its kind's texts name, of the right types.
    #[test]
    fn every_notice_says_all_that_its_texts_need() {
        for event in news() {
            let notice = notices(&event).unwrap_or_else(|| panic!("{} is news for somebody", event.kind));
            for language in Language::ALL {
                let told = notice.clone().told(language);
                for variable in told.kind.spec().variables {
                    let value = told.params.get(variable.name);
                    assert!(
                        value.is_some_and(|value| variable.fits(value)),
                        "{}: {}",
                        event.kind,
                        variable.name
                    );
                }
            }
        }
        assert_eq!(notices(&event("user.registered", json!({}))), None);
    }

    #[test]
    fn a_rejection_is_explained_in_the_sellers_language() {
        let notice = notices(&listing("listing.rejected")).unwrap();
        let english = notice.clone().told(Language::English).params["reason"].clone();
        assert_ne!(english, notice.told(Language::Hindi).params["reason"]);
        assert!(english.as_str().unwrap().starts_with("Phone numbers"));
    }
}
