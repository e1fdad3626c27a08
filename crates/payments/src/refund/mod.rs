//! Money on its way back to where it came from.

mod due;
mod give_back;
mod read;
mod request;
pub(crate) mod rows;
pub(crate) mod rules;
mod send;
mod view;

use chrono::{DateTime, Utc};
use kernel::{HoldId, Money, PaymentId, RefundId, UserId};

use crate::names::named;
use crate::{Charge, NewProviderRefund, ProviderError, ProviderRefund};

pub use read::RefundFilter;
pub use view::{RefundView, StaffRefundView};

named! {
    /// How far a refund is.
    pub enum RefundStatus("a refund's status") {
        /// Intended; not sent.
        Requested = "requested",
        /// Being sent, or it was when the process ended.
        Submitting = "submitting",
        /// Sent, and no readable answer came.
        Unknown = "unknown",
        /// The provider has it.
        Pending = "pending",
        /// The money is on its way to the payer.
        Processed = "processed",
        /// It will not happen.
        Failed = "failed",
    }
}

named! {
    /// Who made a refund.
    pub enum RefundOrigin("a refund's origin") {
        /// Our staff, through us: held in the user's wallet.
        App = "app",
        /// Somebody in the provider's dashboard, or the provider itself.
        Dashboard = "dashboard",
        /// The marketplace itself, of money that is nobody's.
        Provider = "provider",
    }
}

named! {
    /// How fast a refund is asked for.
    pub enum RefundSpeed("a refund's speed") {
        /// Five to seven working days.
        Normal = "normal",
        /// At once where the bank can, for a fee.
        Optimum = "optimum",
    }
}

named! {
    /// How far the provider says a refund is.
    pub enum RefundState("a refund's state") {
        /// Under way.
        Pending = "pending",
        /// Done.
        Processed = "processed",
        /// It did not happen.
        Failed = "failed",
    }
}

/// A refund to be requested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRefund {
    /// Of which payment.
    pub payment: PaymentId,
    /// How much; all that is left when it is not said.
    pub amount: Option<Money>,
    /// How fast.
    pub speed: RefundSpeed,
    /// Why, in the author's words.
    pub reason: String,
}

/// A refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refund {
    /// Its id; also its receipt at the provider.
    pub id: RefundId,
    /// The payment.
    pub payment: PaymentId,
    /// The payment's id at the provider.
    pub provider_payment_id: String,
    /// Whose money it is; `None` when it is nobody's.
    pub user: Option<UserId>,
    /// Its id at the provider, once it is known there.
    pub provider_refund_id: Option<String>,
    /// How much, in the payment's currency.
    pub amount: Charge,
    /// Who made it.
    pub origin: RefundOrigin,
    /// How far it is.
    pub status: RefundStatus,
    /// How fast it was asked for.
    pub speed: RefundSpeed,
    /// Why.
    pub reason: Option<String>,
    /// Who asked for it, if a person did.
    pub requested_by: Option<UserId>,
    /// What it is held with.
    pub hold: Option<HoldId>,
    /// Rises with every change.
    pub version: i64,
    /// How often it was looked after.
    pub(crate) polls: i32,
    /// The key of every send.
    pub(crate) idem_key: String,
    /// When it was requested or first seen.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// One send of a refund, to be made outside the transaction that allowed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundSend {
    /// The refund.
    pub refund: RefundId,
    /// The payment's id at the provider.
    pub provider_payment_id: String,
    /// What is asked for; equal at every send.
    pub request: NewProviderRefund,
    /// Whether it was never sent before.
    pub(crate) is_first: bool,
    /// The refund's version while it is sent: a later send takes the row over.
    pub(crate) version: i64,
}

/// How a send ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefundAnswer {
    /// The provider has the refund.
    Has(ProviderRefund),
    /// It said no, and has no such refund.
    Refused(ProviderError),
    /// Nothing was sent: later.
    NotSent,
    /// Nobody knows: look, then send the same again.
    Unknown,
}
