//! What people choose about together.

use std::str::FromStr;

use kernel::ParseError;
use serde::{Deserialize, Serialize};

use super::Kind;
use crate::Channel;

/// Kinds of notification that people switch on and off together.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// One's own listings.
    Listings,
    /// Boosts of one's listings.
    Boosts,
    /// The wallet, payments and refunds.
    Wallet,
    /// Buyers who ask for one's number.
    Contacts,
    /// What moderators decide about one's account and reports.
    Account,
    /// Logins and changes of one's contact details.
    Security,
    /// News from the marketplace.
    Announcements,
}

impl Category {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Listings,
        Self::Boosts,
        Self::Wallet,
        Self::Contacts,
        Self::Account,
        Self::Security,
        Self::Announcements,
    ];

    /// The category as it is written on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Listings => "listings",
            Self::Boosts => "boosts",
            Self::Wallet => "wallet",
            Self::Contacts => "contacts",
            Self::Account => "account",
            Self::Security => "security",
            Self::Announcements => "announcements",
        }
    }

    /// Whether the category goes by this way for who has chosen nothing: when one of its kinds does.
    pub fn is_on_by_default(self, channel: Channel) -> bool {
        Kind::all().any(|kind| kind.category() == self && kind.spec().channels.contains(&channel))
    }
}

impl FromStr for Category {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::ALL.into_iter().find(|category| category.as_str() == text).ok_or_else(|| {
            let names = Self::ALL.map(Self::as_str).join(", ");
            ParseError::new("unknown_category", format!("must be one of {names}"))
        })
    }
}
