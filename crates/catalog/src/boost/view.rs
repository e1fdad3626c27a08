//! Boosts as their buyers and staff see them.

use chrono::{DateTime, Utc};
use kernel::{BoostId, BoostPlanId, JournalId, ListingId, Money, UserId};
use serde::Serialize;

use super::{BoostKind, BoostParts};

/// Where a boost stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum BoostStatus {
    /// It begins when the one before it ends.
    Scheduled,
    /// It is in force.
    Running,
    /// Its time is over.
    Ended,
    /// Staff took the listing down; what was left of the price was given back.
    Refunded,
}

/// A boost that was bought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BoostView {
    /// Its id.
    pub id: BoostId,
    /// For which listing.
    pub listing_id: ListingId,
    /// Which plan.
    pub plan_id: BoostPlanId,
    /// Who bought it.
    pub user_id: UserId,
    /// What it gives.
    pub kind: BoostKind,
    /// What it cost, tax included.
    #[schema(example = json!({"amount": 9900, "currency": "INR"}))]
    pub price: Money,
    /// The part of the price that promotional credit paid.
    #[schema(example = json!({"amount": 0, "currency": "INR"}))]
    pub promo_part: Money,
    /// The part that money from top-ups paid.
    #[schema(example = json!({"amount": 9900, "currency": "INR"}))]
    pub available_part: Money,
    /// The part that earnings paid.
    #[schema(example = json!({"amount": 0, "currency": "INR"}))]
    pub earnings_part: Money,
    /// Central GST within the price.
    #[schema(example = json!({"amount": 755, "currency": "INR"}))]
    pub cgst: Money,
    /// State GST within the price.
    #[schema(example = json!({"amount": 755, "currency": "INR"}))]
    pub sgst: Money,
    /// The journal that paid for it.
    pub journal_id: JournalId,
    /// What was given back.
    #[schema(example = json!({"amount": 0, "currency": "INR"}))]
    pub refunded: Money,
    /// When it begins.
    pub starts_at: DateTime<Utc>,
    /// When it ends.
    pub ends_at: DateTime<Utc>,
    /// When it ended; null while it runs.
    pub ended_at: Option<DateTime<Utc>>,
    /// Where it stands.
    pub status: BoostStatus,
}

impl BoostView {
    /// The parts of the price.
    pub fn paid(&self) -> BoostParts {
        BoostParts { promo: self.promo_part, available: self.available_part, earnings: self.earnings_part }
    }
}
