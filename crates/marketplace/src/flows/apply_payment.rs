//! The one way in which a payment comes in, whoever tells of it: a checkout that came back, a webhook, a poll, a
//! replay. What the provider says now is fetched, outside any transaction, and applied in one.

use payments::FetchedPayment;

use super::settle_facts::Following;
use crate::{Failpoint, FlowError, Marketplace};

impl Marketplace {
    /// Fetches a payment and applies it.
    ///
    /// # Errors
    /// When the provider or the database fails: everything can be done again.
    pub async fn apply_payment(&self, provider_payment_id: &str) -> Result<(), FlowError> {
        let fetched = self.payments.fetch_payment(provider_payment_id).await?;
        self.apply_fetched(fetched).await?;
        Ok(())
    }

    /// Applies a payment as it was fetched: captures it if it waits for that, and sends back what is nobody's. Gives it
    /// as it was fetched last.
    pub(crate) async fn apply_fetched(
        &self,
        mut fetched: FetchedPayment,
    ) -> Result<FetchedPayment, FlowError> {
        self.failpoints.reach(Failpoint::PaymentFetched).await;
        let mut following = self.apply_once(&fetched).await?;
        if let Some(amount) = following.capture {
            self.payments.capture(&fetched.payment.id, amount).await?;
            self.failpoints.reach(Failpoint::PaymentCaptured).await;
            fetched = self.payments.fetch_payment(&fetched.payment.id).await?;
            following = self.apply_once(&fetched).await?;
        }
        for refund in following.returns {
            // The intent is committed: the poller goes on with it.
            if let Err(error) = self.send_refund(refund).await {
                tracing::warn!(%refund, %error, "money that is nobody's could not be sent back yet");
            }
        }
        Ok(fetched)
    }

    async fn apply_once(&self, fetched: &FetchedPayment) -> Result<Following, FlowError> {
        let following = self
            .db
            .in_txn(async |txn| {
                let facts = self.payments.apply_in_txn(txn, fetched).await?;
                self.failpoints.reach(Failpoint::PaymentApplied).await;
                let following = self.settle_in_txn(txn, &facts).await?;
                self.failpoints.reach(Failpoint::PaymentPosted).await;
                Ok::<_, FlowError>(following)
            })
            .await?;
        self.failpoints.reach(Failpoint::PaymentKept).await;
        Ok(following)
    }
}
