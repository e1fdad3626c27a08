//! Orders to be looked after, because nobody came back and no webhook arrived.

use kernel::PaymentOrderId;
use sea_orm::DatabaseTransaction;

use super::{Order, OrderStatus, rows, rules};
use crate::{PaymentError, Payments};

/// The states in which an order waits for its payment.
const OPEN: [OrderStatus; 2] = [OrderStatus::Created, OrderStatus::Attempted];

impl Payments {
    /// Takes orders whose time has come, each by one caller at a time for a quarter of an hour. After a look, say
    /// [`note_polled`](Self::note_polled), or [`note_look_failed`](Self::note_look_failed) when the provider did not
    /// show what was looked for; without either the order comes again.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn due_orders(&self, limit: u32) -> Result<Vec<Order>, PaymentError> {
        self.db
            .in_txn(async |txn| {
                let now = self.ambient.now();
                let due = rows::due(txn, now, limit).await?;
                for order in &due {
                    rows::set_looks(txn, order, Some(now + rules::LOOK_LEASE)).await?;
                }
                Ok(due)
            })
            .await
    }

    /// Counts a look at an order that has shown everything. An order that nobody paid in its first days expires, and is
    /// looked after a while longer all the same.
    ///
    /// # Errors
    /// [`PaymentError::OrderNotFound`] when there is no such order.
    pub async fn note_polled(&self, order: PaymentOrderId) -> Result<(), PaymentError> {
        self.db.in_txn(async |txn| self.count_look(txn, order).await).await
    }

    async fn count_look(&self, txn: &DatabaseTransaction, id: PaymentOrderId) -> Result<(), PaymentError> {
        let mut order = rows::lock(txn, id).await?.ok_or(PaymentError::OrderNotFound)?;
        let now = self.ambient.now();
        order.polls = order.polls.saturating_add(1);
        order.failed_looks = 0;
        let next = match order.status {
            OrderStatus::Failed => None,
            OrderStatus::Paid => rules::next_look_after_paid(order.created_at, now),
            _ => rules::next_look(order.created_at, now),
        };
        if now >= rules::expires_at(order.created_at) {
            rows::set_status(txn, id, &OPEN, OrderStatus::Expired, now).await?;
        }
        Ok(rows::set_looks(txn, &order, next).await?)
    }

    /// Counts a look at an order that the provider refused, or that showed something which could not be dealt with. The
    /// next one follows after a growing pause; after the twentieth in a row the order is given up, and a person must
    /// look at it.
    ///
    /// # Errors
    /// [`PaymentError::OrderNotFound`] when there is no such order.
    pub async fn note_look_failed(&self, order: PaymentOrderId) -> Result<(), PaymentError> {
        let is_given_up = self.db.in_txn(async |txn| self.count_failed_look(txn, order).await).await?;
        if is_given_up {
            tracing::error!(%order, "an order cannot be looked at and is given up: look at it");
            metrics::counter!("payment_orders_given_up_total").increment(1);
        }
        Ok(())
    }

    /// Whether it was given up.
    async fn count_failed_look(
        &self,
        txn: &DatabaseTransaction,
        id: PaymentOrderId,
    ) -> Result<bool, PaymentError> {
        let mut order = rows::lock(txn, id).await?.ok_or(PaymentError::OrderNotFound)?;
        let now = self.ambient.now();
        order.polls = order.polls.saturating_add(1);
        order.failed_looks = order.failed_looks.saturating_add(1);
        let pause = rules::pause_after_failed_look(order.failed_looks);
        let next = pause.filter(|_| order.status != OrderStatus::Failed).map(|pause| now + pause);
        rows::set_looks(txn, &order, next).await?;
        if pause.is_none() {
            rows::set_status(txn, id, &OPEN, OrderStatus::Expired, now).await?;
            rows::set_status(txn, id, &[OrderStatus::Creating], OrderStatus::Failed, now).await?;
        }
        Ok(pause.is_none())
    }
}
