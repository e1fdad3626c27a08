//! Boosts of several sellers bought in one transaction, on PostgreSQL: a statement does for all of them what
//! [`quote_boost_in_txn`](Catalog::quote_boost_in_txn) and [`grant_boost_in_txn`](Catalog::grant_boost_in_txn) do for one.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use kernel::{BoostPlanId, ListingId, UserId};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use store::{Engine, OneStatement, StoreError, array, unnest};
use uuid::Uuid;

use super::buy::granted;
use super::plan::BoostPlan;
use super::rows::{self, LockedListing};
use super::{BoostKind, BoostPayment, BoostQuote, BoostView, GrantedBoost, Prominence, in_force};
use crate::{Catalog, CatalogError};

/// A boost that a seller asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BoostOrder {
    /// Who asks.
    pub seller: UserId,
    /// For which listing.
    pub listing: ListingId,
    /// What for.
    pub plan: BoostPlanId,
    /// The only kind of plan that will do, if any will not.
    pub kind: Option<BoostKind>,
}

impl Catalog {
    /// What the plans would come to for the listings, in the order of the orders; no two are of one seller. The listings are
    /// locked until the transaction ends. `None` where the boost cannot be bought, or somebody else has the listing locked;
    /// why is told by [`quote_boost_in_txn`](Self::quote_boost_in_txn).
    ///
    /// # Errors
    /// When the database fails.
    pub async fn quote_boosts_in_txn(
        &self,
        txn: &DatabaseTransaction,
        orders: &[BoostOrder],
    ) -> Result<Vec<Option<BoostQuote>>, CatalogError> {
        let listings = lock_listings(txn, orders).await?;
        // After the locks: boosts that were bought meanwhile are seen.
        let mut offers = offers(txn, orders).await?;
        let quote = |(place, order): (i32, &BoostOrder)| {
            let listing = listings.get(&order.listing)?.clone();
            let (plan, former) = offers.remove(&place)?;
            self.quote(order.seller, listing, plan, former, order.kind).ok()
        };
        Ok((0..).zip(orders).map(quote).collect())
    }

    /// Adds boosts that were paid for in this transaction to writes that are made together, and gives them in their order.
    #[must_use]
    pub fn grant_together(
        &self,
        writes: OneStatement,
        sold: &[(BoostQuote, BoostPayment)],
    ) -> (OneStatement, Vec<GrantedBoost>) {
        let now = self.ambient.now();
        let all: Vec<_> = sold.iter().map(|(quote, payment)| granted(quote, payment, now)).collect();
        let boosts: Vec<_> = all
            .iter()
            .zip(sold)
            .map(|(granted, (_, payment))| (&granted.boost, payment.gst_percent))
            .collect();
        let prominence: Vec<_> = sold.iter().map(|(quote, _)| (quote.listing(), quote.prominence)).collect();
        (put_together(insert_together(writes, &boosts, now), &prominence), all)
    }
}

/// Locks those of the listings that are free and of their orders' sellers.
async fn lock_listings(
    txn: &DatabaseTransaction,
    orders: &[BoostOrder],
) -> Result<HashMap<ListingId, LockedListing>, StoreError> {
    let (asked, columns) = unnest([
        ("uuid", array(orders.iter().map(|order| Some(order.listing)))),
        ("uuid", array(orders.iter().map(|order| Some(order.seller)))),
    ]);
    let sql = format!(
        "SELECT l.id, l.seller_id, l.category_id, l.title, l.status, l.expires_at FROM {asked} AS o(listing, seller) \
         JOIN listings l ON l.id = o.listing AND l.seller_id = o.seller ORDER BY l.id FOR UPDATE OF l SKIP LOCKED"
    );
    let found = txn.query_all_raw(Engine::Postgres.statement(&sql, columns)).await?;
    found
        .iter()
        .map(|row| {
            let id = row.try_get::<Uuid>("", "id")?.into();
            Ok((id, rows::read_listing(row, id)?))
        })
        .collect()
}

/// The plans that are asked for, and what is in force for their listings, by the places of the orders.
async fn offers(
    txn: &DatabaseTransaction,
    orders: &[BoostOrder],
) -> Result<HashMap<i32, (BoostPlan, Option<Prominence>)>, StoreError> {
    let (asked, columns) = unnest([
        ("integer", array((0..).zip(orders).map(|(place, _): (i32, _)| Some(place)))),
        ("uuid", array(orders.iter().map(|order| Some(order.listing)))),
        ("uuid", array(orders.iter().map(|order| Some(order.plan)))),
    ]);
    let sql = format!(
        "SELECT o.place AS place, {} FROM {asked} AS o(place, listing, plan) JOIN boost_plans p ON p.id = o.plan \
         LEFT JOIN listing_prominence h ON h.listing_id = o.listing",
        in_force::plan_columns()
    );
    let found = txn.query_all_raw(Engine::Postgres.statement(&sql, columns)).await?;
    found.iter().map(|row| Ok((row.try_get("", "place")?, in_force::read_plan_columns(row)?))).collect()
}

/// The boosts, each with its percentage of GST.
fn insert_together(writes: OneStatement, boosts: &[(&BoostView, u8)], now: DateTime<Utc>) -> OneStatement {
    let all = || boosts.iter().map(|(boost, _)| *boost);
    let (rows, columns) = unnest([
        ("uuid", array(all().map(|boost| Some(boost.id)))),
        ("uuid", array(all().map(|boost| Some(boost.listing_id)))),
        ("uuid", array(all().map(|boost| Some(boost.plan_id)))),
        ("uuid", array(all().map(|boost| Some(boost.user_id)))),
        ("text", array(all().map(|boost| Some(boost.kind.as_str())))),
        ("bigint", array(all().map(|boost| Some(boost.price.amount())))),
        ("bigint", array(all().map(|boost| Some(boost.promo_part.amount())))),
        ("bigint", array(all().map(|boost| Some(boost.available_part.amount())))),
        ("bigint", array(all().map(|boost| Some(boost.earnings_part.amount())))),
        ("integer", array(boosts.iter().map(|(_, percent)| Some(percent)))),
        ("bigint", array(all().map(|boost| Some(boost.cgst.amount())))),
        ("bigint", array(all().map(|boost| Some(boost.sgst.amount())))),
        ("uuid", array(all().map(|boost| Some(boost.journal_id)))),
        ("timestamptz", array(all().map(|boost| Some(boost.starts_at.to_rfc3339())))),
        ("timestamptz", array(all().map(|boost| Some(boost.ends_at.to_rfc3339())))),
    ]);
    let sql = format!(
        "INSERT INTO boosts (id, listing_id, plan_id, user_id, kind, price, promo_part, available_part, earnings_part, \
         gst_percent, cgst, sgst, charge_journal, starts_at, ends_at, refunded, status, created_at) \
         SELECT v.*, 0, 'RUNNING', CAST(? AS timestamptz) FROM {rows} AS v"
    );
    writes.with("boosts", &sql, [now.into()].into_iter().chain(columns))
}

/// What is in force with them, for listings whose rows are locked.
fn put_together(writes: OneStatement, all: &[(ListingId, Prominence)]) -> OneStatement {
    let moment = |of: fn(&Prominence) -> Option<DateTime<Utc>>| {
        let moments = all.iter().map(|(_, prominence)| of(prominence).map(|moment| moment.to_rfc3339()));
        ("timestamptz", array(moments))
    };
    let (rows, columns) = unnest([
        ("uuid", array(all.iter().map(|(listing, _)| Some(listing)))),
        moment(|in_force| in_force.boosted.map(|span| span.since)),
        moment(|in_force| in_force.boosted.map(|span| span.until)),
        moment(|in_force| in_force.featured.map(|span| span.since)),
        moment(|in_force| in_force.featured.map(|span| span.until)),
        moment(|in_force| in_force.top.map(|span| span.since)),
        moment(|in_force| in_force.top.map(|span| span.until)),
        moment(|in_force| in_force.highlighted.map(|span| span.since)),
        moment(|in_force| in_force.highlighted.map(|span| span.until)),
        moment(|in_force| in_force.spans().iter().flatten().map(|span| span.until).max()),
    ]);
    let sql = format!(
        "INSERT INTO listing_prominence (listing_id, boosted_since, boosted_until, featured_since, featured_until, \
         top_since, top_until, highlighted_since, highlighted_until, over_at) SELECT v.* FROM {rows} AS v \
         ON CONFLICT (listing_id) DO UPDATE SET boosted_since = excluded.boosted_since, \
         boosted_until = excluded.boosted_until, featured_since = excluded.featured_since, \
         featured_until = excluded.featured_until, top_since = excluded.top_since, top_until = excluded.top_until, \
         highlighted_since = excluded.highlighted_since, highlighted_until = excluded.highlighted_until, \
         over_at = excluded.over_at"
    );
    writes.with("prominence", &sql, columns)
}
