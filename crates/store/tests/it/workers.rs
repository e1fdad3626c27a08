//! Three workers and a thousand jobs, some of which fail or are run twice: each effect happens once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use kernel::Ambient;
use serde_json::json;
use store::{
    ClaimedJob, Database, JobError, JobHandler, NewJob, Outcome, StoreError, Worker, WorkerConfig,
    enqueue_in_txn,
};
use testkit::{Scope, on_every_engine};

use crate::leases::{finish_with_effect, make_effects};
use crate::support::{SHORT, another_process, count, until};

const JOBS: i64 = 1_000;

/// Fails before its effect now and then, and now and then reports a failure after it.
struct Effect {
    db: Database,
    ambient: Ambient,
    runs: Arc<AtomicUsize>,
}

#[async_trait]
impl JobHandler for Effect {
    fn kind(&self) -> &'static str {
        "effect"
    }

    async fn run(&self, job: &ClaimedJob) -> Result<Outcome, JobError> {
        let run = self.runs.fetch_add(1, Ordering::SeqCst);
        if run % 50 == 7 {
            return Err(JobError::Retry("before".to_owned()));
        }
        let outcome = finish_with_effect(&self.db, &self.ambient, job).await;
        if run % 50 == 31 { Err(JobError::Retry("after".to_owned())) } else { outcome }
    }
}

on_every_engine! { Scope::Store =>
    async fn three_workers_do_a_thousand_jobs_each_once(db: TestDb) {
        make_effects(db).await;
        let ambient = Ambient::system();
        let runs = Arc::new(AtomicUsize::new(0));
        let config = WorkerConfig {
            concurrency: 4,
            poll: Duration::from_millis(5),
            backoff: SHORT,
            ..WorkerConfig::default()
        };
        let mut workers = Vec::new();
        for _ in 0..3 {
            let process = another_process(db).await;
            let handler = Effect { db: process.clone(), ambient: ambient.clone(), runs: Arc::clone(&runs) };
            let worker = Worker::new(process, ambient.clone(), config).with(handler);
            workers.push(tokio::spawn(async move { worker.run(std::future::pending(), Duration::ZERO).await }));
        }
        for hundred in 0..JOBS / 100 {
            db.in_txn(async |txn| {
                for n in hundred * 100..(hundred + 1) * 100 {
                    enqueue_in_txn(txn, &ambient, NewJob::new("effect", json!({ "n": n }))).await?;
                }
                Ok::<_, StoreError>(())
            })
            .await
            .unwrap();
        }
        until("all are done", async || count(db, "jobs WHERE state = 'done'").await == JOBS).await;
        workers.iter().for_each(tokio::task::JoinHandle::abort);
        let once = "(SELECT n FROM effects GROUP BY n HAVING COUNT(*) = 1) AS once";
        assert_eq!((count(db, "effects").await, count(db, once).await), (JOBS, JOBS));
        assert!(runs.load(Ordering::SeqCst) > usize::try_from(JOBS).unwrap(), "some ran twice");
    }
}
