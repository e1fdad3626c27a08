//! Refunds as they are shown.

use chrono::{DateTime, Utc};
use kernel::{PaymentId, RefundId, UserId};
use serde::Serialize;

use super::{Refund, RefundOrigin, RefundSpeed, RefundStatus};
use crate::Charge;

/// A refund as the payer sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RefundView {
    /// Its id.
    pub id: RefundId,
    /// The payment that it gives back.
    pub payment_id: PaymentId,
    /// Its id at Razorpay, once it is known there.
    #[schema(example = "rfnd_FP8QHiV938haTz")]
    pub provider_refund_id: Option<String>,
    /// How much.
    pub amount: Charge,
    /// How far it is.
    #[schema(example = "PROCESSED")]
    pub status: RefundStatus,
    /// How fast it was asked for.
    #[schema(example = "NORMAL")]
    pub speed: RefundSpeed,
    /// When it was requested or first seen.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// A refund as staff see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StaffRefundView {
    /// What the payer sees.
    #[serde(flatten)]
    pub refund: RefundView,
    /// Whose money it is; null when it is nobody's.
    pub user_id: Option<UserId>,
    /// Who made it.
    #[schema(example = "APP")]
    pub origin: RefundOrigin,
    /// Why.
    #[schema(example = "Paid twice by mistake.")]
    pub reason: Option<String>,
    /// Who asked for it; null when the marketplace or the provider did.
    pub requested_by: Option<UserId>,
}

impl Refund {
    /// The refund as the payer sees it.
    pub fn view(&self) -> RefundView {
        RefundView {
            id: self.id,
            payment_id: self.payment,
            provider_refund_id: self.provider_refund_id.clone(),
            amount: self.amount.clone(),
            status: self.status,
            speed: self.speed,
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }

    /// The refund as staff see it.
    pub fn staff_view(&self) -> StaffRefundView {
        StaffRefundView {
            refund: self.view(),
            user_id: self.user,
            origin: self.origin,
            reason: self.reason.clone(),
            requested_by: self.requested_by,
        }
    }
}
