//! What can go wrong in moderation.

use kernel::{DomainError, ErrorKind, FieldError, InvalidInput};
use store::StoreError;
use thiserror::Error;

/// A decision could not be recorded or read.
#[derive(Debug, Error)]
pub enum ModerationError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The decision is not well formed.
    #[error(transparent)]
    Invalid(#[from] InvalidInput),
    /// Somebody has decided on this submission already.
    #[error("somebody has already decided on this listing as it was submitted")]
    AlreadyDecided,
}

store::store_errors!(ModerationError);

impl DomainError for ModerationError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Store(error) => error.kind(),
            Self::Invalid(error) => error.kind(),
            Self::AlreadyDecided => ErrorKind::Conflict,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Store(error) => error.code(),
            Self::Invalid(error) => error.code(),
            Self::AlreadyDecided => "already_decided",
        }
    }

    fn fields(&self) -> &[FieldError] {
        match self {
            Self::Invalid(error) => error.fields(),
            _ => &[],
        }
    }

    fn retry_after(&self) -> Option<std::time::Duration> {
        match self {
            Self::Store(error) => error.retry_after(),
            _ => None,
        }
    }
}
