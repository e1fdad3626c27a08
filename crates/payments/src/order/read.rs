//! Reading orders.

use kernel::{Page, Paging, PaymentOrderId, TypedId, UserId};

use super::{Order, OrderView, rows};
use crate::slices::Slice;
use crate::{PaymentError, Payments};

impl Payments {
    /// An order, whosever it is.
    ///
    /// # Errors
    /// [`PaymentError::OrderNotFound`] when there is none.
    pub async fn order(&self, id: PaymentOrderId) -> Result<Order, PaymentError> {
        rows::by_id(self.db.reader()?, id).await?.ok_or(PaymentError::OrderNotFound)
    }

    /// An order of the user's.
    ///
    /// # Errors
    /// [`PaymentError::OrderNotFound`] when there is none, or it is somebody else's.
    pub async fn order_of(&self, user: UserId, id: PaymentOrderId) -> Result<Order, PaymentError> {
        let order = self.order(id).await?;
        if order.user == user { Ok(order) } else { Err(PaymentError::OrderNotFound) }
    }

    /// An order of the user's, by its id at the provider.
    ///
    /// # Errors
    /// [`PaymentError::OrderNotFound`] when there is none, or it is somebody else's.
    pub async fn order_by_provider_id(&self, user: UserId, id: &str) -> Result<Order, PaymentError> {
        let order = self.find_order(id).await?;
        order.filter(|order| order.user == user).ok_or(PaymentError::OrderNotFound)
    }

    /// An order by its id at the provider, if it is ours.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find_order(&self, provider_order_id: &str) -> Result<Option<Order>, PaymentError> {
        Ok(rows::by_provider_id(self.db.reader()?, provider_order_id).await?)
    }

    /// The user's orders, latest first.
    ///
    /// # Errors
    /// When the cursor is not of this list, or the database fails.
    pub async fn orders_of(&self, user: UserId, paging: &Paging) -> Result<Page<OrderView>, PaymentError> {
        let (condition, values) = rows::of_user(user);
        let slice = Slice {
            columns: rows::COLUMNS,
            from: "payment_orders o",
            id: "o.id",
            condition,
            values,
            scope: format!("payment-orders:{user}"),
        };
        let page = self.page(slice, paging, rows::read, |order| order.id.uuid()).await?;
        Ok(page.map(|order| order.view()))
    }

    /// Whether a check-out that came back with this payment was signed by the provider for this order.
    pub fn is_checkout_genuine(&self, order: &Order, provider_payment_id: &str, signature: &str) -> bool {
        order.provider_order_id.as_deref().is_some_and(|id| {
            crate::signature::checkout(&self.config.key_secret, id, provider_payment_id, signature)
        })
    }
}
