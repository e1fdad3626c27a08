//! Asking for a job, in the transaction that needs it done.

use chrono::{DateTime, Utc};
use kernel::{Ambient, JobId, TypedId};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde_json::Value as Json;

use crate::{Engine, StoreError, insert_if_absent, txn};

/// A job to be done.
#[derive(Debug, Clone, PartialEq)]
pub struct NewJob {
    kind: &'static str,
    payload: Json,
    run_at: Option<DateTime<Utc>>,
    max_attempts: u32,
    unique_key: Option<String>,
}

impl NewJob {
    /// A job to be done at once, with up to 20 tries.
    pub fn new(kind: &'static str, payload: Json) -> Self {
        Self { kind, payload, run_at: None, max_attempts: 20, unique_key: None }
    }

    /// Not before this moment.
    #[must_use]
    pub fn at(mut self, moment: DateTime<Utc>) -> Self {
        self.run_at = Some(moment);
        self
    }

    /// Given up after so many tries.
    #[must_use]
    pub fn max_attempts(mut self, tries: u32) -> Self {
        self.max_attempts = tries.max(1);
        self
    }

    /// At most one unfinished job carries this key.
    #[must_use]
    pub fn unique(mut self, key: impl Into<String>) -> Self {
        self.unique_key = Some(key.into());
        self
    }
}

/// Writes the job. It exists once the transaction commits, which also wakes the workers of this process.
/// `None` when an unfinished job has the same unique key.
///
/// # Errors
/// When the database fails.
pub async fn enqueue_in_txn(
    txn: &DatabaseTransaction,
    ambient: &Ambient,
    job: NewJob,
) -> Result<Option<JobId>, StoreError> {
    let id: JobId = ambient.new_id();
    let now = ambient.now();
    let is_unique = job.unique_key.is_some();
    let insert = Engine::of(txn.get_database_backend()).statement(
        "INSERT INTO jobs (id, kind, payload, unique_key, state, due_at, attempt, max_attempts, created_at) \
         VALUES (?, ?, ?, ?, 'ready', ?, 0, ?, ?)",
        [
            id.uuid().into(),
            job.kind.into(),
            job.payload.into(),
            job.unique_key.into(),
            job.run_at.unwrap_or(now).into(),
            i32::try_from(job.max_attempts).unwrap_or(i32::MAX).into(),
            now.into(),
        ],
    );
    if is_unique {
        if !insert_if_absent(txn, insert).await? {
            return Ok(None);
        }
    } else {
        txn.execute_raw(insert).await?;
    }
    txn::wake_at_commit();
    Ok(Some(id))
}
