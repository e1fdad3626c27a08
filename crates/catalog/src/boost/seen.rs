//! The SQL of a quote that nothing holds still, on PostgreSQL: what it rests on, in which versions, and whether it is still
//! so. A row's version is the transaction that wrote it, `xmin`.

use kernel::{BoostPlanId, ListingId, TypedId};
use sea_orm::{ConnectionTrait, QueryResult, Value};
use store::{Engine, OneStatement, StoreError};

use super::plan::BoostPlan;
use super::rows::{self, LockedListing};
use super::{Prominence, in_force};

/// What a quote rests on.
#[derive(Debug)]
pub(super) struct Grounds {
    pub(super) listing: LockedListing,
    pub(super) plan: BoostPlan,
    /// What is in force for the listing.
    pub(super) former: Option<Prominence>,
    pub(super) seen: Seen,
}

/// The versions of the rows.
#[derive(Debug)]
pub(super) struct Seen {
    listing: (ListingId, String),
    plan: (BoostPlanId, String),
    prominence: Option<String>,
}

/// Looks at a listing, a plan, and what is in force, without a lock.
pub(super) async fn look(
    db: &impl ConnectionTrait,
    listing: ListingId,
    plan: BoostPlanId,
) -> Result<Option<Grounds>, StoreError> {
    let sql = format!(
        "SELECT l.seller_id, l.category_id, l.title, l.status, l.expires_at, CAST(l.xmin AS text) AS listing_seen, \
         CAST(p.xmin AS text) AS plan_seen, CAST(h.xmin AS text) AS prominence_seen, {} FROM listings l \
         JOIN boost_plans p ON p.id = ? LEFT JOIN listing_prominence h ON h.listing_id = l.id WHERE l.id = ?",
        in_force::plan_columns()
    );
    let select = Engine::Postgres.statement(&sql, [plan.uuid().into(), listing.uuid().into()]);
    let row = db.query_one_raw(select).await?;
    row.as_ref().map(|row| read(row, listing)).transpose()
}

fn read(row: &QueryResult, id: ListingId) -> Result<Grounds, StoreError> {
    let (plan, former) = in_force::read_plan_columns(row)?;
    let seen = Seen {
        listing: (id, row.try_get("", "listing_seen")?),
        plan: (plan.id, row.try_get("", "plan_seen")?),
        prominence: row.try_get("", "prominence_seen")?,
    };
    Ok(Grounds { listing: rows::read_listing(row, id)?, plan, former, seen })
}

/// Adds a look under the name, which has a row if all is as it was seen, and locks the listing and what is in force for it.
/// It waits for nobody who has them locked: then it has no row.
/// Where nothing was in force, whoever is second to write that fails.
pub(super) fn hold(writes: OneStatement, name: &str, seen: &Seen) -> OneStatement {
    let (from, locked, and) = match seen.prominence {
        Some(_) => (
            "listings l, boost_plans p, listing_prominence h",
            "l, h",
            " AND h.listing_id = l.id AND h.xmin = CAST(? AS xid)",
        ),
        None => ("listings l, boost_plans p", "l", ""),
    };
    let sql = format!(
        "SELECT 1 FROM {from} WHERE l.id = ? AND l.xmin = CAST(? AS xid) AND p.id = ? AND p.xmin = CAST(? AS xid){and} \
         FOR UPDATE OF {locked} SKIP LOCKED"
    );
    let ((listing, listing_seen), (plan, plan_seen)) = (&seen.listing, &seen.plan);
    let values =
        [listing.uuid().into(), listing_seen.as_str().into(), plan.uuid().into(), plan_seen.as_str().into()];
    writes.with(name, &sql, values.into_iter().chain(seen.prominence.as_deref().map(Value::from)))
}
