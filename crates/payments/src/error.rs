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

#[cfg(test)]
mod tests {
    use super::*;

    fn busy() -> StoreError {
        sea_orm::DbErr::ConnectionAcquire(sea_orm::ConnAcquireErr::Timeout).into()
    }

    fn refused() -> ProviderError {
        ProviderError::Refused { status: 400, code: "BAD_REQUEST_ERROR".to_owned(), reason: None }
    }

    #[test]
    fn each_error_has_its_kind_and_code() {
        use PaymentError::{
            BadSignature, Busy, Invalid, NotRefundable, OrderNotFound, PaymentNotFound, Provider,
            RefundNotFound, RefundTooLarge, Store,
        };
        for (error, kind, code) in [
            (Store(StoreError::UnknownEngine), ErrorKind::Internal, "internal"),
            (Store(busy()), ErrorKind::Unavailable, "database_unavailable"),
            (Invalid(InvalidInput::field("amount", "too_low", "no")), ErrorKind::Invalid, "invalid_input"),
            (Provider(refused()), ErrorKind::Unprocessable, "payment_provider_refused"),
            (Provider(ProviderError::Busy), ErrorKind::Unavailable, "payment_provider_unavailable"),
            (OrderNotFound, ErrorKind::NotFound, "payment_order_not_found"),
            (PaymentNotFound, ErrorKind::NotFound, "payment_not_found"),
            (RefundNotFound, ErrorKind::NotFound, "refund_not_found"),
            (NotRefundable, ErrorKind::Conflict, "payment_not_refundable"),
            (RefundTooLarge, ErrorKind::Conflict, "refund_exceeds_payment"),
            (BadSignature, ErrorKind::Invalid, "bad_signature"),
            (Busy, ErrorKind::Unavailable, "payments_busy"),
        ] {
            assert_eq!((error.kind(), error.code()), (kind, code), "{error:?}");
        }
    }

    #[test]
    fn bad_input_names_its_fields_and_nothing_else_has_any() {
        let fields = |error: &PaymentError| -> Vec<String> {
            error.fields().iter().map(|field| field.field.clone()).collect()
        };
        assert_eq!(fields(&InvalidInput::field("amount", "too_low", "must be more").into()), ["amount"]);
        assert_eq!(fields(&InvalidCursor.into()), ["cursor"]);
        assert!(fields(&PaymentError::Busy).is_empty());
    }

    #[test]
    fn what_may_succeed_in_a_moment_says_when() {
        let seconds = |error: PaymentError| error.retry_after().map(|wait| wait.as_secs());
        let asked = ProviderError::Unavailable { retry_after: Some(Duration::from_secs(7)) };
        assert_eq!(seconds(busy().into()), Some(1));
        assert_eq!(seconds(asked.into()), Some(7));
        assert_eq!(seconds(ProviderError::Unavailable { retry_after: None }.into()), Some(5));
        assert_eq!(seconds(ProviderError::Unknown.into()), Some(5));
        assert_eq!(seconds(PaymentError::Busy), Some(1));
        assert_eq!(seconds(refused().into()), None);
        assert_eq!(seconds(PaymentError::RefundTooLarge), None);
    }
}
