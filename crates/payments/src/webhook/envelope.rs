//! What is taken from a webhook's body: what happened, and which entity to fetch. The rest is not believed, and what
//! cannot be read is no failure: the provider would send it again for a day.

use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use super::WebhookTarget;
use crate::payment::is_provider_id;

/// The columns' lengths, in characters.
const TYPE_MAX: usize = 60;
const EVENT_ID_MAX: usize = 80;

/// What is kept of a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Envelope {
    pub(super) event_id: String,
    pub(super) event_type: String,
    pub(super) target: Option<WebhookTarget>,
    /// The refund that it tells of, by its id at the provider.
    pub(super) refund: Option<String>,
    pub(super) body_sha256: String,
}

/// Reads a body that is signed. Without a usable `x-razorpay-event-id` the body's digest stands for it.
pub(super) fn read(raw: &[u8], event_id: Option<&str>) -> Envelope {
    let body_sha256 = hex::encode(Sha256::digest(raw));
    let event_id = match event_id.map(str::trim) {
        Some(id) if is_event_id(id) => id.to_owned(),
        _ => format!("sha256:{body_sha256}"),
    };
    let body: Json = serde_json::from_slice(raw).unwrap_or_default();
    let event_type: String = body
        .get("event")
        .and_then(Json::as_str)
        .unwrap_or("unreadable")
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
        .take(TYPE_MAX)
        .collect();
    Envelope {
        event_id,
        event_type,
        target: target(&body),
        refund: id(&body, "/payload/refund/entity/id"),
        body_sha256,
    }
}

/// The payment, wherever it is named; else the order.
fn target(body: &Json) -> Option<WebhookTarget> {
    let payment = id(body, "/payload/payment/entity/id")
        .or_else(|| id(body, "/payload/refund/entity/payment_id"))
        .or_else(|| id(body, "/payload/dispute/entity/payment_id"));
    let order = || id(body, "/payload/order/entity/id").map(WebhookTarget::Order);
    payment.map(WebhookTarget::Payment).or_else(order)
}

fn id(body: &Json, pointer: &str) -> Option<String> {
    let text = body.pointer(pointer)?.as_str()?;
    is_provider_id(text).then(|| text.to_owned())
}

fn is_event_id(text: &str) -> bool {
    (1..=EVENT_ID_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(body: &Json) -> Envelope {
        read(body.to_string().as_bytes(), Some("evt_1"))
    }

    fn payment(id: &str) -> Option<WebhookTarget> {
        Some(WebhookTarget::Payment(id.to_owned()))
    }

    #[test]
    fn each_event_names_what_to_fetch() {
        let captured = json!({"event": "payment.captured", "payload": {"payment": {"entity": {"id": "pay_1", "fee": "null"}}}});
        assert_eq!(
            (of(&captured).event_type.as_str(), of(&captured).target),
            ("payment.captured", payment("pay_1"))
        );
        let paid = json!({"event": "order.paid", "payload": {"order": {"entity": {"id": "order_1"}}, "payment": {"entity": {"id": "pay_2"}}}});
        assert_eq!(of(&paid).target, payment("pay_2"));
        let alone = json!({"event": "order.paid", "payload": {"order": {"entity": {"id": "order_1"}}}});
        assert_eq!(of(&alone).target, Some(WebhookTarget::Order("order_1".to_owned())));
        let refund = json!({"event": "refund.processed", "payload": {"refund": {"entity": {"id": "rfnd_1", "payment_id": "pay_3"}}}});
        assert_eq!((of(&refund).target, of(&refund).refund.as_deref()), (payment("pay_3"), Some("rfnd_1")));
        assert_eq!(of(&captured).refund, None);
    }

    #[test]
    fn what_is_of_no_use_or_unreadable_is_no_failure() {
        for raw in [&b""[..], b"{", b"[]", b"null", b"\xff\xfe", br#"{"event": 5, "payload": []}"#] {
            let envelope = read(raw, Some("evt_1"));
            assert_eq!((envelope.event_type.as_str(), envelope.target), ("unreadable", None));
        }
        let settled =
            json!({"event": "settlement.processed", "payload": {"settlement": {"entity": {"id": "setl_1"}}}});
        assert_eq!(of(&settled).target, None);
        let hostile =
            json!({"event": "payment.captured", "payload": {"payment": {"entity": {"id": "../orders"}}}});
        assert_eq!(of(&hostile).target, None);
        let long = json!({"event": "é".repeat(10) + &"x".repeat(100), "payload": {}});
        assert_eq!(of(&long).event_type, "x".repeat(TYPE_MAX));
    }

    #[test]
    fn without_an_event_id_the_bodys_digest_stands_for_it() {
        let digest = hex::encode(Sha256::digest(b"{}"));
        for id in [None, Some(""), Some(" "), Some("a b"), Some("é"), Some("x".repeat(81).as_str())] {
            assert_eq!(read(b"{}", id).event_id, format!("sha256:{digest}"), "{id:?}");
        }
        assert_eq!(read(b"{}", Some(" evt_1 ")).event_id, "evt_1");
        assert_eq!(read(b"{}", None).body_sha256, digest);
    }
}
