//! The handler under test: its effect is a row, written in the transaction that finishes the job.

use std::time::Duration;

use async_trait::async_trait;
use kernel::{Ambient, TypedId};
use store::{ClaimedJob, Database, JobError, JobHandler, Lease, Outcome, StoreError};

use super::KIND;
use super::tables::{Table, Try};

/// Works for a while, then writes its effect and finishes the job in one transaction.
#[derive(Debug, Clone)]
pub struct CountedEffect {
    /// Where.
    pub db: Database,
    /// The time of day and the length of the work.
    pub ambient: Ambient,
    /// Which worker process this is.
    pub worker: i32,
    /// The longest work; each try takes a random part of it.
    pub work: Duration,
}

#[async_trait]
impl JobHandler for CountedEffect {
    fn kind(&self) -> &'static str {
        KIND
    }

    async fn run(&self, job: &ClaimedJob) -> Result<Outcome, JobError> {
        let this = Try {
            job: job.id.uuid(),
            attempt: i32::try_from(job.attempt).unwrap_or(i32::MAX),
            worker: self.worker,
        };
        self.db.in_txn(async |txn| this.write(txn, Table::Runs).await).await?;
        // In a task of its own, which goes on when the worker gives the handler up for a lost lease: here it must
        // be the fence alone that stops a second effect.
        let handler = self.clone();
        let lease = job.lease;
        let work = tokio::spawn(async move { handler.work(this, lease).await });
        match work.await {
            Ok(done) => Ok(done.map(|()| Outcome::Finished)?),
            Err(error) => Err(JobError::Permanent(error.to_string())),
        }
    }
}

impl CountedEffect {
    async fn work(&self, this: Try, lease: Lease) -> Result<(), StoreError> {
        let millis = u64::try_from(self.work.as_millis()).unwrap_or(u64::MAX);
        tokio::time::sleep(Duration::from_millis(self.ambient.random_below(millis.saturating_add(1)))).await;
        let finished = self
            .db
            .in_txn(async |txn| {
                this.write(txn, Table::Effects).await?;
                lease.finish_in_txn(txn, self.ambient.now()).await
            })
            .await;
        if let Err(StoreError::LeaseLost) = finished {
            self.db.in_txn(async |txn| this.write(txn, Table::Refusals).await).await?;
        }
        finished
    }
}
