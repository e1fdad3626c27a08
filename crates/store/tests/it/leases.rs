//! Leases: who holds one may finish, who lost it may not, and who dies over a job does so a counted number of times.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use kernel::Ambient;
use sea_orm::ConnectionTrait;
use serde_json::json;
use store::{ClaimedJob, Database, JobError, JobHandler, NewJob, Outcome, Worker, WorkerConfig, dead_jobs};
use testkit::{FakeClock, Scope, on_every_engine};
use tokio::sync::Notify;

use crate::jobs::enqueue;
use crate::support::{another_process, count, until};

pub(crate) async fn make_effects(db: &Database) {
    let table = "CREATE TABLE effects (n BIGINT NOT NULL, attempt BIGINT NOT NULL)";
    db.schema_connection().execute_unprepared(table).await.unwrap();
}

/// Leaves an effect and finishes the job, in one transaction.
pub(crate) async fn finish_with_effect(
    db: &Database,
    ambient: &Ambient,
    job: &ClaimedJob,
) -> Result<Outcome, JobError> {
    let n = job.payload["n"].as_i64().unwrap();
    db.in_txn(async |txn| {
        let values = [n.into(), i64::from(job.attempt).into()];
        txn.execute_raw(db.engine().statement("INSERT INTO effects (n, attempt) VALUES (?, ?)", values))
            .await?;
        job.lease.finish_in_txn(txn, ambient.now()).await?;
        Ok::<_, JobError>(Outcome::Finished)
    })
    .await
}

/// Waits until it is let go on; then leaves its effect in the transaction that finishes, or just says that it is done.
#[derive(Clone)]
struct Paused {
    db: Database,
    ambient: Ambient,
    in_txn: bool,
    begun: Arc<Notify>,
    go_on: Arc<Notify>,
}

#[async_trait]
impl JobHandler for Paused {
    fn kind(&self) -> &'static str {
        "paused"
    }

    async fn run(&self, job: &ClaimedJob) -> Result<Outcome, JobError> {
        self.begun.notify_one();
        self.go_on.notified().await;
        if self.in_txn { finish_with_effect(&self.db, &self.ambient, job).await } else { Ok(Outcome::Done) }
    }
}

fn paused(db: &Database, ambient: &Ambient, in_txn: bool) -> Paused {
    let (begun, go_on) = (Arc::default(), Arc::default());
    Paused { db: db.clone(), ambient: ambient.clone(), in_txn, begun, go_on }
}

fn start(db: &Database, ambient: &Ambient, handler: &Paused) -> tokio::task::JoinHandle<usize> {
    let worker = Worker::new(db.clone(), ambient.clone(), WorkerConfig::default()).with(handler.clone());
    tokio::spawn(async move { worker.run_due().await.unwrap() })
}

fn job() -> NewJob {
    NewJob::new("paused", json!({"n": 1}))
}

on_every_engine! { Scope::Store =>
    /// A worker stops longer than its lease, and another takes the job. Whatever the first then does is refused,
    /// while the second is at work and after it.
    async fn a_paused_worker_cannot_finish_a_job_that_another_took(db: TestDb) {
        make_effects(db).await;
        for in_txn in [false, true] {
            let clock = FakeClock::at("2026-01-01T00:00:00Z");
            let ambient = testkit::ambient(&clock);
            enqueue(db, &ambient, job()).await.unwrap();
            let (first, second) = (paused(db, &ambient, in_txn), paused(db, &ambient, true));
            let first_worker = start(db, &ambient, &first);
            first.begun.notified().await;
            clock.advance(TimeDelta::seconds(31));
            let second_worker = start(db, &ambient, &second);
            second.begun.notified().await;

            first.go_on.notify_one();
            first_worker.await.unwrap();
            assert_eq!(count(db, "jobs WHERE state = 'running' AND attempt = 2").await, 1, "in_txn: {in_txn}");
            assert_eq!(count(db, "effects WHERE attempt = 1").await, 0, "its effect is rolled back");
            second.go_on.notify_one();
            second_worker.await.unwrap();
        }
        assert_eq!(count(db, "jobs WHERE state = 'done' AND attempt = 2").await, 2);
        assert_eq!(count(db, "effects WHERE attempt = 2").await, 2);
    }

    async fn a_lease_holds_until_its_last_moment(db: TestDb) {
        let clock = FakeClock::at("2026-01-01T00:00:00Z");
        let ambient = testkit::ambient(&clock);
        enqueue(db, &ambient, job()).await.unwrap();
        let first = paused(db, &ambient, false);
        let first_worker = start(db, &ambient, &first);
        first.begun.notified().await;
        clock.advance(TimeDelta::seconds(30) - TimeDelta::microseconds(1));
        assert_eq!(start(db, &ambient, &paused(db, &ambient, false)).await.unwrap(), 0);
        first.go_on.notify_one();
        first_worker.await.unwrap();
        assert_eq!(count(db, "jobs WHERE state = 'done' AND attempt = 1").await, 1);
    }

    async fn a_job_that_kills_its_workers_is_set_aside(db: TestDb) {
        let clock = FakeClock::at("2026-01-01T00:00:00Z");
        let ambient = testkit::ambient(&clock);
        let id = enqueue(db, &ambient, job().max_attempts(3)).await.unwrap();
        for _ in 0..3 {
            let victim = paused(db, &ambient, false);
            let worker = start(db, &ambient, &victim);
            victim.begun.notified().await;
            worker.abort();
            assert!(worker.await.unwrap_err().is_cancelled());
            clock.advance(TimeDelta::seconds(31));
        }
        assert_eq!(start(db, &ambient, &paused(db, &ambient, false)).await.unwrap(), 0);
        let dead = dead_jobs(db.reader().unwrap(), 10).await.unwrap();
        assert_eq!((dead[0].id, dead[0].attempts, dead[0].died_at), (id, 3, ambient.now()));
        assert_eq!(dead[0].last_error.as_deref(), Some("its workers stopped without an answer"));
    }

    /// The handler needs three leases' time. Its worker keeps the job all along, and a second one never gets it.
    async fn a_lease_is_prolonged_while_its_handler_runs(db: TestDb) {
        let ambient = Ambient::system();
        let runs = Arc::new(AtomicUsize::new(0));
        let config = WorkerConfig {
            lease: Duration::from_millis(1_500),
            poll: Duration::from_millis(20),
            ..WorkerConfig::default()
        };
        enqueue(db, &ambient, NewJob::new("slow", json!({}))).await.unwrap();
        let mut workers = Vec::new();
        for _ in 0..2 {
            let handler = Slow { runs: Arc::clone(&runs), for_how_long: Duration::from_millis(4_500) };
            let worker = Worker::new(another_process(db).await, ambient.clone(), config).with(handler);
            workers.push(tokio::spawn(async move { worker.run(std::future::pending(), Duration::ZERO).await }));
        }
        until("it is done", async || count(db, "jobs WHERE state = 'done'").await == 1).await;
        workers.iter().for_each(tokio::task::JoinHandle::abort);
        assert_eq!((runs.load(Ordering::SeqCst), count(db, "jobs WHERE attempt = 1").await), (1, 1));
    }

    async fn a_worker_that_stops_gives_back_what_it_could_not_finish(db: TestDb) {
        let ambient = Ambient::system();
        let runs = Arc::new(AtomicUsize::new(0));
        let handler = Slow { runs: Arc::clone(&runs), for_how_long: Duration::from_secs(60) };
        let worker = Worker::new(db.database().clone(), ambient.clone(), WorkerConfig::default()).with(handler);
        enqueue(db, &ambient, NewJob::new("slow", json!({}))).await.unwrap();
        let stop = Arc::new(Notify::new());
        let stopped = Arc::clone(&stop);
        let running = tokio::spawn(async move { worker.run(stopped.notified(), Duration::from_millis(50)).await });
        until("it runs", async || runs.load(Ordering::SeqCst) == 1).await;
        stop.notify_one();
        running.await.unwrap();
        let given_back = "jobs WHERE state = 'ready' AND attempt = 0 AND lease_owner IS NULL";
        assert_eq!(count(db, given_back).await, 1, "untried, for another to take at once");

        let next = Slow { runs: Arc::clone(&runs), for_how_long: Duration::ZERO };
        let worker = Worker::new(db.database().clone(), ambient, WorkerConfig::default()).with(next);
        assert_eq!(worker.run_due().await.unwrap(), 1);
    }
}

struct Slow {
    runs: Arc<AtomicUsize>,
    for_how_long: Duration,
}

#[async_trait]
impl JobHandler for Slow {
    fn kind(&self) -> &'static str {
        "slow"
    }

    async fn run(&self, _: &ClaimedJob) -> Result<Outcome, JobError> {
        self.runs.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(self.for_how_long).await;
        Ok(Outcome::Done)
    }
}
