//! What can go wrong when people are told things, each with a stable code.

use std::time::Duration;

use kernel::{
    Caller, DomainError, ErrorKind, FieldError, InvalidCursor, InvalidInput, Permission, SealingError,
};
use store::StoreError;
use thiserror::Error;

/// A refusal or failure of this crate.
#[derive(Debug, Error)]
pub enum NotifyError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The input is wrong; each field is named.
    #[error(transparent)]
    Invalid(#[from] InvalidInput),
    /// The caller's role does not allow it.
    #[error("your role does not allow this")]
    Forbidden,
    /// No such notification, or somebody else's.
    #[error("there is no such notification")]
    NotificationNotFound,
    /// No such device, or somebody else's.
    #[error("there is no such device")]
    DeviceNotFound,
    /// No such delivery.
    #[error("there is no such delivery")]
    DeliveryNotFound,
    /// No such template.
    #[error("there is no such template")]
    TemplateNotFound,
    /// No such webhook endpoint.
    #[error("there is no such webhook endpoint")]
    HookNotFound,
    /// No such delivery of a webhook.
    #[error("there is no such webhook delivery")]
    HookDeliveryNotFound,
    /// No such announcement, or not for the one who asks.
    #[error("there is no such announcement")]
    AnnouncementNotFound,
    /// The copy that the change was made from is out of date.
    #[error("it has changed since you read it: read it again, then repeat your change")]
    VersionMismatch,
    /// Its state does not allow what was asked.
    #[error("{message}")]
    Conflict {
        /// A stable code.
        code: &'static str,
        /// Why not, for people.
        message: &'static str,
    },
    /// Another process took the work over after this one's lease had run out.
    #[error("the lease was lost: another process has taken over")]
    LeaseLost,
    /// The link to unsubscribe was not made here.
    #[error("the link to unsubscribe is not one of ours")]
    BadUnsubscribeToken,
    /// A template that was checked when it was written cannot be filled in.
    #[error("a template could not be filled in: {0}")]
    Render(String),
    /// A secret cannot be sealed or opened.
    #[error("a secret cannot be sealed or opened: {0}")]
    Sealing(#[from] SealingError),
}

store::store_errors!(NotifyError);

impl NotifyError {
    pub(crate) fn conflict(code: &'static str, message: &'static str) -> Self {
        Self::Conflict { code, message }
    }
}

/// Refuses whoever may not.
pub(crate) fn require(caller: &Caller, permission: Permission) -> Result<(), NotifyError> {
    if caller.actor.may(permission) { Ok(()) } else { Err(NotifyError::Forbidden) }
}

impl From<InvalidCursor> for NotifyError {
    fn from(invalid: InvalidCursor) -> Self {
        InvalidInput::field("cursor", "invalid_cursor", invalid.to_string()).into()
    }
}

impl DomainError for NotifyError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Store(error) => error.kind(),
            Self::Invalid(error) => error.kind(),
            Self::NotificationNotFound
            | Self::DeviceNotFound
            | Self::DeliveryNotFound
            | Self::TemplateNotFound
            | Self::HookNotFound
            | Self::HookDeliveryNotFound
            | Self::AnnouncementNotFound
            | Self::BadUnsubscribeToken => ErrorKind::NotFound,
            Self::Forbidden => ErrorKind::Forbidden,
            Self::VersionMismatch => ErrorKind::PreconditionFailed,
            Self::Conflict { .. } | Self::LeaseLost => ErrorKind::Conflict,
            Self::Render(_) | Self::Sealing(_) => ErrorKind::Internal,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Store(error) => error.code(),
            Self::Invalid(error) => error.code(),
            Self::Forbidden => "forbidden",
            Self::NotificationNotFound => "notification_not_found",
            Self::DeviceNotFound => "device_not_found",
            Self::DeliveryNotFound => "delivery_not_found",
            Self::TemplateNotFound => "template_not_found",
            Self::HookNotFound => "webhook_endpoint_not_found",
            Self::HookDeliveryNotFound => "webhook_delivery_not_found",
            Self::AnnouncementNotFound => "announcement_not_found",
            Self::VersionMismatch => "version_mismatch",
            Self::Conflict { code, .. } => code,
            Self::LeaseLost => "lease_lost",
            Self::BadUnsubscribeToken => "unsubscribe_token_not_found",
            Self::Render(_) | Self::Sealing(_) => "internal",
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
            _ => None,
        }
    }
}
