//! Workers with more to do than they can at a time: each effect happens once, and no kind of jobs takes all the room.

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
use tokio::sync::Semaphore;

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

/// Waits until it is let go, as a call to a server that does not answer.
struct Waits {
    running: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
    gate: Arc<Semaphore>,
}

#[async_trait]
impl JobHandler for Waits {
    fn kind(&self) -> &'static str {
        "waits"
    }

    fn share(&self) -> usize {
        2
    }

    async fn run(&self, _: &ClaimedJob) -> Result<Outcome, JobError> {
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(running, Ordering::SeqCst);
        self.gate.acquire().await.unwrap().forget();
        self.running.fetch_sub(1, Ordering::SeqCst);
        Ok(Outcome::Done)
    }
}

on_every_engine! { Scope::Store =>
    /// What waits takes its share of the worker and no more, also when all of it stood before the rest.
    async fn jobs_that_wait_leave_room_for_the_others(db: TestDb) {
        make_effects(db).await;
        let ambient = Ambient::system();
        let (running, most, gate) = (Arc::default(), Arc::default(), Arc::new(Semaphore::new(0)));
        let waits = Waits { running: Arc::clone(&running), most: Arc::clone(&most), gate: Arc::clone(&gate) };
        let effect = Effect { db: db.database().clone(), ambient: ambient.clone(), runs: Arc::default() };
        db.in_txn(async |txn| {
            for _ in 0..12 {
                enqueue_in_txn(txn, &ambient, NewJob::new("waits", json!({}))).await?;
            }
            for n in 0..4 {
                enqueue_in_txn(txn, &ambient, NewJob::new("effect", json!({ "n": n }))).await?;
            }
            Ok::<_, StoreError>(())
        })
        .await
        .unwrap();
        let config = WorkerConfig { concurrency: 3, poll: Duration::from_millis(5), ..WorkerConfig::default() };
        let worker = Worker::new(db.database().clone(), ambient.clone(), config).with(waits).with(effect);
        let worker = tokio::spawn(async move { worker.run(std::future::pending(), Duration::ZERO).await });
        until("the others are done", async || count(db, "effects").await == 4).await;
        assert_eq!(running.load(Ordering::SeqCst), 2, "and two are still waiting");
        gate.add_permits(12);
        until("all are done", async || count(db, "jobs WHERE state = 'done'").await == 16).await;
        worker.abort();
        assert_eq!(most.load(Ordering::SeqCst), 2);
    }

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
