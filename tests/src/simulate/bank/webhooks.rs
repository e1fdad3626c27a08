//! The webhooks that the provider sends, and its two signatures.

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value as Json, json};
use sha2::Sha256;

use super::Vault;

/// Signs what a check-out returns.
pub(in crate::simulate) const KEY_SECRET: &str = "the simulator's key secret";
/// Signs webhooks.
pub(in crate::simulate) const WEBHOOK_SECRET: &str = "the simulator's webhook secret";

/// A webhook on its way.
#[derive(Debug, Clone)]
pub(in crate::simulate) struct Delivery {
    /// The event's id, the same at every delivery.
    pub(in crate::simulate) event: String,
    /// The body as it was signed.
    pub(in crate::simulate) body: Vec<u8>,
    /// Its signature.
    pub(in crate::simulate) signature: String,
    /// The payment that it is about.
    pub(in crate::simulate) payment: String,
}

/// The signature of a check-out.
pub(in crate::simulate) fn checkout_signature(order: &str, payment: &str) -> String {
    signed(KEY_SECRET, format!("{order}|{payment}").as_bytes())
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of every length (RFC 2104)")]
fn signed(secret: &str, message: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes any key");
    mac.update(message);
    hex::encode(mac.finalize().into_bytes())
}

impl Vault {
    /// Puts a webhook into the post.
    pub(super) fn tell(&mut self, event: &str, order: Option<&str>, payment: &str, refund: Option<&str>) {
        let id = self.new_id("event");
        let body = self.body(event, order, payment, refund).to_string().into_bytes();
        let signature = signed(WEBHOOK_SECRET, &body);
        self.post.push(Delivery { event: id, body, signature, payment: payment.to_owned() });
    }

    fn body(&self, event: &str, order: Option<&str>, payment: &str, refund: Option<&str>) -> Json {
        let mut payload = serde_json::Map::new();
        if let Some(found) = self.payments.get(payment) {
            let entity = json!({
                "id": found.id, "entity": "payment", "order_id": found.order, "amount": found.amount,
                "currency": found.currency, "status": found.status.as_str(),
            });
            payload.insert("payment".to_owned(), json!({ "entity": entity }));
        }
        if let Some(order) = order {
            payload.insert("order".to_owned(), json!({ "entity": { "id": order, "entity": "order" } }));
        }
        if let Some(found) = refund.and_then(|id| self.refunds.get(id)) {
            let entity = json!({
                "id": found.id, "entity": "refund", "payment_id": found.payment, "amount": found.amount,
                "status": found.state.as_str(),
            });
            payload.insert("refund".to_owned(), json!({ "entity": entity }));
        }
        let contains: Vec<_> = payload.keys().cloned().collect();
        json!({ "entity": "event", "event": event, "contains": contains, "payload": payload })
    }
}
