//! What becomes of payments: begun, authorised, captured, failed, and captured late after all.

use serde_json::Value;

use super::Books;
use super::order::OrderStatus;
use super::payment::{Failure, Fees, Method, Payment, PaymentStatus};
use super::refund::{NewRefund, Speed};
use super::shelf::Entity;
use crate::razorpay::error::ApiError;
use crate::razorpay::id;

impl Books {
    /// Begins a payment, for an order or for none.
    ///
    /// # Errors
    /// When there is no such order, or nothing is paid.
    pub(in crate::razorpay) fn begin_payment(
        &mut self,
        order_id: Option<&str>,
        amount: Option<i64>,
        method: Method,
    ) -> Result<String, ApiError> {
        let id = id::fresh(Payment::PREFIX, &self.ambient);
        let due = match order_id {
            Some(order_id) => Some(self.orders.find(order_id)?.terms.amount),
            None => None,
        };
        let amount = amount.or(due).filter(|amount| *amount >= 1);
        let amount = amount.ok_or_else(|| ApiError::field("amount", "amount: is required."))?;
        if let Some(order_id) = order_id {
            self.orders.find_mut(order_id)?.begin(&id);
        }
        self.payments.add(Payment {
            id: id.clone(),
            order_id: order_id.map(str::to_owned),
            amount,
            status: PaymentStatus::Created,
            method,
            amount_refunded: 0,
            fees: None,
            failure: None,
            reference: format!("{:012}", self.ambient.random_below(1_000_000_000_000)),
            created_at: self.now(),
            refunds: Vec::new(),
        });
        Ok(id)
    }

    /// The bank agreed.
    pub(in crate::razorpay) fn authorize(&mut self, payment_id: &str) -> Result<(), ApiError> {
        let payment = self.payments.find_mut(payment_id)?;
        payment.status = PaymentStatus::Authorized;
        payment.failure = None;
        let view = payment.view();
        self.tell("payment.authorized", vec![("payment", view)]);
        Ok(())
    }

    /// The bank did not agree, or has not said anything yet.
    pub(in crate::razorpay) fn fail(&mut self, payment_id: &str, failure: Failure) -> Result<(), ApiError> {
        let payment = self.payments.find_mut(payment_id)?;
        payment.status = PaymentStatus::Failed;
        payment.failure = Some(failure);
        let view = payment.view();
        self.tell("payment.failed", vec![("payment", view)]);
        Ok(())
    }

    /// The money of an authorised payment is taken, and its order is paid by it unless it was before.
    pub(in crate::razorpay) fn take(&mut self, payment_id: &str) -> Result<Value, ApiError> {
        let payment = self.payments.find_mut(payment_id)?;
        payment.status = PaymentStatus::Captured;
        payment.fees = Some(Fees::of(payment.amount));
        let (amount, order_id, view) = (payment.amount, payment.order_id.clone(), payment.view());
        self.tell("payment.captured", vec![("payment", view.clone())]);
        if let Some(order_id) = order_id {
            let order = self.orders.find_mut(&order_id)?;
            if order.receive(amount) {
                let order = order.view();
                self.tell("order.paid", vec![("payment", view.clone()), ("order", order)]);
            }
        }
        Ok(view)
    }

    /// `POST /v1/payments/:id/capture`.
    ///
    /// # Errors
    /// When the payment is not authorised, another one has paid the order, or the amount is another.
    pub(in crate::razorpay) fn capture(&mut self, payment_id: &str, amount: i64) -> Result<Value, ApiError> {
        let payment = self.payments.find(payment_id)?;
        match payment.status {
            PaymentStatus::Authorized => {}
            PaymentStatus::Captured | PaymentStatus::Refunded => {
                return Err(ApiError::refused("This payment has already been captured"));
            }
            PaymentStatus::Created | PaymentStatus::Failed => {
                return Err(ApiError::refused(
                    "Only payments which have been authorized and not yet captured can be captured",
                ));
            }
        }
        if payment.amount != amount {
            let description = "Capture amount must be equal to the amount authorized";
            return Err(ApiError::field("amount", description));
        }
        if self.is_order_paid(payment_id)? {
            return Err(ApiError::refused("Your payment has been declined as the order is already paid"));
        }
        self.take(payment_id)
    }

    /// The bank answers at last: a failed payment turns out to have been made, an authorised one is captured. If
    /// another one has paid the order meanwhile, its money goes back
    /// (razorpay.com/docs/payments/payments/late-authorisation).
    ///
    /// # Errors
    /// When the payment is neither failed nor authorised.
    pub(in crate::razorpay) fn settle(&mut self, payment_id: &str) -> Result<Value, ApiError> {
        match self.payments.find(payment_id)?.status {
            PaymentStatus::Failed => self.authorize(payment_id)?,
            PaymentStatus::Authorized => {}
            PaymentStatus::Created | PaymentStatus::Captured | PaymentStatus::Refunded => {
                return Err(ApiError::refused("Only a failed or an authorized payment can be settled"));
            }
        }
        if !self.is_order_paid(payment_id)? {
            return self.take(payment_id);
        }
        let back = NewRefund { speed: Speed::Normal, ..NewRefund::of_everything() };
        self.give_back(payment_id, back, false)?;
        Ok(self.payments.find(payment_id)?.view())
    }

    /// Whether the order of this payment is paid already.
    fn is_order_paid(&self, payment_id: &str) -> Result<bool, ApiError> {
        match &self.payments.find(payment_id)?.order_id {
            Some(order_id) => Ok(self.orders.find(order_id)?.status == OrderStatus::Paid),
            None => Ok(false),
        }
    }
}
