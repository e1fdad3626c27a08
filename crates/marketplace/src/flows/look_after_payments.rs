//! What nobody told us in time is looked for: orders whose payment was not heard of, and refunds whose end is not known.
//! Each look ends in the one apply. And what could not be returned is returned again.

use kernel::{DomainError, ErrorKind, PaymentId};
use payments::{FetchedPayment, Order, OrderStatus, PaymentError, Refund};

use crate::{FlowError, Marketplace};

/// Rows taken at a time.
const BATCH: u32 = 50;

impl Marketplace {
    /// Looks at the provider for what became of orders that are due for it; gives how many. While another poll is under
    /// way in this process, none.
    ///
    /// # Errors
    /// When the database fails. An order that the provider gives no answer about is looked at again later.
    pub async fn poll_orders(&self) -> Result<usize, FlowError> {
        let Some(_turn) = self.turns.orders() else { return Ok(0) };
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
                        tracing::warn!(order = %order.id, %error, "an order could not be looked at");
                        if !is_passing(&error) {
                            self.payments.note_look_failed(order.id).await?;
                        }
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
        self.apply_payments_of(&order).await?;
        Ok(())
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

    /// Applies every payment of an order, and gives them as they were fetched last. One that cannot be applied holds up
    /// no other; the first failure is told once all were tried.
    pub(super) async fn apply_payments_of(&self, order: &Order) -> Result<Vec<FetchedPayment>, FlowError> {
        let (mut applied, mut failure) = (Vec::new(), None);
        for fetched in self.payments.fetch_payments_of(order).await? {
            let result = match fetched {
                Ok(fetched) => self.apply_fetched(fetched).await,
                Err(error) => Err(error.into()),
            };
            match result {
                Ok(fetched) => applied.push(fetched),
                Err(error) => {
                    tracing::warn!(order = %order.id, %error, "a payment could not be applied");
                    failure.get_or_insert(error);
                }
            }
        }
        failure.map_or(Ok(applied), Err)
    }

    /// Looks at the provider for what became of refunds that are due for it, and asks again for those that it does not
    /// have, and to return what it would not; gives how many. While another poll is under way in this process, none.
    ///
    /// # Errors
    /// When the database fails. A refund that the provider gives no answer about is looked at again later.
    pub async fn poll_refunds(&self) -> Result<usize, FlowError> {
        let Some(_turn) = self.turns.refunds() else { return Ok(0) };
        let mut looked_at = 0;
        loop {
            let (due, unreturned) =
                (self.payments.due_refunds(BATCH).await?, self.payments.due_returns(BATCH).await?);
            if due.is_empty() && unreturned.is_empty() {
                return Ok(looked_at);
            }
            for payment in unreturned {
                if let Err(error) = self.return_again(payment).await {
                    tracing::warn!(%payment, %error, "money that is nobody's could not be sent back yet");
                }
                looked_at += 1;
            }
            for refund in due {
                if let Err(error) = self.look_at_refund(&refund).await {
                    tracing::warn!(refund = %refund.id, %error, "a refund could not be looked at");
                }
                looked_at += 1;
            }
        }
    }

    async fn return_again(&self, payment: PaymentId) -> Result<(), FlowError> {
        let intend = async |txn: &sea_orm::DatabaseTransaction| {
            Ok::<_, FlowError>(self.payments.request_return_in_txn(txn, payment).await?)
        };
        match self.db.in_txn(intend).await? {
            Some(refund) => self.send_refund(refund.id).await,
            None => Ok(()),
        }
    }

    async fn look_at_refund(&self, refund: &Refund) -> Result<(), FlowError> {
        self.apply_payment(&refund.provider_payment_id).await?;
        self.send_refund(refund.id).await
    }
}

/// Whether a look failed for a reason that has nothing to do with what was looked at, and that passes: the provider was
/// not asked, or the database did not answer.
fn is_passing(error: &FlowError) -> bool {
    match error {
        FlowError::Payments(PaymentError::Provider(error)) => error.is_certainly_not_done(),
        other => other.kind() == ErrorKind::Unavailable,
    }
}

#[cfg(test)]
mod tests {
    use payments::ProviderError;

    use super::*;

    #[test]
    fn what_the_provider_says_or_garbles_counts_and_what_it_was_not_asked_does_not() {
        let refused = ProviderError::Refused { status: 404, code: "BAD_REQUEST_ERROR".into(), reason: None };
        for (error, passes) in [
            (refused, false),
            (ProviderError::Unknown, false),
            (ProviderError::Misconfigured { status: 401 }, true),
            (ProviderError::Unavailable { retry_after: None }, true),
            (ProviderError::Busy, true),
        ] {
            let name = error.to_string();
            assert_eq!(is_passing(&PaymentError::from(error).into()), passes, "{name}");
        }
        assert!(!is_passing(&store::StoreError::Corrupt("a row".into()).into()), "our own fault stays");
        assert!(is_passing(&PaymentError::Busy.into()));
    }
}
