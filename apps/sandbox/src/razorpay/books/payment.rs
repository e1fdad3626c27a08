//! Payments: what they are made of, and what is on the wire of it (razorpay.com/docs/api/payments/entity).

use serde_json::{Map, Value, json};

use super::shelf::Entity;
use super::{CURRENCY, notes_view};

/// How far a payment has come. `Refunded` is one of which all was refunded; a part leaves it `Captured`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PaymentStatus {
    Created,
    Authorized,
    Captured,
    Refunded,
    Failed,
}

/// How somebody pays.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// From a bank account through UPI.
    #[default]
    Upi,
    /// By a debit or credit card.
    Card,
    /// Through the bank's own site.
    Netbanking,
    /// From a prepaid wallet.
    Wallet,
}

impl Method {
    pub(in crate::razorpay) const ALL: [Self; 4] = [Self::Upi, Self::Card, Self::Netbanking, Self::Wallet];

    pub(in crate::razorpay) fn name(self) -> &'static str {
        match self {
            Self::Upi => "upi",
            Self::Card => "card",
            Self::Netbanking => "netbanking",
            Self::Wallet => "wallet",
        }
    }
}

/// Why a payment failed, in Razorpay's words (razorpay.com/docs/errors/payments).
#[derive(Debug, Clone, Copy)]
pub(in crate::razorpay) struct Failure {
    pub(in crate::razorpay) description: &'static str,
    pub(in crate::razorpay) reason: &'static str,
}

impl Failure {
    /// The payer gave up.
    pub(in crate::razorpay) const CANCELLED: Self =
        Self { description: "Payment processing cancelled by user", reason: "payment_cancelled" };

    /// The bank did not answer in time; it may still do so.
    pub(in crate::razorpay) const TIMED_OUT: Self =
        Self { description: "Payment was not completed on time.", reason: "payment_timed_out" };

    pub(in crate::razorpay) const CODE: &'static str = "BAD_REQUEST_ERROR";
    pub(in crate::razorpay) const SOURCE: &'static str = "customer";
    pub(in crate::razorpay) const STEP: &'static str = "payment_authentication";
}

/// What Razorpay keeps of a captured payment, in paise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fees {
    /// Commission and tax together.
    fee: i64,
    /// The GST in it.
    tax: i64,
}

impl Fees {
    /// 2 % and 18 % GST on that, each rounded half up to the paisa.
    pub(super) fn of(amount: i64) -> Self {
        let commission = percent(amount, 2);
        let tax = percent(commission, 18);
        Self { fee: commission.saturating_add(tax), tax }
    }
}

fn percent(amount: i64, rate: i64) -> i64 {
    amount.saturating_mul(rate).saturating_add(50) / 100
}

/// A payment.
pub(in crate::razorpay) struct Payment {
    pub(super) id: String,
    pub(super) order_id: Option<String>,
    /// In paise.
    pub(super) amount: i64,
    pub(super) status: PaymentStatus,
    pub(super) method: Method,
    /// In paise; what failed to be refunded is not in it.
    pub(super) amount_refunded: i64,
    /// Null before it is captured.
    pub(super) fees: Option<Fees>,
    pub(super) failure: Option<Failure>,
    /// The bank's number of it.
    pub(super) reference: String,
    pub(super) created_at: i64,
    /// The ids of its refunds.
    pub(super) refunds: Vec<String>,
}

impl Payment {
    /// The ids of its refunds, the oldest first.
    pub(in crate::razorpay) fn refunds(&self) -> &[String] {
        &self.refunds
    }

    /// What can still be refunded, in paise.
    pub(super) fn refundable(&self) -> i64 {
        self.amount.saturating_sub(self.amount_refunded)
    }

    fn refund_status(&self) -> Option<&'static str> {
        match self.amount_refunded {
            0 => None,
            all if all == self.amount => Some("full"),
            _ => Some("partial"),
        }
    }

    /// What the bank calls the payment; the field goes by the method.
    fn acquirer_data(&self) -> Value {
        match self.method {
            Method::Upi => json!({"rrn": self.reference}),
            Method::Card => json!({"auth_code": null}),
            Method::Netbanking => json!({"bank_transaction_id": self.reference}),
            Method::Wallet => json!({"transaction_id": null}),
        }
    }
}

impl Entity for Payment {
    const PREFIX: &'static str = "pay_";

    fn id(&self) -> &str {
        &self.id
    }

    fn created_at(&self) -> i64 {
        self.created_at
    }

    fn view(&self) -> Value {
        let failed = |word: &'static str| self.failure.map(|_| word);
        let paid_by = |method: Method, name: &'static str| (self.method == method).then_some(name);
        json!({
            "id": self.id,
            "entity": "payment",
            "amount": self.amount,
            "currency": CURRENCY,
            "status": match self.status {
                PaymentStatus::Created => "created",
                PaymentStatus::Authorized => "authorized",
                PaymentStatus::Captured => "captured",
                PaymentStatus::Refunded => "refunded",
                PaymentStatus::Failed => "failed",
            },
            "order_id": self.order_id,
            "invoice_id": null,
            "international": false,
            "method": self.method.name(),
            "amount_refunded": self.amount_refunded,
            "refund_status": self.refund_status(),
            // It was captured once, also when it has been refunded since.
            "captured": self.fees.is_some(),
            // With a slash and quotes, which a receiver that writes the JSON anew would write otherwise.
            "description": "Top-up / \"sandbox\"",
            "card_id": paid_by(Method::Card, "card_SandboxCard0001"),
            "bank": paid_by(Method::Netbanking, "HDFC"),
            "wallet": paid_by(Method::Wallet, "payzapp"),
            "vpa": paid_by(Method::Upi, "success@razorpay"),
            "email": "void@razorpay.com",
            "contact": "+919000090000",
            "notes": notes_view(&Map::new()),
            "fee": self.fees.map(|fees| fees.fee),
            "tax": self.fees.map(|fees| fees.tax),
            "error_code": failed(Failure::CODE),
            "error_description": self.failure.map(|failure| failure.description),
            "error_source": failed(Failure::SOURCE),
            "error_step": failed(Failure::STEP),
            "error_reason": self.failure.map(|failure| failure.reason),
            "acquirer_data": self.acquirer_data(),
            "created_at": self.created_at,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fee_has_the_tax_in_it() {
        for (amount, fee, tax) in [(50_000, 1_180, 180), (100, 2, 0), (9_900, 234, 36), (12_345, 291, 44)] {
            assert_eq!(Fees::of(amount), Fees { fee, tax }, "{amount}");
        }
    }
}
