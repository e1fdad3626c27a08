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
            Self::Invalid(_) | Self::Send(_) | Self::NotSent => None,
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
            Self::NotSent => None,
        }
    }
}

impl DomainError for FlowError {
    fn kind(&self) -> ErrorKind {
        self.inner().map_or(ErrorKind::Unavailable, DomainError::kind)
    }

    fn code(&self) -> &'static str {
        self.inner().map_or("message_not_sent", DomainError::code)
    }

    fn fields(&self) -> &[FieldError] {
        self.inner().map_or(&[], DomainError::fields)
    }

    fn retry_after(&self) -> Option<Duration> {
        self.inner().map_or(Some(Duration::from_secs(5)), DomainError::retry_after)
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
