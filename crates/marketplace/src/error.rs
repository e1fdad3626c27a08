//! What can go wrong in a flow: whatever can go wrong in the domains that take part.

use std::time::Duration;

use kernel::{DomainError, ErrorKind, FieldError, InvalidInput};
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
    /// Settings.
    #[error(transparent)]
    Platform(#[from] platform::PlatformError),
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
            Self::Platform(error) => error.as_store(),
            Self::Store(error) => Some(error),
            Self::Invalid(_) | Self::KeyReused | Self::KeyInProgress | Self::Send(_) | Self::NotSent => None,
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
            Self::Platform(error) => Some(error),
            Self::Invalid(error) => Some(error),
            Self::Store(error) => Some(error),
            Self::Send(error) => Some(error),
            Self::KeyReused | Self::KeyInProgress | Self::NotSent => None,
        }
    }
}

impl DomainError for FlowError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::KeyReused => ErrorKind::Unprocessable,
            Self::KeyInProgress => ErrorKind::Conflict,
            _ => self.inner().map_or(ErrorKind::Unavailable, DomainError::kind),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::KeyReused => "idempotency_key_reused",
            Self::KeyInProgress => "idempotency_key_in_progress",
            _ => self.inner().map_or("message_not_sent", DomainError::code),
        }
    }

    fn fields(&self) -> &[FieldError] {
        self.inner().map_or(&[], DomainError::fields)
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::KeyReused => None,
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
        let errors: [FlowError; 6] = [
            identity::IdentityError::from(StoreError::LeaseLost).into(),
            catalog::CatalogError::from(StoreError::LeaseLost).into(),
            catalog::photo::PhotoError::from(StoreError::LeaseLost).into(),
            moderation::ModerationError::from(StoreError::LeaseLost).into(),
            platform::PlatformError::from(StoreError::LeaseLost).into(),
            StoreError::LeaseLost.into(),
        ];
        for error in errors {
            assert!(matches!(error.as_store(), Some(StoreError::LeaseLost)), "{error:?}");
        }
        assert!(FlowError::NotSent.as_store().is_none());
    }
}
