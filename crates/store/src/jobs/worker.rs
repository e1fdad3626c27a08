//! The loop that claims jobs, runs their handlers, and writes down how it went.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use kernel::{Ambient, JobId};
use sea_orm::DatabaseConnection;

use super::claim::Room;
use super::{ClaimedJob, JobError, JobHandler, Outcome, claim};
use crate::{Backoff, Database, StoreError};

/// How a worker works.
#[derive(Debug, Clone, Copy)]
pub struct WorkerConfig {
    /// How many jobs it runs at a time.
    pub concurrency: usize,
    /// For how long it takes a job; prolonged at a third of it while the handler runs.
    pub lease: Duration,
    /// How often it looks for work that nobody woke it for: jobs due later, and other processes' jobs.
    pub poll: Duration,
    /// The pauses between tries.
    pub backoff: Backoff,
}

impl Default for WorkerConfig {
    fn default() -> Self {
        Self {
            concurrency: 64,
            lease: Duration::from_secs(30),
            poll: Duration::from_secs(1),
            backoff: Backoff { base: Duration::from_secs(2), cap: Duration::from_secs(3_600) },
        }
    }
}

/// Runs jobs of the kinds it has handlers for.
pub struct Worker {
    db: Database,
    ambient: Ambient,
    config: WorkerConfig,
    handlers: HashMap<&'static str, Arc<dyn JobHandler>>,
}

impl Worker {
    /// A worker without handlers.
    pub fn new(db: Database, ambient: Ambient, config: WorkerConfig) -> Self {
        Self { db, ambient, config, handlers: HashMap::new() }
    }

    /// The same worker, able to do one more kind of job.
    #[must_use]
    pub fn with(mut self, handler: impl JobHandler) -> Self {
        self.handlers.insert(handler.kind(), Arc::new(handler));
        self
    }

    /// Works until `stop` completes; then claims no more, finishes what runs within `grace`, and gives the rest back.
    pub async fn run(&self, stop: impl Future<Output = ()>, grace: Duration) {
        let mut bell = self.db.bell();
        let mut running = FuturesUnordered::new();
        let mut held = HashMap::new();
        tokio::pin!(stop);
        loop {
            let claim =
                self.claim(self.config.concurrency.saturating_sub(held.len()), self.room_beside(&held));
            tokio::pin!(claim);
            // What runs goes on meanwhile: a handler within a transaction may hold the connection that the claim
            // waits for, and on SQLite there is no other.
            let claimed = loop {
                tokio::select! {
                    jobs = &mut claim => break jobs,
                    Some(id) = running.next() => { held.remove(&id); }
                }
            };
            for job in claimed {
                held.insert(job.id, job.clone());
                running.push(self.perform(job));
            }
            let full = held.len() >= self.config.concurrency;
            tokio::select! {
                () = &mut stop => break,
                Some(id) = running.next() => { held.remove(&id); }
                _ = bell.changed(), if !full => {}
                () = tokio::time::sleep(self.config.poll), if !full => {}
            }
        }
        let finish = async {
            while let Some(id) = running.next().await {
                held.remove(&id);
            }
        };
        if tokio::time::timeout(grace, finish).await.is_err() {
            drop(running);
            self.give_back(held.values().map(|job| &job.lease)).await;
        }
    }

    /// Runs what is due now, one job after another, until nothing is; gives how many. For tests and commands.
    ///
    /// # Errors
    /// When jobs cannot be claimed.
    pub async fn run_due(&self) -> Result<usize, StoreError> {
        let mut count = 0;
        loop {
            let room = self.room_beside(&HashMap::new());
            let jobs = claim::claim(&self.db, &self.ambient, &room, 1, self.config.lease).await?;
            if jobs.is_empty() {
                return Ok(count);
            }
            for job in jobs {
                self.perform(job).await;
                count += 1;
            }
        }
    }

    fn kinds(&self) -> Vec<&'static str> {
        self.handlers.keys().copied().collect()
    }

    /// How many more of each kind may run beside those that are held.
    fn room_beside(&self, held: &HashMap<JobId, ClaimedJob>) -> Room {
        let of_kind = |kind: &str| held.values().filter(|job| job.kind == kind).count();
        let free = |handler: &Arc<dyn JobHandler>| handler.share().saturating_sub(of_kind(handler.kind()));
        self.handlers.iter().map(|(kind, handler)| (*kind, free(handler))).collect()
    }

    async fn claim(&self, limit: usize, room: Room) -> Vec<ClaimedJob> {
        if limit == 0 || self.handlers.is_empty() {
            return Vec::new();
        }
        match claim::claim(&self.db, &self.ambient, &room, limit, self.config.lease).await {
            Ok(jobs) => jobs,
            Err(error) => {
                tracing::warn!(%error, "jobs could not be claimed; trying again");
                Vec::new()
            }
        }
    }

    /// Runs one job to its end and writes it down; gives its id back.
    async fn perform(&self, job: ClaimedJob) -> JobId {
        let Some(handler) = self.handlers.get(job.kind.as_str()).map(Arc::clone) else {
            return job.id;
        };
        // A panic would end the loop, and with it every kind of job; the panic hook has written it to the log.
        let run = AssertUnwindSafe(handler.run(&job)).catch_unwind();
        let result = tokio::select! {
            result = run => result.unwrap_or_else(|_| Err(JobError::Retry("its handler panicked".to_owned()))),
            lost = self.keep_lease(&job) => Err(JobError::Store(lost)),
        };
        if let Err(error) = self.settle(&job, result).await {
            // The lease will run out, and the job will be tried again.
            tracing::warn!(job.id = %job.id, job.kind = %job.kind, %error, "a job's end could not be written down");
        }
        job.id
    }

    /// Prolongs the lease while the handler runs; completes only when it is lost.
    async fn keep_lease(&self, job: &ClaimedJob) -> StoreError {
        loop {
            tokio::time::sleep(self.config.lease / 3).await;
            let until = self.ambient.now() + self.config.lease;
            match job.lease.prolong(self.writer(), until).await {
                Err(StoreError::LeaseLost) => return StoreError::LeaseLost,
                Err(error) => tracing::warn!(job.id = %job.id, %error, "a lease could not be prolonged"),
                Ok(()) => {}
            }
        }
    }

    async fn settle(&self, job: &ClaimedJob, result: Result<Outcome, JobError>) -> Result<(), StoreError> {
        let now = self.ambient.now();
        let error = match result {
            Ok(outcome) => {
                if outcome == Outcome::Done {
                    job.lease.finish_in_txn(self.writer(), now).await?;
                }
                metrics::counter!("jobs_done_total", "kind" => job.kind.clone()).increment(1);
                return Ok(());
            }
            // Somebody else has it now.
            Err(JobError::Store(StoreError::LeaseLost)) => return Ok(()),
            Err(error) => error,
        };
        metrics::counter!("jobs_failed_total", "kind" => job.kind.clone()).increment(1);
        let text = error.to_string();
        if matches!(error, JobError::Permanent(_)) || job.attempt >= job.max_attempts {
            tracing::error!(job.id = %job.id, job.kind = %job.kind, error = %text, "a job was given up");
            metrics::counter!("jobs_dead_total").increment(1);
            return job.lease.bury(self.writer(), now, &text).await;
        }
        let pause = match error {
            JobError::RetryAfter { pause, .. } => pause,
            _ => self.config.backoff.pause(job.attempt, &self.ambient),
        };
        job.lease.retry(self.writer(), now + pause, &text).await
    }

    async fn give_back(&self, leases: impl Iterator<Item = &super::Lease>) {
        for lease in leases {
            if let Err(error) = lease.release(self.writer(), self.ambient.now()).await {
                tracing::warn!(job.id = %lease.job(), %error, "a job could not be given back; its lease will run out");
            }
        }
    }

    fn writer(&self) -> &DatabaseConnection {
        &self.db.writer
    }
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worker").field("kinds", &self.kinds()).finish_non_exhaustive()
    }
}
