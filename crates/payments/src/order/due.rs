//! Orders to be looked after, because nobody came back and no webhook arrived.

use kernel::PaymentOrderId;
use sea_orm::DatabaseTransaction;

use super::{Order, OrderStatus, rows, rules};
use crate::{PaymentError, Payments};

impl Payments {
    /// Takes orders whose time has come, each by one caller at a time for a quarter of an hour. After a look that
    /// reached the provider, say [`note_polled`](Self::note_polled); without it the order comes again.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn due_orders(&self, limit: u32) -> Result<Vec<Order>, PaymentError> {
        self.db
            .in_txn(async |txn| {
                let now = self.ambient.now();
                let due = rows::due(txn, now, limit).await?;
                for order in &due {
                    rows::set_looks(txn, order.id, order.polls, Some(now + rules::LOOK_LEASE)).await?;
                }
                Ok(due)
            })
            .await
    }

    /// Counts a look at an order; after the last one an order that is still open expires.
    ///
    /// # Errors
    /// [`PaymentError::OrderNotFound`] when there is no such order.
    pub async fn note_polled(&self, order: PaymentOrderId) -> Result<(), PaymentError> {
        self.db.in_txn(async |txn| self.count_look(txn, order).await).await
    }

    async fn count_look(&self, txn: &DatabaseTransaction, id: PaymentOrderId) -> Result<(), PaymentError> {
        let order = rows::lock(txn, id).await?.ok_or(PaymentError::OrderNotFound)?;
        let looks = order.polls.saturating_add(1);
        let next = match order.status {
            OrderStatus::Paid => {
                Some(rules::last_look(order.created_at)).filter(|last| *last > self.ambient.now())
            }
            _ => rules::next_look(order.created_at, looks),
        };
        match next {
            Some(next) => rows::set_looks(txn, id, looks, Some(next)).await?,
            None => {
                let open = [OrderStatus::Created, OrderStatus::Attempted];
                rows::set_status(txn, id, &open, OrderStatus::Expired, self.ambient.now()).await?;
                rows::set_looks(txn, id, looks, None).await?;
            }
        }
        Ok(())
    }
}
