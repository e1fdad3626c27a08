//! Writing down how making an order went.

use kernel::PaymentOrderId;
use sea_orm::DatabaseTransaction;

use super::{Order, OrderStatus, place, rows, rules};
use crate::{PaymentError, Payments, ProviderOrder};

impl Payments {
    /// Gives the order its id at the provider. The first one stays: somebody may be paying it.
    ///
    /// # Errors
    /// [`PaymentError::OrderNotFound`] when there is no such order, or the provider's is another.
    pub async fn note_created_in_txn(
        &self,
        txn: &DatabaseTransaction,
        order: PaymentOrderId,
        placed: &ProviderOrder,
    ) -> Result<Order, PaymentError> {
        let known = rows::lock(txn, order).await?.ok_or(PaymentError::OrderNotFound)?;
        self.adopt(txn, known, placed).await?.ok_or(PaymentError::OrderNotFound)
    }

    /// Notes that the provider never made the order. An order that has been made stays as it is.
    ///
    /// # Errors
    /// [`PaymentError::OrderNotFound`] when there is no such order.
    pub async fn note_order_failed_in_txn(
        &self,
        txn: &DatabaseTransaction,
        order: PaymentOrderId,
    ) -> Result<Order, PaymentError> {
        let from = [OrderStatus::Creating];
        rows::set_status(txn, order, &from, OrderStatus::Failed, self.ambient.now()).await?;
        rows::lock(txn, order).await?.ok_or(PaymentError::OrderNotFound)
    }

    /// The locked order with its id at the provider, if this is the provider's form of it.
    pub(crate) async fn adopt(
        &self,
        txn: &DatabaseTransaction,
        known: Order,
        placed: &ProviderOrder,
    ) -> Result<Option<Order>, PaymentError> {
        if !place::is_same(&known, placed) {
            return Ok(None);
        }
        if known.provider_order_id.is_some() {
            return Ok(Some(known));
        }
        let now = self.ambient.now();
        let next_look = rules::next_look(known.created_at, now);
        rows::set_created(txn, known.id, &placed.id, next_look, now).await?;
        Ok(rows::lock(txn, known.id).await?)
    }
}
