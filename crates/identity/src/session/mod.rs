//! Logins: one session per device, proved by short access tokens and kept alive by a family of refresh tokens.
//!
//! Invariants:
//! - Nothing secret is stored: a refresh token is its session's id and generation under a keyed digest.
//! - The newest refresh token rotates; the one just before it gives the same successor for ten seconds; any older
//!   one ends the session.
//! - Every request reads the session's row, so that a block, a revocation or a role change bites at once.

mod access;
mod authenticate;
mod device;
mod ends;
mod login;
mod manage;
mod refresh;
mod refresh_token;
mod rows;
mod rules;

use chrono::{DateTime, Utc};
use kernel::{FieldErrors, InvalidInput, Origin, SessionId};
use serde::Serialize;
use utoipa::ToSchema;

pub(crate) use access::AccessTokens;
pub(crate) use rows::{forget_old_in_txn, step_up_in_txn};

use crate::{Contact, DisplayName, OtpCode, SecretText, UserView};

/// Why a session ended, as rows and events name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EndReason {
    /// Its owner logged out.
    Logout,
    /// Its owner ended it from another session.
    RevokedByOwner,
    /// An old refresh token was presented: somebody has a copy.
    RefreshReuse,
    /// The account's phone or e-mail changed.
    ContactChanged,
    /// The account was blocked.
    Blocked,
    /// The account's role changed.
    RoleChanged,
    /// The account's authenticator was reset.
    TotpReset,
}

impl EndReason {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Logout => "logout",
            Self::RevokedByOwner => "revoked_by_owner",
            Self::RefreshReuse => "refresh_reuse",
            Self::ContactChanged => "contact_changed",
            Self::Blocked => "blocked",
            Self::RoleChanged => "role_changed",
            Self::TotpReset => "totp_reset",
        }
    }
}

/// What somebody enters to log in, and from where.
#[derive(Debug, Clone)]
pub struct VerifyOtp {
    /// Where the code was sent.
    pub contact: Contact,
    /// The code.
    pub otp: OtpCode,
    /// What a new account is called; an account that exists keeps its name.
    pub name: Option<DisplayName>,
    /// The device.
    pub origin: Origin,
}

impl VerifyOtp {
    /// Reads the fields of a request.
    ///
    /// # Errors
    /// Naming every field that is wrong.
    pub fn parse(
        contact: (Option<&str>, Option<&str>),
        otp: &str,
        name: Option<&str>,
        origin: Origin,
    ) -> Result<Self, InvalidInput> {
        let mut errors = FieldErrors::default();
        let contact = Contact::parse(contact.0, contact.1);
        let otp = errors.check("otp", OtpCode::parse(otp));
        let name = errors.check("name", name.map(DisplayName::parse).transpose());
        match (contact, otp, name) {
            (Ok(contact), Some(otp), Some(name)) => Ok(Self { contact, otp, name, origin }),
            (contact, ..) => {
                let mut wrong = contact.err().map(|InvalidInput(wrong)| wrong).unwrap_or_default();
                wrong.extend(errors.into_error().0);
                Err(InvalidInput(wrong))
            }
        }
    }
}

/// Somebody is logged in.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LoggedIn {
    /// For the `Authorization: Bearer` header.
    #[schema(value_type = String, example = "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFZERTQSJ9.eyJzdWIiOiIwMThmM2UyYSJ9.c2ln")]
    pub access_token: SecretText,
    /// For `POST /api/auth/refresh`; keep it secret.
    #[schema(value_type = String, example = "AZMA8HxBfQubfl0vHAqeEQAAAAAAAAABq0vYk9yQ3v2oQ0o9k1Yw7d1cX2b3c4d5e6f7")]
    pub refresh_token: SecretText,
    /// Seconds for which the access token is valid.
    #[schema(example = 600)]
    pub expires_in: i64,
    /// Who is logged in.
    pub user: UserView,
    /// Through which session; clients know it by their tokens.
    #[serde(skip)]
    pub session: SessionId,
}

/// Fresh tokens of a session.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RefreshedTokens {
    /// For the `Authorization: Bearer` header.
    #[schema(value_type = String, example = "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFZERTQSJ9.eyJzdWIiOiIwMThmM2UyYSJ9.c2ln")]
    pub access_token: SecretText,
    /// Replaces the one that was presented.
    #[schema(value_type = String, example = "AZMA8HxBfQubfl0vHAqeEQAAAAAAAAABq0vYk9yQ3v2oQ0o9k1Yw7d1cX2b3c4d5e6f7")]
    pub refresh_token: SecretText,
    /// Seconds for which the access token is valid.
    #[schema(example = 600)]
    pub expires_in: i64,
}

/// One login of the person who asks.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionView {
    /// Its id.
    pub id: SessionId,
    /// Whether the request came through it.
    pub current: bool,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When it was last refreshed.
    pub last_used_at: DateTime<Utc>,
    /// When it ends, however often it is refreshed.
    pub expires_at: DateTime<Utc>,
    /// The device's `User-Agent`.
    #[schema(example = "Mozilla/5.0 (Linux; Android 15)")]
    pub user_agent: Option<String>,
    /// The address it began from.
    #[schema(example = "203.0.113.9")]
    pub client_address: Option<String>,
}
