//! Devices that take push messages. A token belongs to whoever registered it last: a phone that changes hands stops
//! telling its new owner about the old one.

mod register;
mod reseal;
mod rows;

use std::str::FromStr;

use chrono::{DateTime, Utc};
use kernel::{DeviceId, ParseError};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

pub(crate) use rows::{find, of_user, place, remove};

/// What a device is known by to Firebase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum TargetKind {
    /// A registration token of Firebase Cloud Messaging.
    Token,
    /// A Firebase installation id, which takes the token's place.
    Fid,
}

/// What sort of device it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Platform {
    /// A phone or tablet with Android.
    Android,
    /// An iPhone or iPad.
    Ios,
    /// A browser.
    Web,
}

macro_rules! words {
    ($name:ident, $rule:literal, $($variant:ident = $text:literal),+) => {
        impl $name {
            /// As it is written on the wire and in the database.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl FromStr for $name {
            type Err = ParseError;

            fn from_str(text: &str) -> Result<Self, ParseError> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err(ParseError::new("unknown_value", $rule)),
                }
            }
        }
    };
}

words!(TargetKind, "must be token or fid", Token = "token", Fid = "fid");
words!(Platform, "must be android, ios or web", Android = "android", Ios = "ios", Web = "web");

/// What a device is reached by. Its `Debug` does not show the token.
#[derive(Debug, Clone)]
pub struct PushTarget {
    /// What sort of name it is.
    pub kind: TargetKind,
    /// The token or installation id.
    pub value: SecretString,
}

impl PushTarget {
    /// The longest token, in characters. Firebase tells no limit; the tokens that it gives have some 160 to 250.
    pub const MAX: usize = 1_024;

    /// Reads a token or installation id.
    ///
    /// # Errors
    /// When it is empty, too long, or holds what no token has.
    pub fn parse(kind: TargetKind, text: &str) -> Result<Self, ParseError> {
        if text.is_empty() || text.len() > Self::MAX {
            return Err(ParseError::new("invalid_length", "must have 1 to 1024 characters"));
        }
        if !text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_:.".contains(&b)) {
            return Err(ParseError::new("invalid_character", "must be a token as Firebase gives it"));
        }
        Ok(Self { kind, value: text.into() })
    }
}

/// A device as its owner sees it.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeviceView {
    /// Its id.
    pub id: DeviceId,
    /// What it is known by to Firebase.
    pub kind: TargetKind,
    /// What sort of device it is.
    pub platform: Platform,
    /// When it was registered by its owner.
    pub created_at: DateTime<Utc>,
    /// When it registered last.
    pub seen_at: DateTime<Utc>,
}
