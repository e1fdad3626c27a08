//! What the provider told us is looked at: a webhook is a hint, and what is fetched is applied. The provider's reads may
//! lag behind its webhooks, so one whose news is not to be seen is looked for again before it is passed over.

use payments::{ClaimedWebhook, FetchedPayment, PaymentError, ProviderError, WebhookTarget};

use crate::{Failpoint, FlowError, Marketplace};

/// Webhooks taken at a time.
const BATCH: u32 = 50;

/// What came of looking for what a webhook tells of.
enum Look {
    /// It was seen, and is applied.
    Shown,
    /// It is not to be seen, and why.
    Unseen(&'static str),
}

impl Marketplace {
    /// Works off the webhooks that wait; gives how many.
    ///
    /// # Errors
    /// When the database fails. What cannot be worked off is tried again later, with growing pauses, and given up.
    pub async fn work_off_webhooks(&self) -> Result<usize, FlowError> {
        let mut worked_off = 0;
        loop {
            let claimed = self.payments.claim_webhooks(BATCH).await?;
            if claimed.is_empty() {
                return Ok(worked_off);
            }
            for webhook in claimed {
                self.work_off(&webhook).await?;
                worked_off += 1;
            }
        }
    }

    async fn work_off(&self, webhook: &ClaimedWebhook) -> Result<(), FlowError> {
        let look = self.look_for(webhook).await;
        self.failpoints.reach(Failpoint::WebhookApplied).await;
        match look {
            Ok(Look::Shown) => self.end_webhook(webhook).await,
            Ok(Look::Unseen(why)) => Ok(self.payments.webhook_unseen(webhook, why).await?),
            Err(FlowError::Payments(
                PaymentError::PaymentNotFound | PaymentError::Provider(ProviderError::Refused { .. }),
            )) => Ok(self.payments.webhook_unseen(webhook, "the provider has no such payment").await?),
            Err(error) => {
                tracing::warn!(event = %webhook.event_type, %error, "a webhook could not be worked off");
                Ok(self.payments.webhook_failed(webhook, &error.to_string()).await?)
            }
        }
    }

    /// Applies what the provider shows of what the webhook is about.
    async fn look_for(&self, webhook: &ClaimedWebhook) -> Result<Look, FlowError> {
        let applied = match &webhook.target {
            WebhookTarget::Payment(id) => vec![self.apply_hinted(webhook, id).await?],
            WebhookTarget::Order(id) => match self.payments.find_order(id).await? {
                Some(order) => self.apply_payments_of(&order).await?,
                None => return Ok(Look::Unseen("the order is not ours")),
            },
        };
        Ok(if applied.iter().any(|fetched| webhook.is_shown_by(fetched)) {
            Look::Shown
        } else {
            Look::Unseen("the provider does not show it")
        })
    }

    async fn apply_hinted(&self, webhook: &ClaimedWebhook, id: &str) -> Result<FetchedPayment, FlowError> {
        let fetched = match &webhook.refund {
            Some(_) => self.payments.fetch_refunded(id).await?,
            None => self.payments.fetch_payment(id).await?,
        };
        self.apply_fetched(fetched).await
    }

    async fn end_webhook(&self, webhook: &ClaimedWebhook) -> Result<(), FlowError> {
        self.db
            .in_txn(async |txn| {
                self.payments.webhook_done_in_txn(txn, webhook).await?;
                Ok::<_, FlowError>(())
            })
            .await
    }
}
