//! A user wants to top the wallet up: the intent is written down, Razorpay makes an order of it, and the client opens
//! the checkout. A request that is repeated under its key gets the same order, also after a process died in between.

use kernel::{InvalidInput, Money, PaymentOrderId, UserId};
use payments::{Order, OrderStatus, PaymentError, ProviderError, ProviderOrder};
use platform::settings::{MAX_TOPUP_AMOUNT, MIN_TOPUP_AMOUNT, WALLET_TOPUP};
use store::{IdempotencyKey, StoreError, StoredAnswer};

use super::once::{Begun, Effect, Once};
use crate::{Failpoint, FlowError, Marketplace};

impl Marketplace {
    /// Makes an order that the user can pay. `answer` writes the answer that is kept under the key.
    ///
    /// # Errors
    /// When the amount is out of the bounds that staff have set, top-ups are switched off, the key was used for another
    /// request or its first one is under way, or the provider cannot be reached: then the same key asks again.
    pub async fn top_up(
        &self,
        user: UserId,
        amount: Money,
        key: &IdempotencyKey,
        answer: impl Fn(&Order) -> StoredAnswer,
    ) -> Result<Once<Order>, FlowError> {
        if let Err(refusal) = self.check_top_up(amount).await {
            return self.answer_before(key).await?.map(Once::Before).ok_or(refusal);
        }
        let intend = async |txn: &sea_orm::DatabaseTransaction| {
            let order = self.payments.open_order_in_txn(txn, user, amount).await?;
            self.failpoints.reach(Failpoint::OrderWritten).await;
            Ok(Effect::Done(order.id.to_string()))
        };
        let (lease, began_before) = match self.begin_once(key, intend).await? {
            Begun::Leased { lease, began_before } => (lease, began_before),
            Begun::Before(before) => return Ok(Once::Before(before)),
        };
        self.failpoints.reach(Failpoint::OrderIntended).await;
        let order = self.payments.order(intended(lease.recovery_point())?).await?;
        let placed = self.place(&order, began_before).await;
        self.failpoints.reach(Failpoint::OrderMade).await;
        if matches!(&placed, Err(ProviderError::Unknown)) {
            // It may have been made: the next request, or the poller, looks it up by its receipt.
            self.pause_once(&lease).await?;
            return Err(PaymentError::from(ProviderError::Unknown).into());
        }
        let note = async |txn: &sea_orm::DatabaseTransaction| {
            let noted = match &placed {
                Ok(placed) => Effect::Done(self.payments.note_created_in_txn(txn, order.id, placed).await?),
                Err(error) => {
                    self.payments.note_order_failed_in_txn(txn, order.id).await?;
                    Effect::Refused(PaymentError::from(error.clone()).into())
                }
            };
            self.failpoints.reach(Failpoint::OrderNoted).await;
            Ok(noted)
        };
        let order = self.finish_once(&lease, note, answer).await?;
        self.failpoints.reach(Failpoint::OrderKept).await;
        Ok(order)
    }

    /// Asks the provider for the order; looks first whether it has it, when somebody may have asked before.
    async fn place(&self, order: &Order, began_before: bool) -> Result<ProviderOrder, ProviderError> {
        match order.status {
            // The poller found nothing of it at the provider and gave it up: the key is free for another.
            OrderStatus::Failed => Err(ProviderError::Unavailable { retry_after: None }),
            _ if began_before => self.payments.recover_order(order).await,
            _ => self.payments.place_order(order).await,
        }
    }

    async fn check_top_up(&self, amount: Money) -> Result<(), FlowError> {
        if !self.settings.get(&WALLET_TOPUP).await {
            return Err(FlowError::TopUpsPaused);
        }
        let min = self.settings.get(&MIN_TOPUP_AMOUNT).await;
        let max = self.settings.get(&MAX_TOPUP_AMOUNT).await;
        if (min..=max).contains(&amount.amount()) {
            return Ok(());
        }
        let message = format!("must be from {min} to {max} paise");
        Err(InvalidInput::field("amount", "out_of_range", message).into())
    }
}

/// The order that a lease is about.
fn intended(recovery_point: Option<&str>) -> Result<PaymentOrderId, FlowError> {
    recovery_point
        .and_then(|point| point.parse().ok())
        .ok_or_else(|| StoreError::Corrupt("a top-up's recovery point names no order".to_owned()).into())
}
