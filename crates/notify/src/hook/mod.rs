//! Webhooks out: what happens here, told to servers that staff name, as Standard Webhooks has it
//! (github.com/standard-webhooks/standard-webhooks): `webhook-id`, `webhook-timestamp` and `webhook-signature`.
//!
//! An event is delivered to each endpoint at least once and names itself by its `webhook-id`, so that a receiver can
//! tell a repetition. An endpoint gets one at a time, in the order of events. Nobody can have this server call an address that is not on the public network.

mod address;
mod claim;
mod client;
mod endpoint;
mod log;
mod plan;
mod reseal;
mod retry;
mod rows;
mod secret;
mod settle;
mod topic;

use chrono::{DateTime, Utc};
use kernel::{EventId, HookDeliveryId, HookId};
use serde::Serialize;

pub use address::{HookUrl, Resolve, SystemResolver};
pub use claim::{ClaimedHook, HookClaim};
pub use client::{HookClient, HookSending};
pub use endpoint::{HookInput, NewHook};
pub use plan::{HookEvent, PlannedHook};
pub use retry::HOOK_RETRIES;
pub use secret::verify_hook_signature;
pub use settle::HookSettled;
pub use topic::Topic;

/// Whether an endpoint is delivered to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum HookStatus {
    /// It is.
    Enabled,
    /// Staff switched it off.
    Disabled,
    /// It failed for so long that it was switched off.
    Failing,
}

impl HookStatus {
    /// The status as it is written on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
            Self::Failing => "failing",
        }
    }
}

/// An endpoint as staff see it. Its secret is shown once, when it is made.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HookView {
    /// Its id.
    pub id: HookId,
    /// Where webhooks go.
    #[schema(example = "https://partner.example.com/hooks")]
    pub url: String,
    /// What it is for.
    #[schema(example = "The partner's stock system")]
    pub description: String,
    /// What it is told of: kinds of events, or all that begin alike.
    #[schema(example = json!(["listing.*", "wallet.updated"]))]
    pub topics: Vec<String>,
    /// Whether it is delivered to.
    pub status: HookStatus,
    /// Until when the secret before this one signs too.
    pub old_secret_until: Option<DateTime<Utc>>,
    /// Since when nothing arrived there.
    pub failing_since: Option<DateTime<Utc>>,
    /// How often it was changed; it is the ETag too.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was changed last.
    pub updated_at: DateTime<Utc>,
}

/// A webhook as staff see it.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HookDeliveryView {
    /// Its id.
    pub id: HookDeliveryId,
    /// The endpoint.
    pub endpoint_id: HookId,
    /// The event: its `webhook-id`.
    pub event_id: EventId,
    /// What happened.
    #[schema(example = "listing.approved")]
    pub kind: String,
    /// `queued`, `sending`, `delivered`, `dead` or `cancelled`.
    #[schema(example = "delivered")]
    pub status: String,
    /// How often it was tried.
    pub attempts: i32,
    /// The HTTP status of the last answer.
    #[schema(example = 204)]
    pub last_status: Option<i32>,
    /// What went wrong last.
    #[schema(example = "timeout")]
    pub last_error: Option<String>,
    /// When it is tried next.
    pub due_at: Option<DateTime<Utc>>,
    /// When the event came.
    pub created_at: DateTime<Utc>,
    /// When it changed last.
    pub updated_at: DateTime<Utc>,
}
