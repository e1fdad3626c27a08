//! A moderator's decision on a listing as it was submitted.

mod history;
mod record;
mod rows;
mod rules;

use chrono::{DateTime, Utc};
use kernel::{ListingId, ReviewId, UserId};
use serde::Serialize;

use crate::{ReasonCode, ReasonTextView};

pub use rules::Verdict;

/// How it was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Decision {
    /// The listing may be shown.
    Approved,
    /// It may not.
    Rejected,
}

impl Decision {
    /// The decision as it is written on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "APPROVED",
            Self::Rejected => "REJECTED",
        }
    }
}

/// A decision to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDecision {
    /// The listing.
    pub listing: ListingId,
    /// Its version when it was submitted: what the moderator has seen.
    pub listing_version: i64,
    /// How it is decided.
    pub verdict: Verdict,
}

/// A recorded decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReviewView {
    /// Its id.
    pub id: ReviewId,
    /// The listing it is about.
    pub listing_id: ListingId,
    /// The listing's version that was decided on.
    #[schema(example = 1)]
    pub listing_version: i64,
    /// Who decided; null when the marketplace did by itself.
    pub moderator_id: Option<UserId>,
    /// How.
    pub decision: Decision,
    /// Why, if it was rejected.
    pub reason_code: Option<ReasonCode>,
    /// What the seller is told of the reason.
    pub reason: Option<ReasonTextView>,
    /// What the moderator added for the seller.
    #[schema(example = "Please photograph the back as well.")]
    pub note: Option<String>,
    /// When.
    pub decided_at: DateTime<Utc>,
}
