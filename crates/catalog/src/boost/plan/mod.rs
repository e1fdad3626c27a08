//! Plans: what can be bought for a listing, and for how much.

mod fields;
mod manage;
mod read;
mod rows;
mod seed;
mod view;

pub use fields::{PlanDays, PlanFeatures, PlanName, PlanPrice};
pub(super) use rows::read_plan;
pub use view::BoostPlanView;

use kernel::BoostPlanId;

use super::BoostKind;
use crate::category::Slug;

/// What staff write of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoostPlanInput {
    /// What it gives.
    pub kind: BoostKind,
    /// Its name in addresses.
    pub slug: Slug,
    /// Its name for people.
    pub name: PlanName,
    /// What it costs, tax included.
    pub price: PlanPrice,
    /// For how long.
    pub days: PlanDays,
    /// What it gives, in words.
    pub features: PlanFeatures,
    /// Whether the listing stands before others in lists.
    pub top_placement: bool,
    /// Whether the listing is shown in another colour.
    pub highlight: bool,
    /// Whether it is recommended.
    pub popular: bool,
    /// Its place among the plans, from low to high.
    pub order: i32,
    /// Whether it can be bought.
    pub active: bool,
}

/// A plan as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BoostPlan {
    pub(super) id: BoostPlanId,
    pub(super) input: BoostPlanInput,
    pub(super) version: i64,
}
