//! What can go wrong with people, logins and codes, and what a client is told of it.

use std::time::Duration;

use chrono::{DateTime, Utc};
use kernel::{DomainError, ErrorKind, FieldError, InvalidInput, SealingError};
use store::{StoreError, store_errors};
use thiserror::Error;

/// A refusal or a failure of this crate.
#[derive(Debug, Error)]
pub enum IdentityError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The input is wrong.
    #[error(transparent)]
    Invalid(#[from] InvalidInput),
    /// A code was sent to this contact moments ago.
    #[error("a code was sent moments ago: wait before asking for another")]
    OtpTooSoon {
        /// How long to wait.
        retry_after: Duration,
    },
    /// Too many codes were asked for: by this contact, by this client, or by all together.
    #[error("too many codes were asked for: try again later")]
    OtpLimit {
        /// How long to wait.
        retry_after: Duration,
    },
    /// Too many wrong codes were entered for this contact today.
    #[error("too many wrong codes were entered: try again later")]
    OtpLocked {
        /// How long to wait.
        retry_after: Duration,
    },
    /// The login code is wrong, used, too old, guessed at too often, or was never sent: always the same answer.
    #[error("the code is not valid: check it, or ask for a new one")]
    WrongOtp,
    /// A code entered by somebody who is logged in is wrong, used or too old.
    #[error("the code is not valid: check it, or ask for a new one")]
    WrongCode,
    /// Too many wrong authenticator codes were entered.
    #[error("too many wrong codes were entered: try again later")]
    TooManyCodes {
        /// How long to wait.
        retry_after: Duration,
    },
    /// The account is suspended.
    #[error("the account is suspended until {until}")]
    AccountSuspended {
        /// Until when.
        until: DateTime<Utc>,
    },
    /// The account is banned.
    #[error("the account is banned")]
    AccountBanned,
    /// The account was deleted.
    #[error("the account was deleted")]
    AccountDeleted,
    /// The access token is not one of ours, or not for this.
    #[error("the access token is not valid: log in again")]
    InvalidToken,
    /// The access token's time is over.
    #[error("the access token has expired: refresh it")]
    TokenExpired,
    /// The login was ended: logged out, revoked or expired.
    #[error("the session has ended: log in again")]
    SessionEnded,
    /// The refresh token is not one of ours, was used before, or its session has ended: always the same answer.
    #[error("the refresh token is not valid: log in again")]
    InvalidRefreshToken,
    /// There is no such person.
    #[error("there is no such user")]
    UserNotFound,
    /// There is no such session, or it is somebody else's.
    #[error("there is no such session")]
    SessionNotFound,
    /// Another account has this phone number or e-mail address.
    #[error("another account uses this contact")]
    ContactTaken,
    /// The seller may not offer anything at present.
    #[error("the seller is blocked: nothing of theirs can go on sale")]
    SellerBlocked,
    /// The person has no phone number.
    #[error("the user has no phone number")]
    NoPhone,
    /// The caller's copy of the profile is out of date.
    #[error("the profile was changed meanwhile: read it again")]
    VersionMismatch,
    /// The caller's role does not allow it.
    #[error("your role does not allow this")]
    NotAllowed,
    /// Nobody may do this to their own account.
    #[error("this cannot be done to one's own account")]
    OwnAccount,
    /// The other person's role is as high as the caller's, or higher.
    #[error("your role does not reach this user's")]
    Outranked,
    /// Without this person nobody could appoint staff any more.
    #[error("the last active super admin must stay")]
    LastSuperAdmin,
    /// Only staff have authenticators.
    #[error("only staff enrol an authenticator")]
    StaffOnly,
    /// An authenticator must be enrolled and confirmed first.
    #[error("enrol and confirm an authenticator first")]
    TotpEnrolmentRequired,
    /// An authenticator is already confirmed; a super admin can reset it.
    #[error("an authenticator is already confirmed: a super admin can reset it")]
    TotpAlreadyConfirmed,
    /// There is no enrolment to confirm.
    #[error("there is no enrolment to confirm: enrol first")]
    TotpNotEnrolled,
    /// A key, a seal or a signature failed us. The text says what, without the secret.
    #[error("cryptography failed: {0}")]
    Crypto(String),
}

store_errors!(IdentityError);

impl From<SealingError> for IdentityError {
    fn from(error: SealingError) -> Self {
        Self::Crypto(error.to_string())
    }
}

impl DomainError for IdentityError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Store(error) => error.kind(),
            Self::Invalid(error) => error.kind(),
            Self::OtpTooSoon { .. }
            | Self::OtpLimit { .. }
            | Self::OtpLocked { .. }
            | Self::TooManyCodes { .. } => ErrorKind::RateLimited,
            Self::WrongOtp
            | Self::InvalidToken
            | Self::TokenExpired
            | Self::SessionEnded
            | Self::InvalidRefreshToken => ErrorKind::Unauthenticated,
            // Not 401: a client that is logged in would take that for the end of its session.
            Self::WrongCode => ErrorKind::Unprocessable,
            Self::AccountSuspended { .. }
            | Self::AccountBanned
            | Self::AccountDeleted
            | Self::NotAllowed
            | Self::OwnAccount
            | Self::Outranked
            | Self::StaffOnly
            | Self::TotpEnrolmentRequired => ErrorKind::Forbidden,
            Self::UserNotFound | Self::SessionNotFound => ErrorKind::NotFound,
            Self::ContactTaken
            | Self::NoPhone
            | Self::SellerBlocked
            | Self::LastSuperAdmin
            | Self::TotpAlreadyConfirmed
            | Self::TotpNotEnrolled => ErrorKind::Conflict,
            Self::VersionMismatch => ErrorKind::PreconditionFailed,
            Self::Crypto(_) => ErrorKind::Internal,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Store(error) => error.code(),
            Self::Invalid(error) => error.code(),
            Self::OtpTooSoon { .. } => "otp_too_soon",
            Self::OtpLimit { .. } => "otp_limit",
            Self::OtpLocked { .. } => "otp_locked",
            Self::TooManyCodes { .. } => "too_many_codes",
            Self::WrongOtp => "invalid_otp",
            Self::WrongCode => "invalid_code",
            Self::AccountSuspended { .. } => "account_suspended",
            Self::AccountBanned => "account_banned",
            Self::AccountDeleted => "account_deleted",
            Self::InvalidToken => "invalid_token",
            Self::TokenExpired => "token_expired",
            Self::SessionEnded => "session_ended",
            Self::InvalidRefreshToken => "invalid_refresh_token",
            Self::UserNotFound => "user_not_found",
            Self::SessionNotFound => "session_not_found",
            Self::ContactTaken => "contact_taken",
            Self::NoPhone => "no_phone",
            Self::SellerBlocked => "seller_blocked",
            Self::VersionMismatch => "version_mismatch",
            Self::NotAllowed => "not_allowed",
            Self::OwnAccount => "own_account",
            Self::Outranked => "outranked",
            Self::LastSuperAdmin => "last_super_admin",
            Self::StaffOnly => "staff_only",
            Self::TotpEnrolmentRequired => "totp_enrolment_required",
            Self::TotpAlreadyConfirmed => "totp_already_confirmed",
            Self::TotpNotEnrolled => "totp_not_enrolled",
            Self::Crypto(_) => "internal",
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
            Self::OtpTooSoon { retry_after }
            | Self::OtpLimit { retry_after }
            | Self::OtpLocked { retry_after }
            | Self::TooManyCodes { retry_after } => Some(*retry_after),
            _ => None,
        }
    }
}
