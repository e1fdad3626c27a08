//! What can go wrong with a photo.

use std::time::Duration;

use kernel::{DomainError, ErrorKind, FieldError, InvalidInput};
use store::StoreError;
use thiserror::Error;

/// A failure of a photo's use case.
#[derive(Debug, Error)]
pub enum PhotoError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The input is wrong.
    #[error(transparent)]
    Invalid(#[from] InvalidInput),
    /// The upload has no bytes.
    #[error("the file is empty")]
    Empty,
    /// The upload is not of a kind that is taken; the name of its kind.
    #[error("only still pictures in JPEG, PNG or WebP are taken; this file is {0}")]
    Unsupported(&'static str),
    /// The upload has too many bytes.
    #[error("the file is too large: at most {max} bytes are taken")]
    TooManyBytes {
        /// The most that is taken.
        max: usize,
    },
    /// The picture has too many pixels, or would need too much memory in the form it has.
    #[error(
        "the picture is too large to be decoded: it is {width} × {height} pixels; \
         a JPEG of 12 megapixels or less is always taken"
    )]
    TooLarge {
        /// In pixels, as its header says.
        width: u32,
        /// In pixels, as its header says.
        height: u32,
    },
    /// The picture is broken or ends early.
    #[error("the picture cannot be read: it is damaged or incomplete")]
    Corrupt,
    /// The person has too many photos that stand on no listing.
    #[error("you have {quota} photos that no listing shows: use some of them first, or wait a day")]
    Quota {
        /// How many are allowed.
        quota: u32,
    },
    /// There is no such file.
    #[error("there is no such photo")]
    NotFound,
    /// Too many pictures are being worked on.
    #[error("too many pictures are being uploaded right now: try again in a moment")]
    Busy,
    /// The store of files failed.
    #[error("photos cannot be stored or read right now")]
    Files(#[from] object_store::Error),
    /// A picture could not be encoded, or a worker died: a fault of ours.
    #[error("a photo could not be processed: {0}")]
    Internal(String),
}

impl DomainError for PhotoError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Store(error) => error.kind(),
            Self::Invalid(error) => error.kind(),
            Self::Empty => ErrorKind::Invalid,
            Self::Unsupported(_) => ErrorKind::UnsupportedMedia,
            Self::TooManyBytes { .. } | Self::TooLarge { .. } => ErrorKind::TooLarge,
            Self::Corrupt => ErrorKind::Unprocessable,
            Self::Quota { .. } => ErrorKind::Conflict,
            Self::NotFound => ErrorKind::NotFound,
            Self::Busy | Self::Files(_) => ErrorKind::Unavailable,
            Self::Internal(_) => ErrorKind::Internal,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Store(error) => error.code(),
            Self::Invalid(error) => error.code(),
            Self::Empty => "empty_upload",
            Self::Unsupported(_) => "unsupported_image",
            Self::TooManyBytes { .. } => "upload_too_large",
            Self::TooLarge { .. } => "image_too_large",
            Self::Corrupt => "image_corrupt",
            Self::Quota { .. } => "photo_quota",
            Self::NotFound => "photo_not_found",
            Self::Busy => "uploads_busy",
            Self::Files(_) => "photo_files_unavailable",
            Self::Internal(_) => "internal",
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
            Self::Busy | Self::Files(_) => Some(Duration::from_secs(5)),
            _ => None,
        }
    }
}

store::store_errors!(PhotoError);
