//! The plans that a new marketplace begins with.

use kernel::{Caller, Money, ParseError};
use store::StoreError;

use super::{BoostPlanInput, PlanDays, PlanFeatures, PlanName, PlanPrice};
use crate::boost::BoostKind;
use crate::category::Slug;
use crate::{Catalog, CatalogError};

/// A plan as it is written here; the order is its place.
struct Seed {
    kind: BoostKind,
    name: &'static str,
    paise: i64,
    days: i64,
    features: &'static [&'static str],
    highlight: bool,
    popular: bool,
}

const SEEDS: [Seed; 4] = [
    Seed {
        kind: BoostKind::Boost,
        name: "Basic",
        paise: 4_900,
        days: 3,
        features: &["Stands before other listings for 3 days"],
        highlight: false,
        popular: false,
    },
    Seed {
        kind: BoostKind::Boost,
        name: "Standard",
        paise: 9_900,
        days: 7,
        features: &["Stands before other listings for 7 days", "Highlighted"],
        highlight: true,
        popular: true,
    },
    Seed {
        kind: BoostKind::Boost,
        name: "Premium",
        paise: 17_900,
        days: 15,
        features: &["Stands before other listings for 15 days", "Highlighted"],
        highlight: true,
        popular: false,
    },
    Seed {
        kind: BoostKind::Feature,
        name: "Featured",
        paise: 19_900,
        days: 7,
        features: &["Among the featured listings for 7 days", "Highlighted"],
        highlight: true,
        popular: false,
    },
];

impl Catalog {
    /// Makes those of the first plans whose slugs are not taken yet; gives how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn seed_boost_plans(&self, caller: &Caller) -> Result<usize, CatalogError> {
        let inputs = (1..).zip(&SEEDS).map(|(place, seed)| parse(place * 10, seed));
        let inputs = inputs.collect::<Result<Vec<_>, _>>().map_err(corrupt)?;
        self.db
            .in_txn(async |txn| {
                let mut made = 0;
                for input in &inputs {
                    let id = self.ambient.new_id();
                    made += usize::from(self.insert_boost_plan_in_txn(txn, caller, id, input).await?);
                }
                Ok(made)
            })
            .await
    }
}

fn parse(order: i32, seed: &Seed) -> Result<BoostPlanInput, ParseError> {
    let features: Vec<String> = seed.features.iter().map(|&line| line.to_owned()).collect();
    Ok(BoostPlanInput {
        kind: seed.kind,
        slug: Slug::parse(&seed.name.to_lowercase())?,
        name: PlanName::parse(seed.name)?,
        price: PlanPrice::parse(Money::inr(seed.paise))?,
        days: PlanDays::parse(seed.days)?,
        features: PlanFeatures::parse(&features)?,
        top_placement: seed.kind == BoostKind::Boost,
        highlight: seed.highlight,
        popular: seed.popular,
        order,
        active: true,
    })
}

fn corrupt(error: ParseError) -> StoreError {
    StoreError::Corrupt(format!("the first boost plans: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_first_plan_can_be_read() {
        assert!(SEEDS.iter().all(|seed| parse(0, seed).is_ok()));
    }
}
