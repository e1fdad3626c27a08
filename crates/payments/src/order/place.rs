//! Making an order at the provider. The call takes no idempotency key, so after a lost answer the receipt is looked up
//! before anything is made again.

use super::Order;
use crate::{Charge, NewProviderOrder, Payments, ProviderError, ProviderOrder};

impl Payments {
    /// Makes the order. When the answer is lost, the receipt is looked up.
    ///
    /// # Errors
    /// [`ProviderError::Unknown`] when it is still not known whether it was made: then
    /// [`recover_order`](Self::recover_order).
    pub async fn place_order(&self, order: &Order) -> Result<ProviderOrder, ProviderError> {
        let new = NewProviderOrder { amount: order.amount, receipt: order.receipt.clone() };
        match self.provider.create_order(&new).await {
            Err(ProviderError::Unknown) => match self.find_placed_order(order).await {
                Ok(Some(found)) => Ok(found),
                Ok(None) | Err(_) => Err(ProviderError::Unknown),
            },
            other => other,
        }
    }

    /// Makes an order that may have been made before: looks first, and makes it only when there is none.
    ///
    /// # Errors
    /// [`ProviderError::Unknown`] when the provider cannot be asked or leaves it unknown, which says nothing of the order
    /// that may have been made before; or when it refuses.
    pub async fn recover_order(&self, order: &Order) -> Result<ProviderOrder, ProviderError> {
        match self.find_placed_order(order).await {
            Ok(Some(found)) => Ok(found),
            Ok(None) => match self.place_order(order).await {
                // A look that comes too early finds nothing. A refusal would have met the request before, too.
                Err(error) if error.is_certainly_not_done() => Err(ProviderError::Unknown),
                placed => placed,
            },
            Err(_) => Err(ProviderError::Unknown),
        }
    }

    /// The order at the provider, if it was made there.
    ///
    /// # Errors
    /// When the provider cannot be asked.
    pub async fn find_placed_order(&self, order: &Order) -> Result<Option<ProviderOrder>, ProviderError> {
        let found = self.provider.find_order_by_receipt(&order.receipt).await?;
        Ok(found.filter(|found| is_same(order, found)))
    }
}

/// Whether the provider's order is this one.
pub(super) fn is_same(order: &Order, found: &ProviderOrder) -> bool {
    found.receipt.as_deref() == Some(order.receipt.as_str()) && found.charge == Charge::from(order.amount)
}
