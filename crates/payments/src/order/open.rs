//! Intending an order, before the provider is asked.

use kernel::{Money, PaymentOrderId, UserId};
use sea_orm::DatabaseTransaction;

use super::{Order, OrderStatus, rows, rules};
use crate::{PaymentError, Payments};

impl Payments {
    /// Intends an order. Once this is committed, [`place_order`](Self::place_order) makes it at the provider.
    ///
    /// # Errors
    /// When the amount is out of the limits (field `amount`), or the database fails.
    pub async fn open_order_in_txn(
        &self,
        txn: &DatabaseTransaction,
        user: UserId,
        amount: Money,
    ) -> Result<Order, PaymentError> {
        self.config.limits.check(amount)?;
        let id: PaymentOrderId = self.ambient.new_id();
        let order = Order {
            id,
            user,
            amount,
            // 36 characters of the 40 that the provider takes.
            receipt: id.to_string(),
            provider_order_id: None,
            status: OrderStatus::Creating,
            version: 1,
            polls: 0,
            failed_looks: 0,
            created_at: self.ambient.now(),
        };
        let next_look = rules::next_look(order.created_at, order.created_at);
        rows::insert(txn, &order, next_look).await?;
        Ok(order)
    }
}
