//! Events that were given up: listed for staff, and offered again when they say so; and how far the relay is behind.

use chrono::{DateTime, Utc};
use kernel::{EventId, TypedId};
use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult};
use uuid::Uuid;

use crate::Lag;
use crate::{Engine, StoreError, txn};

const COLUMNS: &str = "id, subject, kind, attempt, last_error, created_at, dead_at";

/// An event that was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadEvent {
    /// Its id.
    pub id: EventId,
    /// What it is about.
    pub subject: String,
    /// What happened.
    pub kind: String,
    /// How often it was offered.
    pub attempts: u32,
    /// Why it was not taken the last time.
    pub last_error: Option<String>,
    /// When it was written.
    pub written_at: DateTime<Utc>,
    /// When it was given up.
    pub died_at: DateTime<Utc>,
}

/// The events that were given up, latest first.
///
/// # Errors
/// When the database fails.
pub async fn dead_events(db: &impl ConnectionTrait, limit: u32) -> Result<Vec<DeadEvent>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM outbox_events WHERE dead_at IS NOT NULL ORDER BY dead_at DESC, position DESC LIMIT {limit}"
    );
    let rows = db.query_all_raw(Engine::of(db.get_database_backend()).statement(&sql, [])).await?;
    rows.iter().map(read).collect()
}

/// One of them, locked until the transaction ends.
///
/// # Errors
/// When the database fails.
pub async fn dead_event(txn: &DatabaseTransaction, id: EventId) -> Result<Option<DeadEvent>, StoreError> {
    let engine = Engine::of(txn.get_database_backend());
    let sql = format!(
        "SELECT {COLUMNS} FROM outbox_events WHERE id = ? AND dead_at IS NOT NULL{}",
        engine.for_update()
    );
    txn.query_one_raw(engine.statement(&sql, [id.uuid().into()])).await?.as_ref().map(read).transpose()
}

/// Gives a dead event all its tries again; false when there is no such dead event. It is told after what its subject
/// has told meanwhile, which is why its consumers look at the state and not at the order alone.
///
/// # Errors
/// When the database fails.
pub async fn revive_dead_event(
    txn: &DatabaseTransaction,
    id: EventId,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let update = Engine::of(txn.get_database_backend()).statement(
        "UPDATE outbox_events SET attempt = 0, due_at = ?, dead_at = NULL WHERE id = ? AND dead_at IS NOT NULL",
        [now.into(), id.uuid().into()],
    );
    let revived = txn.execute_raw(update).await?.rows_affected() == 1;
    if revived {
        txn::wake_at_commit();
    }
    Ok(revived)
}

/// How far the relay is behind: since when the oldest event waits that is neither relayed nor given up.
///
/// # Errors
/// When the database fails.
pub async fn outbox_lag(db: &impl ConnectionTrait) -> Result<Lag, StoreError> {
    let oldest = "SELECT MIN(created_at) FROM outbox_events WHERE due_at IS NOT NULL";
    Lag::of(db, oldest, "SELECT COUNT(*) FROM outbox_events WHERE dead_at IS NOT NULL").await
}

fn read(row: &QueryResult) -> Result<DeadEvent, StoreError> {
    Ok(DeadEvent {
        id: row.try_get::<Uuid>("", "id")?.into(),
        subject: row.try_get("", "subject")?,
        kind: row.try_get("", "kind")?,
        attempts: u32::try_from(row.try_get::<i32>("", "attempt")?).unwrap_or(0),
        last_error: row.try_get("", "last_error")?,
        written_at: row.try_get("", "created_at")?,
        died_at: row.try_get("", "dead_at")?,
    })
}
