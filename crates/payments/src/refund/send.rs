//! Sending a refund: allowed in a transaction, made outside, and written down in another. However often it is sent, key
//! and body are the same.

use kernel::RefundId;
use sea_orm::DatabaseTransaction;

use super::{Refund, RefundAnswer, RefundOrigin, RefundSend, RefundStatus, rows};
use crate::payment::locked::Locked;
use crate::{NewProviderRefund, PaymentError, PaymentFact, Payments, ProviderError, ProviderRefund};

impl Payments {
    /// Allows one send of a refund that the provider is not known to have; `None` when it is, or when the refund is not
    /// held with anything yet. Once this is committed: [`send_refund`](Self::send_refund).
    ///
    /// # Errors
    /// [`PaymentError::RefundNotFound`] when there is no such refund.
    pub async fn start_refund_in_txn(
        &self,
        txn: &DatabaseTransaction,
        refund: RefundId,
    ) -> Result<Option<RefundSend>, PaymentError> {
        let known = rows::by_id(txn, refund).await?.ok_or(PaymentError::RefundNotFound)?;
        let is_held = known.origin != RefundOrigin::App || known.hold.is_some();
        if !is_held || !known.status.may_be_sent() {
            return Ok(None);
        }
        let now = self.ambient.now();
        if !rows::move_from(txn, refund, known.version, RefundStatus::Submitting, now).await? {
            return Ok(None);
        }
        Ok(Some(RefundSend {
            refund,
            provider_payment_id: known.provider_payment_id.clone(),
            request: request(&known),
            is_first: known.status == RefundStatus::Requested,
            version: known.version.saturating_add(1),
        }))
    }

    /// Sends it. A refusal is believed only when the provider's list of refunds has none of this name: an earlier send
    /// whose answer was lost may have come through.
    pub async fn send_refund(&self, send: &RefundSend) -> RefundAnswer {
        match self.provider.refund(&send.provider_payment_id, &send.request).await {
            // The answer to our own request is ours, even if it does not repeat the receipt.
            Ok(mut refund) if refund.payment_id == send.provider_payment_id => {
                refund.receipt = Some(send.request.receipt.clone());
                RefundAnswer::Has(refund)
            }
            Ok(_) | Err(ProviderError::Unknown) => RefundAnswer::Unknown,
            Err(refusal @ ProviderError::Refused { .. }) => self.check_refusal(send, refusal).await,
            Err(_) => RefundAnswer::NotSent,
        }
    }

    async fn check_refusal(&self, send: &RefundSend, refusal: ProviderError) -> RefundAnswer {
        match self.provider.refunds_of_payment(&send.provider_payment_id).await {
            Ok(refunds) => match refunds.into_iter().find(|refund| is_same(send, refund)) {
                Some(refund) => RefundAnswer::Has(refund),
                None => RefundAnswer::Refused(refusal),
            },
            Err(_) => RefundAnswer::Unknown,
        }
    }

    /// Writes down how a send ended.
    ///
    /// # Errors
    /// [`PaymentError::RefundNotFound`] when there is no such refund.
    pub async fn note_refund_answer_in_txn(
        &self,
        txn: &DatabaseTransaction,
        send: &RefundSend,
        answer: &RefundAnswer,
    ) -> Result<Vec<PaymentFact>, PaymentError> {
        let to = match answer {
            RefundAnswer::Has(refund) => return self.note_end(txn, send, Some(refund)).await,
            RefundAnswer::Refused(error) => {
                tracing::warn!(refund = %send.refund, %error, "a refund was refused");
                metrics::counter!("refunds_refused_total").increment(1);
                return self.note_end(txn, send, None).await;
            }
            // What was sent before may still come through.
            RefundAnswer::NotSent if send.is_first => RefundStatus::Requested,
            RefundAnswer::NotSent | RefundAnswer::Unknown => RefundStatus::Unknown,
        };
        // Somebody else who sends it by now has another version, and the word.
        rows::move_from(txn, send.refund, send.version, to, self.ambient.now()).await?;
        Ok(Vec::new())
    }

    async fn note_end(
        &self,
        txn: &DatabaseTransaction,
        send: &RefundSend,
        seen: Option<&ProviderRefund>,
    ) -> Result<Vec<PaymentFact>, PaymentError> {
        let known = rows::by_id(txn, send.refund).await?.ok_or(PaymentError::RefundNotFound)?;
        let mut locked = Locked::by_id(txn, known.payment, self.ambient.now()).await?;
        match seen {
            Some(refund) => locked.see(txn, &self.ambient, refund).await?,
            // Whoever has taken the send over may be heard: what was refused to one may be granted to the other.
            None if !locked.fail(txn, send.refund, send.version).await? => return Ok(Vec::new()),
            None => {}
        }
        let facts = locked.facts_of_refunds(locked.payment.outcome, false);
        locked.write(txn).await?;
        Ok(facts)
    }
}

/// The same for a refund at every send: nothing in it but what the row has had from its beginning.
fn request(refund: &Refund) -> NewProviderRefund {
    NewProviderRefund {
        amount: refund.amount.amount,
        idem_key: refund.idem_key.clone(),
        receipt: refund.id.to_string(),
        speed: refund.speed,
    }
}

fn is_same(send: &RefundSend, refund: &ProviderRefund) -> bool {
    refund.payment_id == send.provider_payment_id
        && refund.receipt.as_deref() == Some(send.request.receipt.as_str())
}
