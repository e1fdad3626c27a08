//! Receiving a webhook: the signature first, then a row, and nothing else. The provider waits five seconds at most.

use super::{Received, envelope};
use crate::{PaymentError, Payments, signature};

impl Payments {
    /// Writes a signed webhook down, once per event, and wakes whoever works it off.
    ///
    /// `raw` are the bytes as they came, `signature` is `X-Razorpay-Signature`, `event_id` is `x-razorpay-event-id`.
    ///
    /// # Errors
    /// [`PaymentError::BadSignature`]: nothing was written. [`PaymentError::Busy`]: it could not be written, and the
    /// provider is to send it again.
    pub async fn receive_webhook(
        &self,
        raw: &[u8],
        signature: Option<&str>,
        event_id: Option<&str>,
    ) -> Result<Received, PaymentError> {
        let secrets =
            std::iter::once(&self.config.webhook_secret).chain(&self.config.webhook_secret_previous);
        if !signature.is_some_and(|given| signature::webhook(secrets, raw, given)) {
            count("forged");
            return Err(PaymentError::BadSignature);
        }
        let received = self.take_in(envelope::read(raw, event_id)).await;
        count(match &received {
            Ok(Received::New) => "new",
            Ok(Received::Known) => "known",
            Err(_) => "failed",
        });
        received
    }
}

fn count(result: &'static str) {
    metrics::counter!("webhooks_received_total", "result" => result).increment(1);
}
