//! The SQL of what is in force for listings.

use chrono::{DateTime, Utc};
use kernel::{BoostPlanId, ListingId, TypedId};
use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult, Value};
use store::{Engine, StoreError};
use uuid::Uuid;

use super::plan::{BoostPlan, read_plan};
use super::rules::Span;
use super::{Prominence, Prominent, rows};
use crate::listing::ListingStatus;

/// The most listings that are kept in memory.
const MOST_PROMINENT: u32 = 20_000;

const SPANS: &str = "h.boosted_since, h.boosted_until, h.featured_since, h.featured_until, h.top_since, h.top_until, \
                     h.highlighted_since, h.highlighted_until";

/// The columns of a plan `p`, and of what is in force `h`.
pub(super) fn plan_columns() -> String {
    format!(
        "p.id, p.kind, p.slug, p.name, p.price, p.days, p.features, p.top_placement, p.highlight, p.popular, \
         p.sort_order, p.active, p.version, {SPANS}, h.over_at"
    )
}

/// Reads them: what is in force may be nothing.
pub(super) fn read_plan_columns(row: &QueryResult) -> Result<(BoostPlan, Option<Prominence>), StoreError> {
    let is_there = row.try_get::<Option<DateTime<Utc>>>("", "over_at")?.is_some();
    let prominence = if is_there { Some(read(row)?) } else { None };
    Ok((read_plan(row)?, prominence))
}

/// A plan, and what is in force for a listing whose row is locked: one statement, after the lock was waited for.
pub(super) async fn with_plan(
    txn: &DatabaseTransaction,
    plan: BoostPlanId,
    listing: ListingId,
) -> Result<Option<(BoostPlan, Option<Prominence>)>, StoreError> {
    let engine = Engine::of(txn.get_database_backend());
    let sql = format!(
        "SELECT {} FROM boost_plans p LEFT JOIN listing_prominence h ON h.listing_id = ? WHERE p.id = ?",
        plan_columns()
    );
    let row = txn.query_one_raw(engine.statement(&sql, [listing.uuid().into(), plan.uuid().into()])).await?;
    row.as_ref().map(read_plan_columns).transpose()
}

/// Reads the columns of the spans, by their names.
pub(crate) fn read(row: &QueryResult) -> Result<Prominence, StoreError> {
    let span = |since: &str, until: &str| -> Result<Option<Span>, StoreError> {
        let (since, until) = (row.try_get("", since)?, row.try_get("", until)?);
        let both: Option<(DateTime<Utc>, DateTime<Utc>)> = Option::zip(since, until);
        Ok(both.map(|(since, until)| Span { since, until }))
    };
    Ok(Prominence {
        boosted: span("boosted_since", "boosted_until")?,
        featured: span("featured_since", "featured_until")?,
        top: span("top_since", "top_until")?,
        highlighted: span("highlighted_since", "highlighted_until")?,
    })
}

/// The write of what is in force for a listing whose row is locked; `is_first` says that nothing was. With a gate, it is
/// made only if that name has a row.
pub(super) fn put(
    listing: ListingId,
    prominence: Prominence,
    is_first: bool,
    gate: Option<&str>,
) -> (String, Vec<Value>) {
    let spans = prominence.spans();
    let over_at = spans.iter().flatten().map(|span| span.until).max();
    let mut values: Vec<Value> = spans
        .iter()
        .flat_map(|span| [span.map(|span| span.since).into(), span.map(|span| span.until).into()])
        .collect();
    values.extend([over_at.unwrap_or_default().into(), listing.uuid().into()]);
    let mut sql = if is_first {
        let row = rows::row(10, gate);
        format!(
            "INSERT INTO listing_prominence (boosted_since, boosted_until, featured_since, featured_until, top_since, \
             top_until, highlighted_since, highlighted_until, over_at, listing_id) {row}"
        )
    } else {
        "UPDATE listing_prominence SET boosted_since = ?, boosted_until = ?, featured_since = ?, featured_until = ?, \
         top_since = ?, top_until = ?, highlighted_since = ?, highlighted_until = ?, over_at = ? WHERE listing_id = ?"
            .to_owned()
    };
    if let Some(gate) = gate.filter(|_| !is_first) {
        sql.extend([" AND EXISTS (SELECT 1 FROM ", gate, ")"]);
    }
    (sql, values)
}

/// Takes away what is in force for a listing whose row is locked; with a moment, only if it is over by then.
pub(super) async fn clear(
    txn: &DatabaseTransaction,
    listing: ListingId,
    over_by: Option<DateTime<Utc>>,
) -> Result<(), StoreError> {
    let mut sql = "DELETE FROM listing_prominence WHERE listing_id = ?".to_owned();
    let mut values: Vec<Value> = vec![listing.uuid().into()];
    if let Some(moment) = over_by {
        sql += " AND over_at <= ?";
        values.push(moment.into());
    }
    let statement = Engine::of(txn.get_database_backend()).statement(&sql, values);
    Ok(txn.execute_raw(statement).await.map(drop)?)
}

/// The listings for which something is in force.
pub(super) async fn all(db: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<Vec<Prominent>, StoreError> {
    let sql = format!(
        "SELECT h.listing_id, {SPANS}, l.status, l.category_id, l.seller_id, l.price, l.item_condition, l.city_key, \
         l.state_key FROM listing_prominence h JOIN listings l ON l.id = h.listing_id WHERE h.over_at > ? \
         ORDER BY h.over_at DESC LIMIT {MOST_PROMINENT}"
    );
    let statement = Engine::of(db.get_database_backend()).statement(&sql, [now.into()]);
    let rows = db.query_all_raw(statement).await?;
    rows.iter()
        .map(|row| {
            Ok(Prominent {
                id: row.try_get::<Uuid>("", "listing_id")?.into(),
                prominence: read(row)?,
                is_active: row.try_get::<String>("", "status")? == ListingStatus::Active.as_str(),
                category: row.try_get::<Uuid>("", "category_id")?.into(),
                seller: row.try_get::<Uuid>("", "seller_id")?.into(),
                price: row.try_get("", "price")?,
                condition: row.try_get("", "item_condition")?,
                city_key: row.try_get("", "city_key")?,
                state_key: row.try_get("", "state_key")?,
            })
        })
        .collect()
}
