//! Plans as clients see them.

use kernel::{BoostPlanId, Money};
use serde::Serialize;

use super::BoostPlan;
use crate::boost::BoostKind;

/// Something that can be bought for a listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BoostPlanView {
    /// Its id.
    pub id: BoostPlanId,
    /// BOOST makes a listing stand out in lists, FEATURE puts it among the featured ones.
    pub kind: BoostKind,
    /// Its name in addresses.
    #[schema(example = "standard")]
    pub slug: String,
    /// Its name for people.
    #[schema(example = "Standard")]
    pub name: String,
    /// What it costs, tax included.
    #[schema(example = json!({"amount": 9900, "currency": "INR"}))]
    pub price: Money,
    /// For how many days.
    #[schema(example = 7)]
    pub days: u16,
    /// What it gives, in words.
    #[schema(example = json!(["Stands before other listings for 7 days", "Highlighted"]))]
    pub features: Vec<String>,
    /// Whether the listing stands before others in lists.
    pub top_placement: bool,
    /// Whether the listing is shown in another colour.
    pub highlight: bool,
    /// Whether it is recommended.
    pub popular: bool,
    /// Its place among the plans, from low to high.
    #[schema(example = 20)]
    pub order: i32,
    /// Whether it can be bought.
    pub active: bool,
    /// Grows with each change of the plan.
    #[schema(example = 1)]
    pub version: i64,
}

impl From<BoostPlan> for BoostPlanView {
    fn from(plan: BoostPlan) -> Self {
        let BoostPlan { id, input, version } = plan;
        Self {
            id,
            kind: input.kind,
            slug: input.slug.as_str().to_owned(),
            name: input.name.as_str().to_owned(),
            price: input.price.money(),
            days: input.days.days(),
            features: input.features.lines().to_vec(),
            top_placement: input.top_placement,
            highlight: input.highlight,
            popular: input.popular,
            order: input.order,
            active: input.active,
            version,
        }
    }
}
