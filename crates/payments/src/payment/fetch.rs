//! Fetching: what the provider says now, the only thing that is believed. Never inside a transaction.

use kernel::Money;

use super::{FetchedPayment, rows};
use crate::{Order, PaymentError, Payments, ProviderError, ProviderOrder, ProviderPayment};

impl Payments {
    /// A payment with everything that belongs to it.
    ///
    /// # Errors
    /// [`PaymentError::PaymentNotFound`] when this cannot be a payment's id; the provider's errors.
    pub async fn fetch_payment(&self, provider_payment_id: &str) -> Result<FetchedPayment, PaymentError> {
        let payment = self.look_at(provider_payment_id).await?;
        self.complete(payment).await
    }

    /// A payment with everything that belongs to it, its refunds too when the payment itself shows none yet.
    ///
    /// # Errors
    /// As [`fetch_payment`](Self::fetch_payment).
    pub async fn fetch_refunded(&self, provider_payment_id: &str) -> Result<FetchedPayment, PaymentError> {
        let payment = self.look_at(provider_payment_id).await?;
        self.with_refunds(payment).await
    }

    /// Every payment that was tried on an order, each for itself: what cannot be had of one holds up no other.
    ///
    /// # Errors
    /// The provider's errors when it does not show the order's payments.
    pub async fn fetch_payments_of(
        &self,
        order: &Order,
    ) -> Result<Vec<Result<FetchedPayment, PaymentError>>, PaymentError> {
        let Some(id) = &order.provider_order_id else {
            return Ok(Vec::new());
        };
        let mut fetched = Vec::new();
        for payment in self.provider.payments_of_order(id).await? {
            fetched.push(self.complete(payment).await);
        }
        Ok(fetched)
    }

    async fn look_at(&self, provider_payment_id: &str) -> Result<ProviderPayment, PaymentError> {
        if !is_provider_id(provider_payment_id) {
            return Err(PaymentError::PaymentNotFound);
        }
        let payment = self.provider.payment(provider_payment_id).await?;
        if payment.id != provider_payment_id {
            return Err(ProviderError::Unknown.into());
        }
        Ok(payment)
    }

    /// Takes an authorised payment. Fetch and apply it afterwards: that it is captured is told there, also when
    /// somebody else did it first.
    ///
    /// # Errors
    /// The provider's errors, but for a refusal.
    pub async fn capture(&self, provider_payment_id: &str, amount: Money) -> Result<(), PaymentError> {
        match self.provider.capture(provider_payment_id, amount).await {
            Ok(_) => Ok(()),
            Err(ProviderError::Refused { code, .. }) => {
                tracing::info!(code, "a capture was refused; the payment will tell why");
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Adds the order when its id is not known here, and the refunds when there are any.
    async fn complete(&self, payment: ProviderPayment) -> Result<FetchedPayment, PaymentError> {
        if payment.amount_refunded > 0 || rows::has_refunds(self.db.reader()?, &payment.id).await? {
            return self.with_refunds(payment).await;
        }
        let order = self.order_if_unknown(&payment).await?;
        Ok(FetchedPayment { payment, order, refunds: Vec::new() })
    }

    async fn with_refunds(&self, payment: ProviderPayment) -> Result<FetchedPayment, PaymentError> {
        let order = self.order_if_unknown(&payment).await?;
        let refunds = self.provider.refunds_of_payment(&payment.id).await?;
        Ok(FetchedPayment { payment, order, refunds })
    }

    async fn order_if_unknown(
        &self,
        payment: &ProviderPayment,
    ) -> Result<Option<ProviderOrder>, PaymentError> {
        match &payment.order_id {
            Some(id) if self.find_order(id).await?.is_none() => Ok(self.foreign_order(id).await?),
            _ => Ok(None),
        }
    }

    /// An order whose id is not known here. One that the provider does not show us is not ours.
    async fn foreign_order(&self, id: &str) -> Result<Option<ProviderOrder>, ProviderError> {
        match self.provider.order(id).await {
            Ok(order) => Ok(Some(order)),
            Err(ProviderError::Refused { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Whether a text can be an id of the provider's: it may come from a browser, and becomes part of a path.
pub(crate) fn is_provider_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::is_provider_id;

    #[test]
    fn what_cannot_be_an_id_is_never_put_into_a_path() {
        assert!(is_provider_id("pay_IH4NVgf4Dreq1l"));
        let long = "a".repeat(65);
        for text in ["", "../orders", "pay_1/refund", "pay 1", "pay_1?x", "pay%31", "pay_é", &long] {
            assert!(!is_provider_id(text), "{text}");
        }
    }
}
