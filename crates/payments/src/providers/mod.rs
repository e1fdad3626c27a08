//! The port to a payment provider: what is asked of it, and what it says.

pub(crate) mod razorpay;

use std::time::Duration;

use async_trait::async_trait;
use kernel::{DomainError, ErrorKind, Money};
use thiserror::Error;

use crate::{Charge, PaymentStatus, RefundSpeed, RefundState};

/// An order to be made. The receipt is what it is found by when the answer is lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewProviderOrder {
    /// How much is to be paid.
    pub amount: Money,
    /// Our name for it, unique, at most 40 characters.
    pub receipt: String,
}

/// A refund to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewProviderRefund {
    /// Minor units of the payment's currency.
    pub amount: i64,
    /// The key under which repetitions are the same refund: 10 characters and more of `[A-Za-z0-9_-]`.
    pub idem_key: String,
    /// Our name for it, at most 40 characters: what it is found by when the answer is lost.
    pub receipt: String,
    /// How fast.
    pub speed: RefundSpeed,
}

/// An order as the provider has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderOrder {
    /// Its id there: `order_…`.
    pub id: String,
    /// How much it is for.
    pub charge: Charge,
    /// Our name for it, if it is ours.
    pub receipt: Option<String>,
}

/// A payment as the provider has it, without anything about the payer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderPayment {
    /// Its id there: `pay_…`.
    pub id: String,
    /// The order it pays, if it pays one.
    pub order_id: Option<String>,
    /// How much the payer was charged.
    pub charge: Charge,
    /// How far it is.
    pub status: PaymentStatus,
    /// `card`, `upi`, `netbanking`, …
    pub method: Option<String>,
    /// How much of it refunds have taken, those under way included.
    pub amount_refunded: i64,
    /// The provider's fee in paise, tax included; known once it is captured.
    pub fee: Option<i64>,
    /// The tax within the fee, in paise.
    pub tax: Option<i64>,
}

/// A refund as the provider has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderRefund {
    /// Its id there: `rfnd_…`.
    pub id: String,
    /// The payment it gives back.
    pub payment_id: String,
    /// Minor units of the payment's currency.
    pub amount: i64,
    /// How far it is.
    pub state: RefundState,
    /// Our name for it, if we made it.
    pub receipt: Option<String>,
}

/// Why a call gave no answer that can be used. No variant carries what the provider wrote about a payer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ProviderError {
    /// It understood and said no; nothing was done.
    #[error("the payment provider refuses: {code}{}", reason.as_deref().map(|reason| format!(" ({reason})")).unwrap_or_default())]
    Refused {
        /// The HTTP status.
        status: u16,
        /// Its error code.
        code: String,
        /// Its reason, a word such as `input_validation_failed`.
        reason: Option<String>,
    },
    /// Our key or the address is wrong: a person must look at the configuration. Nothing was done.
    #[error("the payment provider does not take our key or request ({status})")]
    Misconfigured {
        /// The HTTP status.
        status: u16,
    },
    /// No readable answer came: it may have been done.
    #[error("the payment provider gave no readable answer: it may have been done")]
    Unknown,
    /// It was certainly not done, and it may be later: no connection, or too many requests.
    #[error("the payment provider cannot be reached at the moment")]
    Unavailable {
        /// How long the provider asks to wait.
        retry_after: Option<Duration>,
    },
    /// It was not tried, because the provider has been failing or too many calls are under way.
    #[error("the payment provider is not being called at the moment")]
    Busy,
}

impl ProviderError {
    /// Whether nothing was done and nothing was decided, so that the same call may be made later.
    pub fn is_certainly_not_done(&self) -> bool {
        matches!(self, Self::Misconfigured { .. } | Self::Unavailable { .. } | Self::Busy)
    }
}

impl DomainError for ProviderError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Refused { .. } => ErrorKind::Unprocessable,
            _ => ErrorKind::Unavailable,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Refused { .. } => "payment_provider_refused",
            _ => "payment_provider_unavailable",
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { .. } => None,
            Self::Unavailable { retry_after: Some(pause) } => Some(*pause),
            _ => Some(Duration::from_secs(5)),
        }
    }
}

/// A payment provider. Each method is one call, or the few repetitions of it that cannot act twice.
#[async_trait]
pub trait PaymentProvider: Send + Sync + 'static {
    /// Makes an order. Not repeatable: when the outcome is unknown, look the receipt up.
    async fn create_order(&self, new: &NewProviderOrder) -> Result<ProviderOrder, ProviderError>;
    /// The order that carries a receipt.
    async fn find_order_by_receipt(&self, receipt: &str) -> Result<Option<ProviderOrder>, ProviderError>;
    /// An order by its id there.
    async fn order(&self, id: &str) -> Result<ProviderOrder, ProviderError>;
    /// Every payment that was tried on an order.
    async fn payments_of_order(&self, id: &str) -> Result<Vec<ProviderPayment>, ProviderError>;
    /// A payment by its id there: the truth before anybody is credited.
    async fn payment(&self, id: &str) -> Result<ProviderPayment, ProviderError>;
    /// Takes an authorised payment, all of it. A second time is refused.
    async fn capture(&self, id: &str, amount: Money) -> Result<ProviderPayment, ProviderError>;
    /// Gives a payment back, in part or wholly. Repeatable under its key with the same body.
    async fn refund(&self, payment: &str, new: &NewProviderRefund) -> Result<ProviderRefund, ProviderError>;
    /// A refund by its id there.
    async fn refund_by_id(&self, id: &str) -> Result<ProviderRefund, ProviderError>;
    /// Every refund of a payment, whoever made it.
    async fn refunds_of_payment(&self, payment: &str) -> Result<Vec<ProviderRefund>, ProviderError>;
}
