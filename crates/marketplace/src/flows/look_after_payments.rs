//! What nobody told us in time is looked for: orders whose payment was not heard of, refunds whose end is not known,
//! and webhooks that wait to be worked off. Each look ends in the one apply.

use payments::{ClaimedWebhook, Order, OrderStatus, PaymentError, ProviderError, Refund, WebhookTarget};

use crate::{Failpoint, FlowError, Marketplace};

/// Rows taken at a time.
const BATCH: u32 = 50;

impl Marketplace {
    /// Looks at the provider for what became of orders that are due for it; gives how many.
    ///
    /// # Errors
    /// When the database fails. An order that the provider gives no answer about is looked at again later.
    pub async fn poll_orders(&self) -> Result<usize, FlowError> {
        let mut looked_at = 0;
        loop {
            let due = self.payments.due_orders(BATCH).await?;
            if due.is_empty() {
                return Ok(looked_at);
            }
            for order in due {
                match self.look_at_order(&order).await {
                    Ok(()) => self.payments.note_polled(order.id).await?,
                    Err(error) => {
                        tracing::warn!(order = %order.id, %error, "an order could not be looked at")
                    }
                }
                looked_at += 1;
            }
        }
    }

    async fn look_at_order(&self, order: &Order) -> Result<(), FlowError> {
        let order = match (order.status, self.placed(order).await?) {
            (_, Some(order)) => order,
            (OrderStatus::Creating, None) => {
                let give_up = async |txn: &sea_orm::DatabaseTransaction| {
                    Ok::<_, FlowError>(self.payments.note_order_failed_in_txn(txn, order.id).await?)
                };
                self.db.in_txn(give_up).await?;
                return Ok(());
            }
            (_, None) => return Ok(()),
        };
        self.apply_payments_of(&order).await
    }

    /// The order as the provider has it, looked up by its receipt while we do not know its id.
    async fn placed(&self, order: &Order) -> Result<Option<Order>, FlowError> {
        if order.provider_order_id.is_some() {
            return Ok(Some(order.clone()));
        }
        let Some(placed) = self.payments.find_placed_order(order).await.map_err(PaymentError::from)? else {
            return Ok(None);
        };
        let note = async |txn: &sea_orm::DatabaseTransaction| {
            Ok::<_, FlowError>(self.payments.note_created_in_txn(txn, order.id, &placed).await?)
        };
        Ok(Some(self.db.in_txn(note).await?))
    }

    async fn apply_payments_of(&self, order: &Order) -> Result<(), FlowError> {
        for fetched in self.payments.fetch_payments_of(order).await? {
            self.apply_fetched(&fetched).await?;
        }
        Ok(())
    }

    /// Looks at the provider for what became of refunds that are due for it, and asks again for those that it does not
    /// have; gives how many.
    ///
    /// # Errors
    /// When the database fails. A refund that the provider gives no answer about is looked at again later.
    pub async fn poll_refunds(&self) -> Result<usize, FlowError> {
        let mut looked_at = 0;
        loop {
            let due = self.payments.due_refunds(BATCH).await?;
            if due.is_empty() {
                return Ok(looked_at);
            }
            for refund in due {
                if let Err(error) = self.look_at_refund(&refund).await {
                    tracing::warn!(refund = %refund.id, %error, "a refund could not be looked at");
                }
                looked_at += 1;
            }
        }
    }

    async fn look_at_refund(&self, refund: &Refund) -> Result<(), FlowError> {
        self.apply_payment(&refund.provider_payment_id).await?;
        self.send_refund(refund.id).await
    }

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
        let done = match &webhook.target {
            WebhookTarget::Payment(id) => self.apply_payment(id).await.map(|()| true),
            WebhookTarget::Order(id) => match self.payments.find_order(id).await? {
                Some(order) => self.apply_payments_of(&order).await.map(|()| true),
                None => Ok(false),
            },
        };
        self.failpoints.reach(Failpoint::WebhookApplied).await;
        match done {
            Ok(true) => self.end_webhook(webhook, None).await,
            Ok(false) => self.end_webhook(webhook, Some("the order is not ours")).await,
            Err(FlowError::Payments(
                PaymentError::PaymentNotFound | PaymentError::Provider(ProviderError::Refused { .. }),
            )) => self.end_webhook(webhook, Some("the provider has no such payment")).await,
            Err(error) => {
                tracing::warn!(event = %webhook.event_type, %error, "a webhook could not be worked off");
                Ok(self.payments.webhook_failed(webhook, &error.to_string()).await?)
            }
        }
    }

    /// Marks a webhook as done, or as of no use.
    async fn end_webhook(&self, webhook: &ClaimedWebhook, useless: Option<&str>) -> Result<(), FlowError> {
        self.db
            .in_txn(async |txn| {
                match useless {
                    None => self.payments.webhook_done_in_txn(txn, webhook).await?,
                    Some(why) => self.payments.webhook_ignored_in_txn(txn, webhook, why).await?,
                };
                Ok::<_, FlowError>(())
            })
            .await
    }
}
