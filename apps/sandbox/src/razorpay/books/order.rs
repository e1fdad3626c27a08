//! Orders: `created`, `attempted` with the first payment, `paid` with the first captured one, and for ever then
//! (razorpay.com/docs/api/orders/entity).

use serde_json::{Map, Value, json};

use super::shelf::Entity;
use super::{Books, CURRENCY, notes_view};
use crate::razorpay::error::ApiError;
use crate::razorpay::id;

/// How far an order has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::razorpay) enum OrderStatus {
    Created,
    Attempted,
    Paid,
}

/// What is asked for by `POST /v1/orders`.
#[derive(Clone)]
pub(in crate::razorpay) struct NewOrder {
    /// In paise.
    pub(in crate::razorpay) amount: i64,
    pub(in crate::razorpay) receipt: Option<String>,
    pub(in crate::razorpay) notes: Map<String, Value>,
    /// Whether authorised payments are captured by themselves.
    pub(in crate::razorpay) captures: bool,
}

/// An order.
pub(in crate::razorpay) struct Order {
    id: String,
    pub(in crate::razorpay) terms: NewOrder,
    /// In paise.
    amount_paid: i64,
    pub(in crate::razorpay) status: OrderStatus,
    attempts: u32,
    created_at: i64,
    /// The ids of its payments.
    payments: Vec<String>,
}

impl Order {
    /// The ids of its payments, the oldest first.
    pub(in crate::razorpay) fn payments(&self) -> &[String] {
        &self.payments
    }

    /// What is still to be paid, in paise.
    pub(super) fn amount_due(&self) -> i64 {
        self.terms.amount.saturating_sub(self.amount_paid)
    }

    /// Notes that a payment was begun.
    pub(super) fn begin(&mut self, payment_id: &str) {
        self.payments.push(payment_id.to_owned());
        self.attempts = self.attempts.saturating_add(1);
        if self.status == OrderStatus::Created {
            self.status = OrderStatus::Attempted;
        }
    }

    /// Notes that so much was captured, and tells whether this paid the order.
    pub(super) fn receive(&mut self, amount: i64) -> bool {
        if self.status == OrderStatus::Paid {
            return false;
        }
        self.amount_paid = self.amount_paid.saturating_add(amount).min(self.terms.amount);
        if self.amount_due() == 0 {
            self.status = OrderStatus::Paid;
        }
        self.status == OrderStatus::Paid
    }
}

impl Entity for Order {
    const PREFIX: &'static str = "order_";

    fn id(&self) -> &str {
        &self.id
    }

    fn created_at(&self) -> i64 {
        self.created_at
    }

    fn view(&self) -> Value {
        json!({
            "id": self.id,
            "entity": "order",
            "amount": self.terms.amount,
            "amount_paid": self.amount_paid,
            "amount_due": self.amount_due(),
            "currency": CURRENCY,
            "receipt": self.terms.receipt,
            "offer_id": null,
            "status": match self.status {
                OrderStatus::Created => "created",
                OrderStatus::Attempted => "attempted",
                OrderStatus::Paid => "paid",
            },
            "attempts": self.attempts,
            "notes": notes_view(&self.terms.notes),
            "created_at": self.created_at,
        })
    }
}

impl Books {
    /// Makes an order.
    ///
    /// # Errors
    /// When the account wants receipts to be unique and this one is not.
    pub(in crate::razorpay) fn open_order(
        &mut self,
        terms: NewOrder,
        unique_receipts: bool,
    ) -> Result<Value, ApiError> {
        let is_taken = |receipt: &String| {
            self.orders.newest_first().any(|order| order.terms.receipt.as_ref() == Some(receipt))
        };
        if unique_receipts && terms.receipt.as_ref().is_some_and(is_taken) {
            return Err(ApiError::field("receipt", "Order receipt should be unique."));
        }
        let order = Order {
            id: id::fresh(Order::PREFIX, &self.ambient),
            terms,
            amount_paid: 0,
            status: OrderStatus::Created,
            attempts: 0,
            created_at: self.now(),
            payments: Vec::new(),
        };
        let view = order.view();
        self.orders.add(order);
        Ok(view)
    }
}
