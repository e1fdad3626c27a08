//! Messages on their way: planned in the transaction of the event, sent outside of any, settled once.
//!
//! Neither a phone number nor an address is stored with them: whoever sends one looks the contact up then. The one
//! exception is a word to a contact that its person has just left, which is sealed. A message of which nobody
//! knows whether it left stays `unknown` and is never sent again.

mod claim;
mod former;
mod known;
mod lane;
mod log;
mod notice;
mod plan;
mod rows;
mod rules;
mod send;
mod settle;
mod slot;
mod status;
mod tidy;

use std::str::FromStr;

use chrono::{DateTime, Utc};
use kernel::{DeliveryId, DeviceId, ParseError, UserId};
use serde::{Deserialize, Serialize};

use crate::Channel;

pub use claim::{Claim, Claimed};
pub use former::FormerContact;
pub use lane::Lane;
pub use log::DeliveryFilter;
pub use notice::{NewNotification, PlannedDelivery, Recipient, Told};
pub(crate) use rules::is_path;
pub use send::{Contact, Outgoing, Senders, Sending};
pub use settle::Settled;
pub use status::SmsStatus;

/// How far a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryStatus {
    /// It waits for its time.
    Queued,
    /// Somebody is sending it.
    Sending,
    /// The provider took it.
    Sent,
    /// The provider says that it arrived.
    Delivered,
    /// It cannot arrive: the provider or the operator refused it.
    Failed,
    /// It was not to be sent: see the reason.
    Withheld,
    /// It was tried as often as it may be. Staff may send it after all.
    Dead,
    /// It may have been sent and may not; it is not sent again.
    Unknown,
}

impl DeliveryStatus {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Queued,
        Self::Sending,
        Self::Sent,
        Self::Delivered,
        Self::Failed,
        Self::Withheld,
        Self::Dead,
        Self::Unknown,
    ];

    /// The status as it is written on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Withheld => "withheld",
            Self::Dead => "dead",
            Self::Unknown => "unknown",
        }
    }

    /// Whether nothing more will be sent by itself.
    pub fn is_over(self) -> bool {
        !matches!(self, Self::Queued | Self::Sending)
    }
}

impl FromStr for DeliveryStatus {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::ALL.into_iter().find(|status| status.as_str() == text).ok_or_else(|| {
            let names = Self::ALL.map(Self::as_str).join(", ");
            ParseError::new("unknown_status", format!("must be one of {names}"))
        })
    }
}

/// A delivery as staff see it: neither to which number nor what it said.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryView {
    /// Its id.
    pub id: DeliveryId,
    /// Whom to.
    pub user_id: UserId,
    /// What it is about.
    #[schema(example = "listing.approved")]
    pub kind: String,
    /// By which way.
    pub channel: Channel,
    /// To which device, if it is a push message.
    pub device_id: Option<DeviceId>,
    /// How far it is.
    pub status: DeliveryStatus,
    /// Why it was withheld or given up.
    #[schema(example = "daily_cap")]
    pub reason: Option<String>,
    /// How often it was tried.
    pub attempts: i32,
    /// The provider's name for it.
    #[schema(example = "SM0123456789abcdef0123456789abcdef")]
    pub provider_id: Option<String>,
    /// What went wrong last, by its code.
    #[schema(example = "not_sent:20429")]
    pub last_error: Option<String>,
    /// When it is tried next.
    pub due_at: Option<DateTime<Utc>>,
    /// When it was planned.
    pub created_at: DateTime<Utc>,
    /// When it changed last.
    pub updated_at: DateTime<Utc>,
}
