//! Boosts: what can be bought for a listing, what was bought, and what of it is in force.
//!
//! Invariants:
//! - A boost exists exactly when a journal paid for it: its row names the journal, and no two name the same. Nothing else
//!   gives a listing prominence, least of all an edit of the listing.
//! - Only an ACTIVE listing is boosted, by its seller, at the price read in the transaction that pays.
//! - Boosts of one kind on one listing follow each other: the second begins where the first ends.
//! - A boost ends on time by the clock alone; the job that marks it so may be late.
//! - A boost that staff cut short is refunded once, by the seconds that were left.

mod buy;
mod buy_at_once;
mod buy_together;
pub(crate) mod in_force;
mod lapse;
mod plan;
mod prominence;
mod read;
mod rows;
mod rules;
mod seen;
mod take_down;
mod view;

use std::str::FromStr;

use kernel::ParseError;
use serde::{Deserialize, Serialize};

pub use buy::{BoostPayment, BoostQuote, GrantedBoost};
pub use buy_at_once::OpenBoostQuote;
pub use buy_together::BoostOrder;
pub use plan::{BoostPlanInput, BoostPlanView, PlanDays, PlanFeatures, PlanName, PlanPrice};
use prominence::Prominence;
pub(crate) use prominence::{ProminenceCache, Prominent, ProminentListings};
pub use rules::BoostParts;
pub use take_down::BoostRefund;
pub use view::{BoostStatus, BoostView};

/// What a plan gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum BoostKind {
    /// The listing stands out in lists.
    Boost,
    /// The listing is among the featured ones.
    Feature,
}

impl BoostKind {
    /// As it is written on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Boost => "BOOST",
            Self::Feature => "FEATURE",
        }
    }
}

impl FromStr for BoostKind {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        [Self::Boost, Self::Feature]
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| ParseError::new("unknown_kind", "must be BOOST or FEATURE"))
    }
}
