//! Refunds: `pending`, then `processed` or `failed` (razorpay.com/docs/api/refunds/entity).

use serde_json::{Map, Value, json};

use super::payment::PaymentStatus;
use super::shelf::Entity;
use super::{Books, CURRENCY, notes_view};
use crate::razorpay::error::ApiError;
use crate::razorpay::id;

/// How fast a refund is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::razorpay) enum Speed {
    /// As the bank does it, in some days.
    Normal,
    /// At once if that can be.
    Optimum,
}

/// What is asked for by `POST /v1/payments/:id/refund`.
#[derive(Clone)]
pub(in crate::razorpay) struct NewRefund {
    /// In paise; everything that is left if not told.
    pub(in crate::razorpay) amount: Option<i64>,
    pub(in crate::razorpay) speed: Speed,
    pub(in crate::razorpay) receipt: Option<String>,
    pub(in crate::razorpay) notes: Map<String, Value>,
}

impl NewRefund {
    /// A refund of all that is left, at normal speed.
    pub(in crate::razorpay) fn of_everything() -> Self {
        Self { amount: None, speed: Speed::Normal, receipt: None, notes: Map::new() }
    }
}

/// How far a refund has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::razorpay) enum RefundStatus {
    Pending,
    Processed,
    Failed,
}

/// How a refund ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RefundEnd {
    /// The money is on its way to where it came from.
    Processed,
    /// The bank did not take it; it stays with the account, and the payment can be refunded again.
    Failed,
}

/// A refund.
pub(in crate::razorpay) struct Refund {
    id: String,
    payment_id: String,
    /// In paise.
    amount: i64,
    terms: NewRefund,
    status: RefundStatus,
    created_at: i64,
}

impl Refund {
    pub(in crate::razorpay) fn payment_id(&self) -> &str {
        &self.payment_id
    }
}

impl Entity for Refund {
    const PREFIX: &'static str = "rfnd_";

    fn id(&self) -> &str {
        &self.id
    }

    fn created_at(&self) -> i64 {
        self.created_at
    }

    fn view(&self) -> Value {
        let (requested, processed) = match self.terms.speed {
            Speed::Normal => ("normal", "normal"),
            Speed::Optimum => ("optimum", "instant"),
        };
        json!({
            "id": self.id,
            "entity": "refund",
            "amount": self.amount,
            "currency": CURRENCY,
            "payment_id": self.payment_id,
            "notes": notes_view(&self.terms.notes),
            "receipt": self.terms.receipt,
            // A refund is processed before the bank has a number for it.
            "acquirer_data": {"arn": null},
            "created_at": self.created_at,
            "batch_id": null,
            "status": match self.status {
                RefundStatus::Pending => "pending",
                RefundStatus::Processed => "processed",
                RefundStatus::Failed => "failed",
            },
            "speed_processed": processed,
            "speed_requested": requested,
        })
    }
}

impl Books {
    /// Refunds a captured payment in full or in part. At optimum speed, or if told to, it is processed at once.
    ///
    /// # Errors
    /// When the payment is not captured or so much of it is not left.
    pub(in crate::razorpay) fn refund(
        &mut self,
        payment_id: &str,
        terms: NewRefund,
        at_once: bool,
    ) -> Result<String, ApiError> {
        let payment = self.payments.find(payment_id)?;
        match payment.status {
            PaymentStatus::Captured => {}
            PaymentStatus::Refunded => {
                return Err(ApiError::refused("The payment has been fully refunded already"));
            }
            PaymentStatus::Created | PaymentStatus::Authorized | PaymentStatus::Failed => {
                return Err(ApiError::refused(
                    "The payment status should be captured for action to be taken",
                ));
            }
        }
        let asked = terms.amount.unwrap_or(0);
        if asked > payment.amount {
            return Err(ApiError::field(
                "amount",
                "The refund amount provided is greater than amount captured",
            ));
        }
        if asked > payment.refundable() {
            return Err(ApiError::field(
                "amount",
                "The total refund amount is greater than the refund payment amount",
            ));
        }
        self.give_back(payment_id, terms, at_once)
    }

    /// Makes a refund, whatever the payment's state. The amount counts as refunded from now on.
    pub(super) fn give_back(
        &mut self,
        payment_id: &str,
        terms: NewRefund,
        at_once: bool,
    ) -> Result<String, ApiError> {
        let id = id::fresh(Refund::PREFIX, &self.ambient);
        let created_at = self.now();
        let payment = self.payments.find_mut(payment_id)?;
        let amount = terms.amount.unwrap_or(payment.refundable());
        payment.amount_refunded = payment.amount_refunded.saturating_add(amount);
        if payment.refundable() == 0 {
            payment.status = PaymentStatus::Refunded;
        }
        payment.refunds.push(id.clone());
        let at_once = at_once || terms.speed == Speed::Optimum;
        self.refunds.add(Refund {
            id: id.clone(),
            payment_id: payment_id.to_owned(),
            amount,
            terms,
            status: RefundStatus::Pending,
            created_at,
        });
        self.tell_of_refund("refund.created", &id)?;
        if at_once {
            self.finish_refund(&id, RefundEnd::Processed)?;
        }
        Ok(id)
    }

    /// Ends a pending refund. Of a failed one the payment has its amount back.
    ///
    /// # Errors
    /// When there is no such refund, or it has ended already.
    pub(in crate::razorpay) fn finish_refund(
        &mut self,
        refund_id: &str,
        end: RefundEnd,
    ) -> Result<Value, ApiError> {
        let refund = self.refunds.find_mut(refund_id)?;
        if refund.status != RefundStatus::Pending {
            return Err(ApiError::refused("Only a pending refund can be processed or fail"));
        }
        let event = match end {
            RefundEnd::Processed => {
                refund.status = RefundStatus::Processed;
                "refund.processed"
            }
            RefundEnd::Failed => {
                refund.status = RefundStatus::Failed;
                let payment = self.payments.find_mut(&refund.payment_id)?;
                payment.amount_refunded = payment.amount_refunded.saturating_sub(refund.amount);
                // What was refunded without having been captured has no fee, and waits for its money again.
                payment.status =
                    if payment.fees.is_some() { PaymentStatus::Captured } else { PaymentStatus::Authorized };
                "refund.failed"
            }
        };
        self.tell_of_refund(event, refund_id)
    }

    fn tell_of_refund(&mut self, event: &'static str, refund_id: &str) -> Result<Value, ApiError> {
        let refund = self.refunds.find(refund_id)?;
        let payment = self.payments.find(&refund.payment_id)?.view();
        let refund = refund.view();
        self.tell(event, vec![("refund", refund.clone()), ("payment", payment)]);
        Ok(refund)
    }
}
