//! What can go wrong in a flow: whatever can go wrong in the domains that take part.

use std::time::Duration;

use kernel::{DomainError, ErrorKind, FieldError, InvalidInput};
use ledger::Refusal;
use store::{StoreError, TxnError};
use thiserror::Error;

/// A flow's failure: the failing domain's own, passed on unchanged.
#[derive(Debug, Error)]
pub enum FlowError {
    /// People.
    #[error(transparent)]
    Identity(#[from] identity::IdentityError),
    /// Goods.
    #[error(transparent)]
    Catalog(#[from] catalog::CatalogError),
    /// Pictures.
    #[error(transparent)]
    Photo(#[from] catalog::photo::PhotoError),
    /// Decisions.
    #[error(transparent)]
    Moderation(#[from] moderation::ModerationError),
    /// Notifications.
    #[error(transparent)]
    Notify(#[from] notify::NotifyError),
    /// Settings.
    #[error(transparent)]
    Platform(#[from] platform::PlatformError),
    /// Money that is kept account of.
    #[error(transparent)]
    Ledger(#[from] ledger::LedgerError),
    /// Money that moves.
    #[error(transparent)]
    Payments(#[from] payments::PaymentError),
    /// A wallet refused to be charged.
    #[error("{}", explained(*.0))]
    Refused(Refusal),
    /// The wallet does not reach for a price.
    #[error("the price is {price}, and the wallet lacks {missing}: top it up first")]
    InsufficientFunds {
        /// What is to be paid.
        price: kernel::Money,
        /// What the wallet would need besides.
        missing: kernel::Money,
    },
    /// Top-ups are switched off.
    #[error("wallets cannot be topped up at the moment")]
    TopUpsPaused,
    /// The payment of a checkout is not the marketplace's yet.
    #[error("the payment was not captured: ask again when the bank has confirmed it")]
    PaymentNotCaptured,
    /// The payment of a checkout could not be credited.
    #[error("the payment could not be credited and goes back to where it came from")]
    PaymentReturned,
    /// There is no such dead letter, or somebody has replayed it already.
    #[error("there is no such dead letter")]
    DeadLetterNotFound,
    /// The input.
    #[error(transparent)]
    Invalid(#[from] InvalidInput),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An idempotency key was used for another request before.
    #[error("this Idempotency-Key was used for another request: take a new key")]
    KeyReused,
    /// The first request under an idempotency key is still being answered.
    #[error("the first request with this Idempotency-Key is still under way: wait, then ask again")]
    KeyInProgress,
    /// A message did not leave.
    #[error(transparent)]
    Send(#[from] notify::SendError),
    /// A message could not be sent in time.
    #[error("the message could not be sent; try again shortly")]
    NotSent,
}

fn explained(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::InsufficientFunds => "the wallet does not hold enough",
        Refusal::Frozen => "the wallet is frozen: nothing can be taken out of it",
    }
}

impl From<sea_orm::DbErr> for FlowError {
    fn from(error: sea_orm::DbErr) -> Self {
        Self::Store(error.into())
    }
}

/// A deadlock is tried again in whichever domain it struck.
impl TxnError for FlowError {
    fn as_store(&self) -> Option<&StoreError> {
        match self {
            Self::Identity(error) => error.as_store(),
            Self::Catalog(error) => error.as_store(),
            Self::Photo(error) => error.as_store(),
            Self::Moderation(error) => error.as_store(),
            Self::Notify(error) => error.as_store(),
            Self::Platform(error) => error.as_store(),
            Self::Ledger(error) => error.as_store(),
            Self::Payments(error) => error.as_store(),
            Self::Store(error) => Some(error),
            Self::Invalid(_)
            | Self::Refused(_)
            | Self::InsufficientFunds { .. }
            | Self::TopUpsPaused
            | Self::PaymentNotCaptured
            | Self::PaymentReturned
            | Self::DeadLetterNotFound
            | Self::KeyReused
            | Self::KeyInProgress
            | Self::Send(_)
            | Self::NotSent => None,
        }
    }
}

impl FlowError {
    fn inner(&self) -> Option<&dyn DomainError> {
        match self {
            Self::Identity(error) => Some(error),
            Self::Catalog(error) => Some(error),
            Self::Photo(error) => Some(error),
            Self::Moderation(error) => Some(error),
            Self::Notify(error) => Some(error),
            Self::Platform(error) => Some(error),
            Self::Ledger(error) => Some(error),
            Self::Payments(error) => Some(error),
            Self::Invalid(error) => Some(error),
            Self::Store(error) => Some(error),
            Self::Send(error) => Some(error),
            Self::Refused(_)
            | Self::InsufficientFunds { .. }
            | Self::TopUpsPaused
            | Self::PaymentNotCaptured
            | Self::PaymentReturned
            | Self::DeadLetterNotFound
            | Self::KeyReused
            | Self::KeyInProgress
            | Self::NotSent => None,
        }
    }
}

impl DomainError for FlowError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::KeyReused => ErrorKind::Unprocessable,
            Self::DeadLetterNotFound => ErrorKind::NotFound,
            Self::KeyInProgress
            | Self::Refused(_)
            | Self::InsufficientFunds { .. }
            | Self::PaymentNotCaptured
            | Self::PaymentReturned => ErrorKind::Conflict,
            _ => self.inner().map_or(ErrorKind::Unavailable, DomainError::kind),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::KeyReused => "idempotency_key_reused",
            Self::KeyInProgress => "idempotency_key_in_progress",
            Self::Refused(refusal) => refusal.as_str(),
            Self::InsufficientFunds { .. } => Refusal::InsufficientFunds.as_str(),
            Self::TopUpsPaused => "top_ups_paused",
            Self::DeadLetterNotFound => "not_found",
            Self::PaymentNotCaptured => "payment_not_captured",
            Self::PaymentReturned => "payment_returned",
            _ => self.inner().map_or("message_not_sent", DomainError::code),
        }
    }

    fn fields(&self) -> &[FieldError] {
        self.inner().map_or(&[], DomainError::fields)
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::KeyReused
            | Self::Refused(_)
            | Self::InsufficientFunds { .. }
            | Self::PaymentNotCaptured
            | Self::PaymentReturned
            | Self::DeadLetterNotFound => None,
            Self::TopUpsPaused => Some(Duration::from_secs(300)),
            Self::KeyInProgress => Some(Duration::from_secs(1)),
            _ => self.inner().map_or(Some(Duration::from_secs(5)), DomainError::retry_after),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_error_is_found_in_whichever_domain_it_struck() {
        let errors: [FlowError; 9] = [
            identity::IdentityError::from(StoreError::LeaseLost).into(),
            catalog::CatalogError::from(StoreError::LeaseLost).into(),
            catalog::photo::PhotoError::from(StoreError::LeaseLost).into(),
            moderation::ModerationError::from(StoreError::LeaseLost).into(),
            notify::NotifyError::from(StoreError::LeaseLost).into(),
            platform::PlatformError::from(StoreError::LeaseLost).into(),
            ledger::LedgerError::from(StoreError::LeaseLost).into(),
            payments::PaymentError::from(StoreError::LeaseLost).into(),
            StoreError::LeaseLost.into(),
        ];
        for error in errors {
            assert!(matches!(error.as_store(), Some(StoreError::LeaseLost)), "{error:?}");
        }
        assert!(FlowError::NotSent.as_store().is_none());
    }
}
