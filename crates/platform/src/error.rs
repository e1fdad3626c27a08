//! What can go wrong in running the place.

use kernel::{DomainError, ErrorKind, FieldError, InvalidInput};
use store::StoreError;
use thiserror::Error;

/// A setting could not be read or changed.
#[derive(Debug, Error)]
pub enum PlatformError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The value is not one that the setting takes; the field is named by the setting's key.
    #[error(transparent)]
    Invalid(#[from] InvalidInput),
    /// There is no setting of that key.
    #[error("there is no such setting")]
    Unknown,
    /// Somebody changed the setting since it was read.
    #[error("the setting was changed meanwhile and is now at version {current}")]
    OutOfDate {
        /// The version it has.
        current: i64,
    },
}

store::store_errors!(PlatformError);

impl DomainError for PlatformError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Store(error) => error.kind(),
            Self::Invalid(error) => error.kind(),
            Self::Unknown => ErrorKind::NotFound,
            Self::OutOfDate { .. } => ErrorKind::PreconditionFailed,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Store(error) => error.code(),
            Self::Invalid(error) => error.code(),
            Self::Unknown => "setting_not_found",
            Self::OutOfDate { .. } => "setting_out_of_date",
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
