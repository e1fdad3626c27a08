//! What can go wrong with orders, payments and refunds.

use std::time::Duration;

use kernel::{DomainError, ErrorKind, FieldError, InvalidCursor, InvalidInput};
use store::StoreError;
use thiserror::Error;

use crate::ProviderError;

/// An order, payment, refund or webhook could not be dealt with.
#[derive(Debug, Error)]
pub enum PaymentError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The input is not well formed.
    #[error(transparent)]
    Invalid(#[from] InvalidInput),
    /// The provider refused, failed, or was not reached.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// There is no such order, or not for the one who asks.
    #[error("there is no such order")]
    OrderNotFound,
    /// There is no such payment, or not for the one who asks.
    #[error("there is no such payment")]
    PaymentNotFound,
    /// There is no such refund, or not for the one who asks.
    #[error("there is no such refund")]
    RefundNotFound,
    /// Only a payment that was credited can be refunded, and only one that was not matched is returned.
    #[error("this payment cannot be refunded: it was not credited to anybody")]
    NotRefundable,
    /// What is being refunded already leaves less than was asked for.
    #[error("the refund is larger than what is left of the payment")]
    RefundTooLarge,
    /// The webhook's signature is missing or wrong.
    #[error("the signature is missing or does not fit the body")]
    BadSignature,
    /// More webhooks are waiting to be written than are held; the provider sends this one again.
    #[error("too many webhooks are waiting: send it again shortly")]
    Busy,
}

store::store_errors!(PaymentError);

impl From<InvalidCursor> for PaymentError {
    fn from(error: InvalidCursor) -> Self {
        Self::Invalid(InvalidInput::field("cursor", "invalid_cursor", error.to_string()))
    }
}

impl DomainError for PaymentError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Store(error) => error.kind(),
            Self::Invalid(error) => error.kind(),
            Self::Provider(error) => error.kind(),
            Self::OrderNotFound | Self::PaymentNotFound | Self::RefundNotFound => ErrorKind::NotFound,
            Self::NotRefundable | Self::RefundTooLarge => ErrorKind::Conflict,
            Self::BadSignature => ErrorKind::Invalid,
            Self::Busy => ErrorKind::Unavailable,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Store(error) => error.code(),
            Self::Invalid(error) => error.code(),
            Self::Provider(error) => error.code(),
            Self::OrderNotFound => "payment_order_not_found",
            Self::PaymentNotFound => "payment_not_found",
            Self::RefundNotFound => "refund_not_found",
            Self::NotRefundable => "payment_not_refundable",
            Self::RefundTooLarge => "refund_exceeds_payment",
            Self::BadSignature => "bad_signature",
            Self::Busy => "payments_busy",
        }
    }

    fn fields(&self) -> &[FieldError] {
        match self {
            Self::Invalid(error) => error.fields(),
            _ => &[],
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Store(error) => error.retry_after(),
            Self::Provider(error) => error.retry_after(),
            Self::Busy => Some(Duration::from_secs(1)),
            _ => None,
        }
    }
}
