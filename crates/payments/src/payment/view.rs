//! Payments as they are shown: of the instrument, the kind alone.

use chrono::{DateTime, Utc};
use kernel::{Money, PaymentId, PaymentOrderId, UserId};
use serde::Serialize;

use super::rows::PaymentRow;
use super::{PaymentOutcome, PaymentStatus};
use crate::Charge;

/// A payment as its payer sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PaymentView {
    /// Its id.
    pub id: PaymentId,
    /// The order that it pays; null when it pays none of ours.
    pub order_id: Option<PaymentOrderId>,
    /// Its id at Razorpay.
    #[schema(example = "pay_IH4NVgf4Dreq1l")]
    pub provider_payment_id: String,
    /// How much was charged.
    pub amount: Charge,
    /// How much has gone back.
    pub refunded: Charge,
    /// How far it is.
    #[schema(example = "CAPTURED")]
    pub status: PaymentStatus,
    /// The kind of instrument: `card`, `upi`, `netbanking`, `wallet`, …
    #[schema(example = "upi")]
    pub method: Option<String>,
    /// When it was first seen.
    pub created_at: DateTime<Utc>,
}

/// A payment as staff see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StaffPaymentView {
    /// What the payer sees.
    #[serde(flatten)]
    pub payment: PaymentView,
    /// Whose it is; null when it is nobody's.
    pub user_id: Option<UserId>,
    /// What became of its money; null as long as it was not captured.
    #[schema(example = "CREDITED")]
    pub outcome: Option<PaymentOutcome>,
    /// How much refunds take, those under way included.
    pub refund_reserved: Charge,
    /// The provider's fee, tax included; null until it is known.
    pub fee: Option<Money>,
    /// The tax within the fee.
    pub tax: Option<Money>,
}

impl From<PaymentRow> for StaffPaymentView {
    fn from(row: PaymentRow) -> Self {
        let part = |amount| Charge { amount, currency: row.charge.currency.clone() };
        Self {
            refund_reserved: part(row.refund_reserved),
            payment: PaymentView {
                id: row.id,
                order_id: row.order,
                provider_payment_id: row.provider_id,
                refunded: part(row.refunded),
                amount: row.charge,
                status: row.status,
                method: row.method,
                created_at: row.created_at,
            },
            user_id: row.user,
            outcome: row.outcome,
            fee: row.fee.map(Money::inr),
            tax: row.tax.map(Money::inr),
        }
    }
}
