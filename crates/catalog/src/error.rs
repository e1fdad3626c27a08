//! What can go wrong with goods, each with a stable code.

use std::time::Duration;

use kernel::{DomainError, ErrorKind, FieldError, InvalidCursor, InvalidInput};
use sea_orm::SqlErr;
use store::StoreError;
use thiserror::Error;

use crate::listing::rules::Refusal;
use crate::photo::PhotoError;

/// A refusal or failure of the catalogue.
#[derive(Debug, Error)]
pub enum CatalogError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The input is wrong; each field is named.
    #[error(transparent)]
    Invalid(#[from] InvalidInput),
    /// The photos of a listing were refused.
    #[error(transparent)]
    Photo(PhotoError),
    /// No such category.
    #[error("there is no such category")]
    CategoryNotFound,
    /// No such listing, or not for the one who asks.
    #[error("there is no such listing")]
    ListingNotFound,
    /// The actor's role does not allow it.
    #[error("you may not do this")]
    Forbidden,
    /// A listing that is not ACTIVE was asked for by somebody who is not logged in.
    #[error("only the seller and staff see listings that are not ACTIVE: log in")]
    StatusNotPublic,
    /// The copy that the change was made from is out of date.
    #[error("it has changed since you read it: read it again, then repeat your change")]
    VersionMismatch,
    /// The listing's state does not allow it.
    #[error("{}", .0.message)]
    Refused(Refusal),
    /// A reviewer tried to decide on a listing of their own.
    #[error("a listing is reviewed by somebody other than its seller")]
    OwnReview,
    /// The category has subcategories or listings.
    #[error("the category has subcategories or listings: deactivate it instead")]
    CategoryInUse,
    /// Another category has the slug.
    #[error("another category has this slug")]
    SlugTaken,
    /// No such boost plan, or not for the one who asks.
    #[error("there is no such boost plan")]
    BoostPlanNotFound,
    /// Another boost plan has the slug.
    #[error("another boost plan has this slug")]
    PlanSlugTaken,
    /// A seller asked for their own number.
    #[error("this is your own listing")]
    OwnContact,
    /// The buyer has asked for as many numbers today as one may.
    #[error("you have contacted as many sellers today as is allowed")]
    ContactCapReached {
        /// Until the next day begins.
        retry_after: Duration,
    },
}

store::store_errors!(CatalogError);

impl From<Refusal> for CatalogError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<PhotoError> for CatalogError {
    fn from(error: PhotoError) -> Self {
        match error {
            // As the store's own error, so that `in_txn` tries a deadlock again.
            PhotoError::Store(error) => Self::Store(error),
            PhotoError::Invalid(error) => Self::Invalid(error),
            other => Self::Photo(other),
        }
    }
}

impl From<InvalidCursor> for CatalogError {
    fn from(invalid: InvalidCursor) -> Self {
        InvalidInput::field("cursor", "invalid_cursor", invalid.to_string()).into()
    }
}

impl DomainError for CatalogError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Store(error) => error.kind(),
            Self::Invalid(error) => error.kind(),
            Self::Photo(error) => error.kind(),
            Self::CategoryNotFound | Self::ListingNotFound | Self::BoostPlanNotFound => ErrorKind::NotFound,
            Self::Forbidden | Self::OwnReview | Self::StatusNotPublic => ErrorKind::Forbidden,
            Self::VersionMismatch => ErrorKind::PreconditionFailed,
            Self::Refused(_)
            | Self::CategoryInUse
            | Self::SlugTaken
            | Self::PlanSlugTaken
            | Self::OwnContact => ErrorKind::Conflict,
            Self::ContactCapReached { .. } => ErrorKind::RateLimited,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Store(error) => error.code(),
            Self::Invalid(error) => error.code(),
            Self::Photo(error) => error.code(),
            Self::CategoryNotFound => "category_not_found",
            Self::ListingNotFound => "listing_not_found",
            Self::Forbidden => "forbidden",
            Self::StatusNotPublic => "status_not_public",
            Self::VersionMismatch => "version_mismatch",
            Self::Refused(refusal) => refusal.code,
            Self::OwnReview => "own_listing_review",
            Self::CategoryInUse => "category_in_use",
            Self::SlugTaken | Self::PlanSlugTaken => "slug_taken",
            Self::BoostPlanNotFound => "boost_plan_not_found",
            Self::OwnContact => "own_listing",
            Self::ContactCapReached { .. } => "contact_cap_reached",
        }
    }

    fn fields(&self) -> &[FieldError] {
        match self {
            Self::Invalid(error) => error.fields(),
            Self::Photo(error) => error.fields(),
            _ => &[],
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Store(error) => error.retry_after(),
            Self::Photo(error) => error.retry_after(),
            Self::ContactCapReached { retry_after } => Some(*retry_after),
            _ => None,
        }
    }
}

/// Whether a foreign key refused the change: what it points to is gone, or is still pointed to.
pub(crate) fn is_foreign_key_violation(error: &StoreError) -> bool {
    match error {
        StoreError::Database(cause) => {
            matches!(cause.sql_err(), Some(SqlErr::ForeignKeyConstraintViolation(_)))
        }
        _ => false,
    }
}
