//! The right to finish a job, and the fence that takes it away.
//!
//! Every write that ends or prolongs a try names the job, the lease's owner and the attempt. A worker that was
//! paused past its lease finds that another one has taken over: its write changes no row, and it is told so.

use chrono::{DateTime, Utc};
use kernel::JobId;
use sea_orm::{ConnectionTrait, Value};
use uuid::Uuid;

use crate::{Engine, StoreError};

/// The right to finish one try of one job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    job: Uuid,
    owner: Uuid,
    attempt: i32,
}

impl Lease {
    pub(super) fn new(job: Uuid, owner: Uuid, attempt: i32) -> Self {
        Self { job, owner, attempt }
    }

    /// The job it is for.
    pub fn job(&self) -> JobId {
        self.job.into()
    }

    /// Finishes the job in the caller's transaction, so that its effect happens exactly once: a worker that lost
    /// the lease rolls its effect back.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] when another worker has taken over.
    pub async fn finish_in_txn(
        &self,
        txn: &impl ConnectionTrait,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.fenced(
            txn,
            "state = 'done', due_at = NULL, unique_key = NULL, lease_owner = NULL, last_error = NULL, finished_at = ?",
            [now.into()],
        )
        .await
    }

    /// Keeps the job for longer.
    pub(super) async fn prolong(
        &self,
        db: &impl ConnectionTrait,
        until: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.fenced(db, "due_at = ?", [until.into()]).await
    }

    /// Gives the job back to be tried again later.
    pub(super) async fn retry(
        &self,
        db: &impl ConnectionTrait,
        at: DateTime<Utc>,
        error: &str,
    ) -> Result<(), StoreError> {
        self.fenced(
            db,
            "state = 'ready', due_at = ?, lease_owner = NULL, last_error = ?",
            [at.into(), shortened(error)],
        )
        .await
    }

    /// Gives the job back untried, because the worker stops.
    pub(super) async fn release(
        &self,
        db: &impl ConnectionTrait,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.fenced(
            db,
            "state = 'ready', due_at = ?, lease_owner = NULL, attempt = attempt - 1",
            [now.into()],
        )
        .await
    }

    /// Sets the job aside for a person.
    pub(super) async fn bury(
        &self,
        db: &impl ConnectionTrait,
        now: DateTime<Utc>,
        error: &str,
    ) -> Result<(), StoreError> {
        self.fenced(
            db,
            "state = 'dead', due_at = NULL, unique_key = NULL, lease_owner = NULL, finished_at = ?, last_error = ?",
            [now.into(), shortened(error)],
        )
        .await
    }

    async fn fenced<const N: usize>(
        &self,
        db: &impl ConnectionTrait,
        changes: &str,
        values: [Value; N],
    ) -> Result<(), StoreError> {
        let sql = format!("UPDATE jobs SET {changes} WHERE id = ? AND lease_owner = ? AND attempt = ?");
        let fence: [Value; 3] = [self.job.into(), self.owner.into(), self.attempt.into()];
        let statement =
            Engine::of(db.get_database_backend()).statement(&sql, values.into_iter().chain(fence));
        match db.execute_raw(statement).await?.rows_affected() {
            0 => Err(StoreError::LeaseLost),
            _ => Ok(()),
        }
    }
}

/// Errors are kept for people; a page of them is enough.
fn shortened(error: &str) -> Value {
    error.chars().take(1_000).collect::<String>().into()
}
