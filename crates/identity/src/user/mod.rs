//! People: their profile, their standing and their role.
//!
//! Invariants:
//! - A phone number or an e-mail address belongs to one account at most.
//! - Whatever blocks somebody or changes their role ends their sessions in the same transaction.
//! - Nobody acts upon equals or higher ranks, nor upon themselves, and one active super admin always remains.

mod contact_change;
mod facts;
mod list;
mod profile;
mod reach;
mod role;
pub(crate) mod rows;
mod rules;
mod seller;
mod status;
mod super_admin;

use chrono::{DateTime, Utc};
use kernel::{PhotoId, Role, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use contact_change::ContactChanged;
pub use facts::{Avatar, DisplayName, Pincode, Place, Reason};
pub use list::{UserFilter, UserSearch};
pub use profile::ProfileChanges;
pub use reach::{Among, Reach};
pub(crate) use rows::{NewUser, standing_of_row};
pub(crate) use rules::{Standing, check_role_change};
pub use status::StatusChange;

/// Whether somebody may use the marketplace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum UserStatus {
    /// They may.
    Active,
    /// Not until a given time.
    Suspended,
    /// Never again.
    Banned,
    /// They left.
    Deleted,
}

impl UserStatus {
    const ALL: [Self; 4] = [Self::Active, Self::Suspended, Self::Banned, Self::Deleted];

    /// The status as it is written on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Suspended => "SUSPENDED",
            Self::Banned => "BANNED",
            Self::Deleted => "DELETED",
        }
    }

    pub(crate) fn find(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// The language in which somebody is addressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// English.
    En,
    /// Hindi.
    Hi,
}

impl Language {
    /// The language's ISO 639-1 code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Hi => "hi",
        }
    }

    pub(crate) fn find(text: &str) -> Option<Self> {
        [Self::En, Self::Hi].into_iter().find(|language| language.as_str() == text)
    }
}

/// Somebody as they see themselves.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UserView {
    /// Their id.
    pub id: UserId,
    /// Their phone number, E.164.
    #[schema(example = "+919876543210")]
    pub phone: Option<String>,
    /// Their e-mail address.
    #[schema(example = "asha@example.in")]
    pub email: Option<String>,
    /// Whether a code proved the number theirs.
    pub phone_verified: bool,
    /// Whether a code proved the address theirs.
    pub email_verified: bool,
    /// What they are called; empty until they say.
    #[schema(example = "Asha Rao")]
    pub name: String,
    /// Their picture, as uploaded.
    pub avatar_photo_id: Option<PhotoId>,
    /// Where it is shown.
    #[schema(example = "/media/fcde2b2edba56bf408601fb721fe9b5c338d10ee429ea04fae5511b68fbf8fb9.jpg")]
    pub avatar_url: Option<String>,
    /// Where they live.
    #[schema(example = "Pune")]
    pub city: Option<String>,
    /// In which state.
    #[schema(example = "Maharashtra")]
    pub state: Option<String>,
    /// Their postal index number.
    #[schema(example = "411001")]
    pub pincode: Option<String>,
    /// How they are addressed.
    pub language: Language,
    /// What they are to the marketplace.
    pub role: Role,
    /// Whether they may use it.
    pub status: UserStatus,
    /// When they logged in last.
    pub last_login_at: Option<DateTime<Utc>>,
    /// Since when they have an account.
    pub created_at: DateTime<Utc>,
    /// Grows with every change; the `ETag` of the profile.
    #[schema(example = 3)]
    pub version: i64,
}

/// Somebody as staff see them.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StaffUserView {
    /// Their id.
    pub id: UserId,
    /// Their phone number, E.164.
    #[schema(example = "+919876543210")]
    pub phone: Option<String>,
    /// Their e-mail address.
    #[schema(example = "asha@example.in")]
    pub email: Option<String>,
    /// Whether a code proved the number theirs.
    pub phone_verified: bool,
    /// Whether a code proved the address theirs.
    pub email_verified: bool,
    /// What they are called; empty until they say.
    #[schema(example = "Asha Rao")]
    pub name: String,
    /// Where they live.
    #[schema(example = "Pune")]
    pub city: Option<String>,
    /// In which state.
    #[schema(example = "Maharashtra")]
    pub state: Option<String>,
    /// What they are to the marketplace.
    pub role: Role,
    /// Whether they may use it.
    pub status: UserStatus,
    /// Why staff changed the status last, in their words.
    #[schema(example = "Sold the same phone to three people")]
    pub status_reason: Option<String>,
    /// Until when they are suspended.
    pub suspended_until: Option<DateTime<Utc>>,
    /// Whether they have a confirmed authenticator.
    pub totp_confirmed: bool,
    /// When they logged in last.
    pub last_login_at: Option<DateTime<Utc>>,
    /// Since when they have an account.
    pub created_at: DateTime<Utc>,
    /// Grows with every change.
    #[schema(example = 3)]
    pub version: i64,
}

/// Somebody as buyers see them.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SellerView {
    /// Their id.
    pub id: UserId,
    /// What they are called; empty until they say.
    #[schema(example = "Asha Rao")]
    pub name: String,
    /// Where their picture is shown.
    #[schema(example = "/media/fcde2b2edba56bf408601fb721fe9b5c338d10ee429ea04fae5511b68fbf8fb9.jpg")]
    pub avatar_url: Option<String>,
    /// Whether a code proved their number or address theirs.
    pub verified: bool,
    /// Since when they have an account.
    pub member_since: DateTime<Utc>,
}
