//! The SQL of boosts.

use chrono::{DateTime, Utc};
use kernel::{BoostId, CategoryId, JournalId, ListingId, Money, TypedId, UserId};
use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult, Value};
use store::{Engine, OneStatement, StoreError};
use uuid::Uuid;

use super::{BoostKind, BoostStatus, BoostView, Prominence, in_force};
use crate::events::Facts;
use crate::listing::ListingStatus;

/// What buying a boost needs to know of a listing whose row it has locked.
#[derive(Debug, Clone)]
pub(super) struct LockedListing {
    pub(super) id: ListingId,
    pub(super) seller: UserId,
    category: CategoryId,
    title: String,
    pub(super) status: ListingStatus,
    expires_at: Option<DateTime<Utc>>,
}

impl LockedListing {
    /// Whether it is offered at this moment: the status alone says so until the hourly job has seen that its time is
    /// over.
    pub(super) fn is_offered(&self, now: DateTime<Utc>) -> bool {
        self.status == ListingStatus::Active && self.expires_at.is_none_or(|end| now < end)
    }

    /// Whether the seller has it, and has not deleted it.
    pub(super) fn is_of(&self, seller: UserId) -> bool {
        self.seller == seller && self.status != ListingStatus::Deleted
    }

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
        "SELECT seller_id, category_id, title, status, expires_at FROM listings WHERE id = ?{}",
        engine.for_update()
    );
    let row = txn.query_one_raw(engine.statement(&sql, [id.uuid().into()])).await?;
    row.as_ref().map(|row| read_listing(row, id)).transpose()
}

/// Reads the columns `seller_id`, `category_id`, `title`, `status` and `expires_at`.
pub(super) fn read_listing(row: &QueryResult, id: ListingId) -> Result<LockedListing, StoreError> {
    let status: String = row.try_get("", "status")?;
    Ok(LockedListing {
        id,
        seller: row.try_get::<Uuid>("", "seller_id")?.into(),
        category: row.try_get::<Uuid>("", "category_id")?.into(),
        title: row.try_get("", "title")?,
        status: status.parse().ok().ok_or_else(|| corrupt("listing's status"))?,
        expires_at: row.try_get("", "expires_at")?,
    })
}

/// Writes a boost that was just paid for at the given percentage of GST, and what is in force with it; `is_first` says
/// that nothing was.
pub(super) async fn grant(
    txn: &DatabaseTransaction,
    boost: &BoostView,
    gst_percent: u8,
    prominence: Prominence,
    is_first: bool,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let engine = Engine::of(txn.get_database_backend());
    let insert = insert_boost(None);
    txn.execute_raw(engine.statement(&insert, boost_values(boost, gst_percent, now))).await?;
    let (put, values) = in_force::put(boost.listing_id, prominence, is_first, None);
    txn.execute_raw(engine.statement(&put, values)).await?;
    Ok(())
}

/// The same, added to writes that are made together, if `gate` has a row.
pub(super) fn grant_at_once(
    writes: OneStatement,
    boost: &BoostView,
    gst_percent: u8,
    prominence: Prominence,
    is_first: bool,
    now: DateTime<Utc>,
    gate: &str,
) -> OneStatement {
    let (put, values) = in_force::put(boost.listing_id, prominence, is_first, Some(gate));
    writes.with("boost", &insert_boost(Some(gate)), boost_values(boost, gst_percent, now)).with(
        "prominence",
        &put,
        values,
    )
}

/// What is inserted: a row of `n` values, or the same if `gate` has a row.
pub(super) fn row(n: usize, gate: Option<&str>) -> String {
    let values = Engine::placeholders(n);
    match gate {
        None => format!("VALUES ({values})"),
        Some(gate) => format!("SELECT {values} FROM {gate}"),
    }
}

fn insert_boost(gate: Option<&str>) -> String {
    format!(
        "INSERT INTO boosts (id, listing_id, plan_id, user_id, kind, price, promo_part, available_part, earnings_part, \
         gst_percent, cgst, sgst, charge_journal, refunded, starts_at, ends_at, status, created_at) {}",
        row(18, gate)
    )
}

fn boost_values(boost: &BoostView, gst_percent: u8, now: DateTime<Utc>) -> [Value; 18] {
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
        boost.refunded.amount().into(),
        boost.starts_at.into(),
        boost.ends_at.into(),
        "RUNNING".into(),
        now.into(),
    ]
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
