//! Boosts: what they cost by purse and tax, and what comes back of them.

use std::collections::BTreeMap;

use anyhow::{Context, bail, ensure};
use catalog::BoostKind;
use chrono::{DateTime, TimeDelta, Utc};
use kernel::{BoostId, ListingId, UserId};

use super::{Books, Gains, Occasion, house, only_user, purse};
use crate::simulate::ask::Ask;
use crate::simulate::seen::{AccountName, SeenJournal};

const REVENUE: &str = "revenue:boost";
/// Percent, both halves together, as the settings have it when nobody has changed them.
const GST: i64 = 18;
const PAYING: [&str; 3] = ["promo", "available", "earnings"];

/// A boost that was paid for.
#[derive(Debug, Clone)]
pub(in crate::simulate) struct OurBoost {
    pub(in crate::simulate) user: UserId,
    pub(in crate::simulate) listing: ListingId,
    pub(in crate::simulate) kind: BoostKind,
    pub(in crate::simulate) since: DateTime<Utc>,
    pub(in crate::simulate) until: DateTime<Utc>,
    /// By promo, available, earnings.
    pub(in crate::simulate) paid: [i64; 3],
    /// What came back of it; `None` while it runs its course.
    pub(in crate::simulate) refunded: Option<i64>,
}

impl Books {
    /// When a boost of a kind would begin: now, or where the last one ends.
    pub(in crate::simulate) fn boost_begins(
        &self,
        listing: ListingId,
        kind: BoostKind,
        now: DateTime<Utc>,
    ) -> DateTime<Utc> {
        let counts =
            |boost: &&OurBoost| boost.listing == listing && boost.kind == kind && boost.refunded.is_none();
        self.boosts.values().filter(counts).map(|boost| boost.until).max().map_or(now, |until| until.max(now))
    }

    /// By how much each purse pays a price: promo, available, earnings.
    pub(in crate::simulate) fn split(&self, user: UserId, price: i64) -> Option<[i64; 3]> {
        let [available, _, promo, earnings, _] = self.purses(user);
        let mut left = price;
        let mut parts = [promo, available, earnings];
        for part in &mut parts {
            *part = left.min(*part);
            left -= *part;
        }
        (left == 0).then_some(parts)
    }

    pub(super) fn boost_charge(
        &mut self,
        journal: &SeenJournal,
        occasion: &Occasion<'_>,
    ) -> anyhow::Result<BTreeMap<AccountName, i64>> {
        let Ask::Boost { user, listing, plan, .. } = occasion.ask else { bail!("nobody asked for a boost") };
        let kind = if plan.kind == BoostKind::Boost { "boost_charge" } else { "feature_charge" };
        ensure!(journal.kind == kind, "a {:?} was charged as {}", plan.kind, journal.kind);
        ensure!(
            occasion.scene.listings.contains(&(*listing, *user)) && !self.paused.contains(listing),
            "a listing was boosted that is another's or not ACTIVE"
        );
        let paid =
            self.split(*user, plan.paise).context("a boost was charged that the wallet does not reach")?;
        let id: BoostId = journal.reference.parse()?;
        let since = self.boost_begins(*listing, plan.kind, occasion.now);
        let until = since + TimeDelta::days(plan.days);
        let boost =
            OurBoost { user: *user, listing: *listing, kind: plan.kind, since, until, paid, refunded: None };
        self.boosts.insert(id, boost);
        Ok(charge(*user, paid).done())
    }

    pub(super) fn boost_refund(
        &mut self,
        journal: &SeenJournal,
        occasion: &Occasion<'_>,
    ) -> anyhow::Result<BTreeMap<AccountName, i64>> {
        let Ask::TakeDown { user } = occasion.ask else { bail!("nobody took a listing down") };
        ensure!(only_user(journal)? == *user, "another's boost was refunded");
        let id: BoostId = journal.reference.parse()?;
        let boost = self.boosts.get_mut(&id).context("a boost was refunded that nobody bought")?;
        ensure!(boost.refunded.is_none(), "boost {id} was refunded twice");
        let back = boost.unused(occasion.now);
        boost.refunded = Some(back);
        let parts = boost.shares(back);
        let mut gains = charge(*user, parts);
        gains.0.values_mut().for_each(|gain| *gain = -*gain);
        Ok(gains.done())
    }
}

impl OurBoost {
    /// What was paid for it.
    pub(in crate::simulate) fn price(&self) -> i64 {
        self.paid.iter().sum()
    }

    /// What is left of it: the price by the whole seconds that are left.
    pub(in crate::simulate) fn unused(&self, now: DateTime<Utc>) -> i64 {
        let period = (self.until - self.since).num_seconds();
        let left = (self.until - now.max(self.since)).num_seconds().clamp(0, period);
        self.price() * left / period
    }

    /// The part of each purse in what comes back, cut along the running total.
    fn shares(&self, back: i64) -> [i64; 3] {
        let (mut paid, mut given) = (0, 0);
        self.paid.map(|part| {
            paid += part;
            let share = paid * back / self.price() - given;
            given += share;
            share
        })
    }
}

/// A price is income but for the tax within its part in money, of which each half is rounded by itself.
fn charge(user: UserId, paid: [i64; 3]) -> Gains {
    let [_, available, earnings] = paid;
    let half = (2 * (available + earnings) * GST + 2 * (100 + GST)) / (4 * (100 + GST));
    let mut gains = Gains::default();
    for (name, part) in PAYING.into_iter().zip(paid) {
        gains = gains.moved(purse(user, name), house(REVENUE), part);
    }
    for tax in ["tax:gst_output:cgst", "tax:gst_output:sgst"] {
        gains = gains.moved(house(REVENUE), house(tax), half);
    }
    gains
}
