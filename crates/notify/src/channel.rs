//! The ways by which people are told.

use std::str::FromStr;

use kernel::ParseError;
use serde::{Deserialize, Serialize};

/// A way by which somebody is told something.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// The inbox inside the app; it is at once, and reaches nobody's phone.
    InApp,
    /// A push message to each of somebody's devices.
    Push,
    /// An SMS.
    Sms,
    /// A mail.
    Email,
}

impl Channel {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::InApp, Self::Push, Self::Sms, Self::Email];

    /// The channel as it is written on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InApp => "in_app",
            Self::Push => "push",
            Self::Sms => "sms",
            Self::Email => "email",
        }
    }
}

impl FromStr for Channel {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::ALL
            .into_iter()
            .find(|channel| channel.as_str() == text)
            .ok_or_else(|| ParseError::new("unknown_channel", "must be in_app, push, sms or email"))
    }
}
