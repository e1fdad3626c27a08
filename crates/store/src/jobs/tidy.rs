//! What becomes of jobs afterwards: dead ones are listed and revived by staff, finished ones are forgotten.

use chrono::{DateTime, Utc};
use kernel::{JobId, TypedId};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use uuid::Uuid;

use crate::Lag;
use crate::{Engine, StoreError, txn};

/// A job that was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadJob {
    /// Its id.
    pub id: JobId,
    /// What it was.
    pub kind: String,
    /// How often it was tried.
    pub attempts: u32,
    /// What went wrong last.
    pub last_error: Option<String>,
    /// When it was given up.
    pub died_at: DateTime<Utc>,
}

/// The jobs that were given up, latest first.
///
/// # Errors
/// When the database fails.
pub async fn dead_jobs(db: &impl ConnectionTrait, limit: u32) -> Result<Vec<DeadJob>, StoreError> {
    let sql = format!(
        "SELECT id, kind, attempt, last_error, finished_at FROM jobs WHERE state = 'dead' \
         ORDER BY finished_at DESC, id DESC LIMIT {limit}"
    );
    let rows = db.query_all_raw(Engine::of(db.get_database_backend()).statement(&sql, [])).await?;
    rows.iter()
        .map(|row| {
            Ok(DeadJob {
                id: row.try_get::<Uuid>("", "id")?.into(),
                kind: row.try_get("", "kind")?,
                attempts: u32::try_from(row.try_get::<i32>("", "attempt")?).unwrap_or(0),
                last_error: row.try_get("", "last_error")?,
                died_at: row.try_get("", "finished_at")?,
            })
        })
        .collect()
}

/// Gives a dead job all its tries again; false when there is no such dead job.
///
/// # Errors
/// When the database fails.
pub async fn revive_dead_job(
    txn: &DatabaseTransaction,
    id: JobId,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let update = Engine::of(txn.get_database_backend()).statement(
        "UPDATE jobs SET state = 'ready', attempt = 0, due_at = ?, finished_at = NULL WHERE id = ? AND state = 'dead'",
        [now.into(), id.uuid().into()],
    );
    let revived = txn.execute_raw(update).await?.rows_affected() == 1;
    if revived {
        txn::wake_at_commit();
    }
    Ok(revived)
}

/// Removes jobs that were finished before the moment; gives how many. Dead ones stay until somebody decides.
///
/// # Errors
/// When the database fails.
pub async fn forget_finished_jobs(
    txn: &DatabaseTransaction,
    before: DateTime<Utc>,
) -> Result<u64, StoreError> {
    let delete = Engine::of(txn.get_database_backend())
        .statement("DELETE FROM jobs WHERE state = 'done' AND finished_at < ?", [before.into()]);
    Ok(txn.execute_raw(delete).await?.rows_affected())
}

/// How far the workers are behind: since when the oldest job is due that is neither done nor given up. One that is
/// under way is due again when its lease ends.
///
/// # Errors
/// When the database fails.
pub async fn job_lag(db: &impl ConnectionTrait) -> Result<Lag, StoreError> {
    let oldest = "SELECT MIN(due_at) FROM jobs WHERE due_at IS NOT NULL";
    Lag::of(db, oldest, "SELECT COUNT(*) FROM jobs WHERE state = 'dead'").await
}
