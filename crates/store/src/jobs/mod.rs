//! Background jobs: rows written in the transaction that wants them done, run at least once by whichever worker
//! claims them, and finished only by the one that still holds the lease.

mod claim;
mod enqueue;
mod lease;
mod tidy;
mod worker;

use std::time::Duration;

use async_trait::async_trait;
use kernel::JobId;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use thiserror::Error;

use crate::StoreError;

pub use enqueue::{NewJob, enqueue_in_txn};
pub use lease::Lease;
pub use tidy::{DeadJob, dead_jobs, forget_finished_jobs, job_lag, revive_dead_job};
pub use worker::{Worker, WorkerConfig};

/// A job that this worker holds.
#[derive(Debug, Clone)]
pub struct ClaimedJob {
    /// Its id.
    pub id: JobId,
    /// What it is: the name of its handler.
    pub kind: String,
    /// What it needs to know.
    pub payload: Json,
    /// Which try this is, from 1.
    pub attempt: u32,
    /// After how many tries it is given up.
    pub max_attempts: u32,
    /// The right to finish it.
    pub lease: Lease,
}

impl ClaimedJob {
    /// The payload as the handler's type.
    ///
    /// # Errors
    /// [`JobError::Permanent`] when it is not of that form: trying again cannot help.
    pub fn payload<T: DeserializeOwned>(&self) -> Result<T, JobError> {
        serde_json::from_value(self.payload.clone()).map_err(|error| JobError::Permanent(error.to_string()))
    }
}

/// How a job ended well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The work is done; the worker writes it down.
    Done,
    /// The handler called [`Lease::finish_in_txn`] in the transaction of its effect, which makes the effect happen
    /// exactly once.
    Finished,
}

/// Why a try failed. The text is kept with the job, so it must hold no secret and no contact details.
#[derive(Debug, Error)]
pub enum JobError {
    /// It may work later.
    #[error("{0}")]
    Retry(String),
    /// It may work after this pause, which somebody else asked for.
    #[error("{reason}")]
    RetryAfter {
        /// What happened.
        reason: String,
        /// How long to wait.
        pause: Duration,
    },
    /// It will never work; a person must look at it.
    #[error("{0}")]
    Permanent(String),
    /// The database failed, or the lease was lost.
    #[error(transparent)]
    Store(#[from] StoreError),
}

crate::store_errors!(JobError);

/// Does the jobs of one kind. It may be called more than once for a job, also at the same time, when a worker
/// stops answering; only the holder of the lease can finish.
#[async_trait]
pub trait JobHandler: Send + Sync + 'static {
    /// The kind of jobs it does.
    fn kind(&self) -> &'static str;

    /// How many of them one worker does at a time at most. Jobs that wait for somebody else's server have a share of
    /// the worker, so that one who does not answer holds up nothing but more of the same.
    fn share(&self) -> usize {
        usize::MAX
    }

    /// Does one.
    async fn run(&self, job: &ClaimedJob) -> Result<Outcome, JobError>;
}
