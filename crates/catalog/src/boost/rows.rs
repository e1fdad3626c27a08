//! The SQL of boosts and of what is in force.

use chrono::{DateTime, Utc};
use kernel::{BoostId, BoostPlanId, CategoryId, JournalId, ListingId, Money, TypedId, UserId};
use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult, Value};
use store::{Engine, StoreError};
use uuid::Uuid;

use super::plan::{BoostPlan, read_plan};
use super::rules::Span;
use super::{BoostKind, BoostStatus, BoostView, Prominence, Prominent};
use crate::events::Facts;
use crate::listing::ListingStatus;

/// The most listings that are kept in memory.
const MOST_PROMINENT: u32 = 20_000;

/// What buying a boost needs to know of a listing whose row it has locked.
#[derive(Debug, Clone)]
pub(super) struct LockedListing {
    pub(super) id: ListingId,
    pub(super) seller: UserId,
    category: CategoryId,
    title: String,
    pub(super) status: ListingStatus,
}

impl LockedListing {
    pub(super) fn facts(&self) -> Facts<'_> {
        Facts {
            id: self.id,
            seller: self.seller,
            category: self.category,
            title: &self.title,
            status: self.status,
        }
    }
}

/// Locks a listing: boosts of one listing are bought, ended and refunded one at a time.
pub(super) async fn lock_listing(
    txn: &DatabaseTransaction,
    id: ListingId,
) -> Result<Option<LockedListing>, StoreError> {
    let engine = Engine::of(txn.get_database_backend());
    let sql = format!(
        "SELECT seller_id, category_id, title, status FROM listings WHERE id = ?{}",
        engine.for_update()
    );
    let row = txn.query_one_raw(engine.statement(&sql, [id.uuid().into()])).await?;
    row.map(|row| {
        let status: String = row.try_get("", "status")?;
        Ok(LockedListing {
            id,
            seller: row.try_get::<Uuid>("", "seller_id")?.into(),
            category: row.try_get::<Uuid>("", "category_id")?.into(),
            title: row.try_get("", "title")?,
            status: status.parse().ok().ok_or_else(|| corrupt("listing's status"))?,
        })
    })
    .transpose()
}

const SPANS: &str = "h.boosted_since, h.boosted_until, h.featured_since, h.featured_until, h.top_since, h.top_until, \
                     h.highlighted_since, h.highlighted_until";

/// A plan, and what is in force for a listing whose row is locked: one statement, after the lock was waited for.
pub(super) async fn plan_and_prominence(
    txn: &DatabaseTransaction,
    plan: BoostPlanId,
    listing: ListingId,
) -> Result<Option<(BoostPlan, Option<Prominence>)>, StoreError> {
    let engine = Engine::of(txn.get_database_backend());
    let sql = format!(
        "SELECT p.id, p.kind, p.slug, p.name, p.price, p.days, p.features, p.top_placement, p.highlight, p.popular, \
         p.sort_order, p.active, p.version, {SPANS}, h.over_at FROM boost_plans p \
         LEFT JOIN listing_prominence h ON h.listing_id = ? WHERE p.id = ?"
    );
    let row = txn.query_one_raw(engine.statement(&sql, [listing.uuid().into(), plan.uuid().into()])).await?;
    row.map(|row| {
        let is_there = row.try_get::<Option<DateTime<Utc>>>("", "over_at")?.is_some();
        let prominence = if is_there { Some(read_prominence(&row)?) } else { None };
        Ok((read_plan(&row)?, prominence))
    })
    .transpose()
}

/// Reads the columns of the spans, by their names.
pub(crate) fn read_prominence(row: &QueryResult) -> Result<Prominence, StoreError> {
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

/// Writes what is in force for a listing whose row is locked. `is_new` says that nothing was.
pub(super) async fn put_prominence(
    txn: &DatabaseTransaction,
    listing: ListingId,
    prominence: Prominence,
    is_new: bool,
) -> Result<(), StoreError> {
    let spans = prominence.spans();
    let over_at = spans.iter().flatten().map(|span| span.until).max();
    let mut values: Vec<Value> = spans
        .iter()
        .flat_map(|span| [span.map(|span| span.since).into(), span.map(|span| span.until).into()])
        .collect();
    values.extend([over_at.unwrap_or_default().into(), listing.uuid().into()]);
    let sql = if is_new {
        "INSERT INTO listing_prominence (boosted_since, boosted_until, featured_since, featured_until, top_since, \
         top_until, highlighted_since, highlighted_until, over_at, listing_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    } else {
        "UPDATE listing_prominence SET boosted_since = ?, boosted_until = ?, featured_since = ?, featured_until = ?, \
         top_since = ?, top_until = ?, highlighted_since = ?, highlighted_until = ?, over_at = ? WHERE listing_id = ?"
    };
    let statement = Engine::of(txn.get_database_backend()).statement(sql, values);
    Ok(txn.execute_raw(statement).await.map(drop)?)
}

/// Takes away what is in force for a listing whose row is locked; with a moment, only if it is over by then.
pub(super) async fn clear_prominence(
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
pub(super) async fn prominent(
    db: &impl ConnectionTrait,
    now: DateTime<Utc>,
) -> Result<Vec<Prominent>, StoreError> {
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
                prominence: read_prominence(row)?,
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

/// Writes a boost that was just paid for, at the given percentage of GST.
pub(super) async fn insert(
    txn: &DatabaseTransaction,
    boost: &BoostView,
    gst_percent: u8,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let insert = Engine::of(txn.get_database_backend()).statement(
        "INSERT INTO boosts (id, listing_id, plan_id, user_id, kind, price, promo_part, available_part, earnings_part, \
         gst_percent, cgst, sgst, charge_journal, refund_journal, refunded, starts_at, ends_at, ended_at, status, \
         created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, 0, ?, ?, NULL, 'RUNNING', ?)",
        [
            boost.id.uuid().into(),
            boost.listing_id.uuid().into(),
            boost.plan_id.uuid().into(),
            boost.user_id.uuid().into(),
            boost.kind.as_str().into(),
            boost.price.amount().into(),
            boost.promo_part.amount().into(),
            boost.available_part.amount().into(),
            boost.earnings_part.amount().into(),
            i32::from(gst_percent).into(),
            boost.cgst.amount().into(),
            boost.sgst.amount().into(),
            boost.journal_id.uuid().into(),
            boost.starts_at.into(),
            boost.ends_at.into(),
            now.into(),
        ],
    );
    Ok(txn.execute_raw(insert).await.map(drop)?)
}

const COLUMNS: &str = "id, listing_id, plan_id, user_id, kind, price, promo_part, available_part, earnings_part, \
                       gst_percent, cgst, sgst, charge_journal, refunded, starts_at, ends_at, ended_at, status";

/// The boosts of a listing, those that begin last first.
pub(super) async fn of_listing(
    db: &impl ConnectionTrait,
    listing: ListingId,
    now: DateTime<Utc>,
) -> Result<Vec<BoostView>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM boosts WHERE listing_id = ? ORDER BY starts_at DESC, id DESC LIMIT 100"
    );
    let statement = Engine::of(db.get_database_backend()).statement(&sql, [listing.uuid().into()]);
    db.query_all_raw(statement).await?.iter().map(|row| read(row, now).map(|(boost, _)| boost)).collect()
}

/// The boosts of a locked listing whose time is not over, with the percentage of GST, locked too.
pub(super) async fn lock_running(
    txn: &DatabaseTransaction,
    listing: ListingId,
    now: DateTime<Utc>,
) -> Result<Vec<(BoostView, u8)>, StoreError> {
    let engine = Engine::of(txn.get_database_backend());
    let sql = format!(
        "SELECT {COLUMNS} FROM boosts WHERE listing_id = ? AND status = 'RUNNING' AND ends_at > ? ORDER BY starts_at, id{}",
        engine.for_update()
    );
    let statement = engine.statement(&sql, [listing.uuid().into(), now.into()]);
    txn.query_all_raw(statement).await?.iter().map(|row| read(row, now)).collect()
}

/// The listings of a seller with boosts whose time is not over, in the order of ids.
pub(super) async fn boosted_of(
    txn: &DatabaseTransaction,
    seller: UserId,
    now: DateTime<Utc>,
) -> Result<Vec<ListingId>, StoreError> {
    let select = Engine::of(txn.get_database_backend()).statement(
        "SELECT DISTINCT listing_id FROM boosts WHERE user_id = ? AND status = 'RUNNING' AND ends_at > ? \
         ORDER BY listing_id",
        [seller.uuid().into(), now.into()],
    );
    let rows = txn.query_all_raw(select).await?;
    rows.iter().map(|row| Ok(row.try_get::<Uuid>("", "listing_id")?.into())).collect()
}

/// Boosts whose time is over and that nobody marked so yet, with their listings, in the order of those.
pub(super) async fn due(
    txn: &DatabaseTransaction,
    now: DateTime<Utc>,
    most: u32,
) -> Result<Vec<(ListingId, BoostId, BoostKind)>, StoreError> {
    let sql = format!(
        "SELECT id, listing_id, kind FROM boosts WHERE status = 'RUNNING' AND ends_at <= ? \
         ORDER BY ends_at, id LIMIT {most}"
    );
    let statement = Engine::of(txn.get_database_backend()).statement(&sql, [now.into()]);
    let rows = txn.query_all_raw(statement).await?;
    let mut due = rows
        .iter()
        .map(|row| {
            let ids = (row.try_get::<Uuid>("", "listing_id")?.into(), row.try_get::<Uuid>("", "id")?.into());
            Ok((ids.0, ids.1, read_kind(row)?))
        })
        .collect::<Result<Vec<(ListingId, BoostId, BoostKind)>, StoreError>>()?;
    due.sort_unstable_by_key(|(listing, boost, _)| (*listing, *boost));
    Ok(due)
}

/// Marks a boost as over at its time; tells whether nobody had before.
pub(super) async fn end(txn: &DatabaseTransaction, id: BoostId) -> Result<bool, StoreError> {
    let update = Engine::of(txn.get_database_backend()).statement(
        "UPDATE boosts SET status = 'ENDED', ended_at = ends_at WHERE id = ? AND status = 'RUNNING'",
        [id.uuid().into()],
    );
    Ok(txn.execute_raw(update).await?.rows_affected() == 1)
}

/// Marks a boost as refunded; tells whether nobody had ended it before.
pub(super) async fn refund(
    txn: &DatabaseTransaction,
    id: BoostId,
    journal: JournalId,
    amount: Money,
    at: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let update = Engine::of(txn.get_database_backend()).statement(
        "UPDATE boosts SET status = 'REFUNDED', refund_journal = ?, refunded = ?, ended_at = ? \
         WHERE id = ? AND status = 'RUNNING'",
        [journal.uuid().into(), amount.amount().into(), at.into(), id.uuid().into()],
    );
    Ok(txn.execute_raw(update).await?.rows_affected() == 1)
}

fn read(row: &QueryResult, now: DateTime<Utc>) -> Result<(BoostView, u8), StoreError> {
    let money = |column: &str| row.try_get("", column).map(Money::inr);
    let (starts_at, ends_at): (DateTime<Utc>, DateTime<Utc>) =
        (row.try_get("", "starts_at")?, row.try_get("", "ends_at")?);
    let status = match row.try_get::<String>("", "status")?.as_str() {
        "RUNNING" if now < starts_at => BoostStatus::Scheduled,
        "RUNNING" if now < ends_at => BoostStatus::Running,
        "RUNNING" | "ENDED" => BoostStatus::Ended,
        "REFUNDED" => BoostStatus::Refunded,
        _ => return Err(corrupt("boost's status")),
    };
    let gst_percent = u8::try_from(row.try_get::<i32>("", "gst_percent")?).ok();
    let boost = BoostView {
        id: row.try_get::<Uuid>("", "id")?.into(),
        listing_id: row.try_get::<Uuid>("", "listing_id")?.into(),
        plan_id: row.try_get::<Uuid>("", "plan_id")?.into(),
        user_id: row.try_get::<Uuid>("", "user_id")?.into(),
        kind: read_kind(row)?,
        price: money("price")?,
        promo_part: money("promo_part")?,
        available_part: money("available_part")?,
        earnings_part: money("earnings_part")?,
        cgst: money("cgst")?,
        sgst: money("sgst")?,
        journal_id: row.try_get::<Uuid>("", "charge_journal")?.into(),
        refunded: money("refunded")?,
        starts_at,
        ends_at,
        ended_at: row.try_get("", "ended_at")?,
        status,
    };
    Ok((boost, gst_percent.ok_or_else(|| corrupt("boost's percentage"))?))
}

fn read_kind(row: &QueryResult) -> Result<BoostKind, StoreError> {
    row.try_get::<String>("", "kind")?.parse().ok().ok_or_else(|| corrupt("boost's kind"))
}

fn corrupt(what: &str) -> StoreError {
    StoreError::Corrupt(format!("a {what}"))
}
