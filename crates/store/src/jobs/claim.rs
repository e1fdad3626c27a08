//! Taking due jobs: each by one worker at a time.
//!
//! `due_at` tells when a row is next to be looked at: when it may run, or, while it runs, when its lease ends. It
//! is null for jobs that are finished or dead, so one index finds all the work there is.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use kernel::Ambient;
use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult};
use uuid::Uuid;

use super::{ClaimedJob, Lease};
use crate::{Database, Engine, StoreError};

/// How many jobs of a kind there is room for.
pub(super) type Room = HashMap<&'static str, usize>;

/// Takes up to `limit` due jobs under a new lease, of each kind as many as there is room for. A job whose tries are
/// used up by workers that died over it is set aside as dead instead.
pub(super) async fn claim(
    db: &Database,
    ambient: &Ambient,
    room: &Room,
    limit: usize,
    lease_for: Duration,
) -> Result<Vec<ClaimedJob>, StoreError> {
    let owner = ambient.new_uuid();
    db.in_txn(async |txn| {
        let now = ambient.now();
        let until = now + lease_for;
        let mut room = room.clone();
        let mut claimed = Vec::new();
        loop {
            room.retain(|_, free| *free > 0);
            let wanted = limit - claimed.len();
            if room.is_empty() || wanted == 0 {
                return Ok(claimed);
            }
            let kinds: Vec<_> = room.keys().copied().collect();
            let rows = due(txn, &kinds, wanted, now).await?;
            let mut is_passed_over = false;
            for row in &rows {
                let kind: String = row.try_get("", "kind")?;
                let free = room.get_mut(kind.as_str()).filter(|free| **free > 0);
                let Some(free) = free else {
                    is_passed_over = true;
                    continue;
                };
                if let Some(job) = take(txn, row, kind, owner, now, until).await? {
                    *free -= 1;
                    claimed.push(job);
                }
            }
            // Those that were passed over may have stood before others that there is room for.
            if !is_passed_over {
                return Ok(claimed);
            }
        }
    })
    .await
}

async fn due(
    txn: &DatabaseTransaction,
    kinds: &[&'static str],
    limit: usize,
    now: DateTime<Utc>,
) -> Result<Vec<QueryResult>, StoreError> {
    let engine = Engine::of(txn.get_database_backend());
    let sql = format!(
        "SELECT id, kind, payload, attempt, max_attempts FROM jobs WHERE due_at <= ? AND kind IN ({}) \
         ORDER BY due_at LIMIT {limit}{}",
        Engine::placeholders(kinds.len()),
        engine.for_update_skip_locked(),
    );
    let values = std::iter::once(now.into()).chain(kinds.iter().map(|kind| (*kind).into()));
    Ok(txn.query_all_raw(engine.statement(&sql, values)).await?)
}

async fn take(
    txn: &DatabaseTransaction,
    row: &QueryResult,
    kind: String,
    owner: Uuid,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<Option<ClaimedJob>, StoreError> {
    let engine = Engine::of(txn.get_database_backend());
    let id: Uuid = row.try_get("", "id")?;
    let tried: i32 = row.try_get("", "attempt")?;
    let max: i32 = row.try_get("", "max_attempts")?;
    if tried >= max {
        let bury = "UPDATE jobs SET state = 'dead', due_at = NULL, unique_key = NULL, lease_owner = NULL, \
                    last_error = 'its workers stopped without an answer', finished_at = ? WHERE id = ?";
        txn.execute_raw(engine.statement(bury, [now.into(), id.into()])).await?;
        metrics::counter!("jobs_dead_total").increment(1);
        return Ok(None);
    }
    let attempt = tried + 1;
    let take = "UPDATE jobs SET state = 'running', attempt = ?, lease_owner = ?, due_at = ? WHERE id = ?";
    txn.execute_raw(engine.statement(take, [attempt.into(), owner.into(), until.into(), id.into()])).await?;
    Ok(Some(ClaimedJob {
        id: id.into(),
        kind,
        payload: row.try_get("", "payload")?,
        attempt: u32::try_from(attempt).unwrap_or(1),
        max_attempts: u32::try_from(max).unwrap_or(1),
        lease: Lease::new(id, owner, attempt),
    }))
}
