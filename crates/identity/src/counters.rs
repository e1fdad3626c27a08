//! Counting what may happen only so often: one row per window, changed by guarded statements alone, so that no
//! number of parallel requests gets past a limit.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use store::{Engine, StoreError, insert_if_absent};

/// How often something may happen. The window begins with the first time it does.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit<'a> {
    /// What is counted.
    pub(crate) scope: &'static str,
    /// For whom, as a fingerprint or an id.
    pub(crate) subject: &'a str,
    /// How often at most.
    pub(crate) max: u32,
    /// In how long a time.
    pub(crate) window: TimeDelta,
}

/// Whether it may happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It may, and is counted.
    Yes,
    /// It may not until the window ends.
    Full {
        /// How long that is.
        retry_after: Duration,
    },
}

/// Counts one more, unless the window is full.
pub(crate) async fn take_in_txn(
    txn: &DatabaseTransaction,
    limit: Limit<'_>,
    now: DateTime<Utc>,
) -> Result<Taken, StoreError> {
    let engine = Engine::of(txn.get_database_backend());
    if add(txn, limit, now).await? {
        return Ok(Taken::Yes);
    }
    let insert = engine.statement(
        "INSERT INTO identity_counters (scope, subject, n, window_ends_at) VALUES (?, ?, 1, ?)",
        [limit.scope.into(), limit.subject.into(), (now + limit.window).into()],
    );
    if limit.max > 0 && insert_if_absent(txn, insert).await? {
        return Ok(Taken::Yes);
    }
    // The row may have been made by another request since the first look.
    if add(txn, limit, now).await? {
        return Ok(Taken::Yes);
    }
    let select = engine.statement(
        "SELECT window_ends_at FROM identity_counters WHERE scope = ? AND subject = ?",
        [limit.scope.into(), limit.subject.into()],
    );
    let ends_at: Option<DateTime<Utc>> = match txn.query_one_raw(select).await? {
        Some(row) => Some(row.try_get("", "window_ends_at")?),
        None => None,
    };
    Ok(Taken::Full { retry_after: until(ends_at.unwrap_or(now + limit.window), now) })
}

/// Takes back what was counted in this very transaction.
pub(crate) async fn give_back_in_txn(txn: &DatabaseTransaction, limit: Limit<'_>) -> Result<(), StoreError> {
    let update = Engine::of(txn.get_database_backend()).statement(
        "UPDATE identity_counters SET n = n - 1 WHERE scope = ? AND subject = ? AND n > 0",
        [limit.scope.into(), limit.subject.into()],
    );
    txn.execute_raw(update).await?;
    Ok(())
}

async fn add(txn: &DatabaseTransaction, limit: Limit<'_>, now: DateTime<Utc>) -> Result<bool, StoreError> {
    // MariaDB assigns from left to right and would see the new end of the window in what follows it: so `n` first.
    let update = Engine::of(txn.get_database_backend()).statement(
        "UPDATE identity_counters SET \
         n = CASE WHEN window_ends_at <= ? THEN 1 ELSE n + 1 END, \
         window_ends_at = CASE WHEN window_ends_at <= ? THEN ? ELSE window_ends_at END \
         WHERE scope = ? AND subject = ? AND (n < ? OR window_ends_at <= ?)",
        [
            now.into(),
            now.into(),
            (now + limit.window).into(),
            limit.scope.into(),
            limit.subject.into(),
            i32::try_from(limit.max).unwrap_or(i32::MAX).into(),
            now.into(),
        ],
    );
    Ok(txn.execute_raw(update).await?.rows_affected() == 1)
}

/// How long until the moment, in whole seconds, at least one.
pub(crate) fn until(moment: DateTime<Utc>, now: DateTime<Utc>) -> Duration {
    let millis = u64::try_from((moment - now).num_milliseconds()).unwrap_or(0);
    Duration::from_secs(millis.div_ceil(1_000).max(1))
}
