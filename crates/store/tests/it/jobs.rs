//! Jobs through one worker: what is run, how often, after which pauses, and when it is given up.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use kernel::{Ambient, JobId};
use serde_json::json;
use store::{
    Backoff, ClaimedJob, Database, JobError, JobHandler, NewJob, Outcome, StoreError, Worker, WorkerConfig,
    dead_jobs, enqueue_in_txn, forget_finished_jobs, revive_dead_job,
};
use testkit::{FakeClock, Scope, on_every_engine};

use crate::support::{count, row};

/// Runs by a script: the next answer for each run, and `Done` once it is used up.
#[derive(Clone, Default)]
struct Scripted {
    answers: Arc<Mutex<VecDeque<JobError>>>,
    runs: Arc<Mutex<Vec<u32>>>,
}

impl Scripted {
    fn new(answers: impl IntoIterator<Item = JobError>) -> Self {
        Self { answers: Arc::new(Mutex::new(answers.into_iter().collect())), runs: Arc::default() }
    }

    fn runs(&self) -> Vec<u32> {
        self.runs.lock().unwrap().clone()
    }
}

#[async_trait]
impl JobHandler for Scripted {
    fn kind(&self) -> &'static str {
        "scripted"
    }

    async fn run(&self, job: &ClaimedJob) -> Result<Outcome, JobError> {
        self.runs.lock().unwrap().push(job.attempt);
        match self.answers.lock().unwrap().pop_front() {
            Some(error) => Err(error),
            None => Ok(Outcome::Done),
        }
    }
}

struct Panicking;

#[async_trait]
impl JobHandler for Panicking {
    fn kind(&self) -> &'static str {
        "panicking"
    }

    async fn run(&self, _: &ClaimedJob) -> Result<Outcome, JobError> {
        panic!("a fault of the handler's own");
    }
}

fn failing(times: usize) -> impl Iterator<Item = JobError> {
    (0..times).map(|_| JobError::Retry("not yet".to_owned()))
}

pub(crate) async fn enqueue(db: &Database, ambient: &Ambient, job: NewJob) -> Option<JobId> {
    db.in_txn(async |txn| enqueue_in_txn(txn, ambient, job.clone()).await).await.unwrap()
}

fn job() -> NewJob {
    NewJob::new("scripted", json!({"n": 1}))
}

const CURVE: Backoff = Backoff { base: Duration::from_secs(2), cap: Duration::from_secs(20) };

fn worker(db: &Database, ambient: &Ambient, handler: &Scripted) -> Worker {
    let config = WorkerConfig { backoff: CURVE, ..WorkerConfig::default() };
    Worker::new(db.clone(), ambient.clone(), config).with(handler.clone())
}

async fn due_at(db: &Database) -> DateTime<Utc> {
    row(db, "SELECT due_at FROM jobs", []).await.try_get("", "due_at").unwrap()
}

on_every_engine! { Scope::Store =>
    async fn a_job_runs_once_and_not_before_its_time(db: TestDb) {
        let clock = FakeClock::at("2026-01-01T00:00:00Z");
        let ambient = testkit::ambient(&clock);
        let handler = Scripted::default();
        let worker = worker(db, &ambient, &handler);
        enqueue(db, &ambient, job().at(ambient.now() + TimeDelta::minutes(5))).await.unwrap();
        assert_eq!(worker.run_due().await.unwrap(), 0);
        clock.advance(TimeDelta::minutes(5));
        assert_eq!(worker.run_due().await.unwrap(), 1);
        clock.advance(TimeDelta::days(1));
        assert_eq!(worker.run_due().await.unwrap(), 0);
        assert_eq!(handler.runs(), [1]);
        let forgotten = db.in_txn(async |txn| forget_finished_jobs(txn, ambient.now()).await).await.unwrap();
        assert_eq!((forgotten, count(db, "jobs").await), (1, 0));
    }

    async fn a_job_of_a_transaction_that_rolled_back_never_was(db: TestDb) {
        let ambient = Ambient::system();
        let handler = Scripted::default();
        let result: Result<(), _> = db
            .in_txn(async |txn| {
                enqueue_in_txn(txn, &ambient, job()).await?;
                enqueue_in_txn(txn, &ambient, job().unique("k")).await?;
                Err(StoreError::LeaseLost)
            })
            .await;
        assert!(result.is_err());
        assert_eq!(worker(db, &ambient, &handler).run_due().await.unwrap(), 0);
        assert_eq!(count(db, "jobs").await, 0);
        assert!(enqueue(db, &ambient, job().unique("k")).await.is_some(), "and its key is free");
    }

    async fn one_unfinished_job_has_a_unique_key(db: TestDb) {
        let ambient = Ambient::system();
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let (db, ambient) = (db.database().clone(), ambient.clone());
                tokio::spawn(async move { enqueue(&db, &ambient, job().unique("sweep")).await })
            })
            .collect();
        let mut made = 0;
        for task in tasks {
            made += usize::from(task.await.unwrap().is_some());
        }
        assert_eq!((made, count(db, "jobs").await), (1, 1));
        assert!(enqueue(db, &ambient, job().unique("other")).await.is_some());
        worker(db, &ambient, &Scripted::default()).run_due().await.unwrap();
        assert!(enqueue(db, &ambient, job().unique("sweep")).await.is_some(), "a finished one gives it back");
    }

    async fn pauses_grow_and_stay_within_the_curve(db: TestDb) {
        let clock = FakeClock::at("2026-01-01T00:00:00Z");
        let ambient = testkit::ambient(&clock);
        let handler = Scripted::new(failing(8));
        let worker = worker(db, &ambient, &handler);
        enqueue(db, &ambient, job()).await.unwrap();
        let mut longest = TimeDelta::zero();
        for failures in 1..=8 {
            assert_eq!(worker.run_due().await.unwrap(), 1);
            let pause = due_at(db).await - ambient.now();
            assert!(pause >= TimeDelta::zero() && pause.to_std().unwrap() <= CURVE.bound(failures), "{failures}: {pause}");
            longest = longest.max(pause);
            clock.advance(pause - TimeDelta::microseconds(1));
            if pause > TimeDelta::zero() {
                assert_eq!(worker.run_due().await.unwrap(), 0, "not a moment too early");
            }
            clock.advance(TimeDelta::microseconds(1));
        }
        // Eight draws that all stay below the first bound have a chance of 2 × 10⁻⁶.
        assert!(longest > TimeDelta::seconds(2), "{longest}");
        assert_eq!(worker.run_due().await.unwrap(), 1);
        assert_eq!(handler.runs(), (1..=9).collect::<Vec<_>>());
    }

    async fn a_handler_may_ask_for_its_own_pause(db: TestDb) {
        let clock = FakeClock::at("2026-01-01T00:00:00Z");
        let ambient = testkit::ambient(&clock);
        let wait = JobError::RetryAfter { reason: "throttled".to_owned(), pause: Duration::from_secs(90) };
        let worker = worker(db, &ambient, &Scripted::new([wait]));
        enqueue(db, &ambient, job()).await.unwrap();
        worker.run_due().await.unwrap();
        assert_eq!(due_at(db).await - ambient.now(), TimeDelta::seconds(90));
    }

    async fn after_its_last_try_a_job_is_dead_until_somebody_revives_it(db: TestDb) {
        let clock = FakeClock::at("2026-01-01T00:00:00Z");
        let ambient = testkit::ambient(&clock);
        let handler = Scripted::new(failing(3));
        let worker = worker(db, &ambient, &handler);
        let id = enqueue(db, &ambient, job().max_attempts(3).unique("k")).await.unwrap();
        for _ in 0..5 {
            worker.run_due().await.unwrap();
            clock.advance(TimeDelta::hours(1));
        }
        assert_eq!(handler.runs(), [1, 2, 3]);
        let dead = dead_jobs(db.reader().unwrap(), 10).await.unwrap();
        assert_eq!(dead.len(), 1);
        assert_eq!((dead[0].id, dead[0].attempts, dead[0].last_error.as_deref()), (id, 3, Some("not yet")));
        assert_eq!(dead[0].died_at, "2026-01-01T02:00:00Z".parse::<DateTime<Utc>>().unwrap());

        let revive = async || db.in_txn(async |txn| revive_dead_job(txn, id, ambient.now()).await).await.unwrap();
        assert!(revive().await);
        assert!(!revive().await, "there is no such dead job any more");
        assert_eq!(worker.run_due().await.unwrap(), 1);
        assert_eq!(handler.runs(), [1, 2, 3, 1], "it has all its tries again");
        assert!(dead_jobs(db.reader().unwrap(), 10).await.unwrap().is_empty());
    }

    async fn what_can_never_work_is_not_tried_again(db: TestDb) {
        let ambient = Ambient::system();
        let handler = Scripted::new([JobError::Permanent("no such listing".to_owned())]);
        enqueue(db, &ambient, job()).await.unwrap();
        worker(db, &ambient, &handler).run_due().await.unwrap();
        let dead = dead_jobs(db.reader().unwrap(), 10).await.unwrap();
        assert_eq!((handler.runs(), dead[0].attempts), (vec![1], 1));
    }

    async fn a_handler_that_panics_fails_its_own_job_alone(db: TestDb) {
        let clock = FakeClock::at("2026-01-01T00:00:00Z");
        let ambient = testkit::ambient(&clock);
        let handler = Scripted::default();
        let worker = worker(db, &ambient, &handler).with(Panicking);
        enqueue(db, &ambient, NewJob::new("panicking", json!({})).max_attempts(1)).await.unwrap();
        clock.advance(TimeDelta::seconds(1));
        enqueue(db, &ambient, job()).await.unwrap();
        assert_eq!(worker.run_due().await.unwrap(), 2);
        assert_eq!(handler.runs(), [1]);
        let dead = dead_jobs(db.reader().unwrap(), 10).await.unwrap();
        assert_eq!(dead[0].last_error.as_deref(), Some("its handler panicked"));
    }

    async fn a_worker_leaves_alone_what_it_has_no_handler_for(db: TestDb) {
        let ambient = Ambient::system();
        enqueue(db, &ambient, NewJob::new("somebody_elses", json!({}))).await.unwrap();
        assert_eq!(worker(db, &ambient, &Scripted::default()).run_due().await.unwrap(), 0);
        assert_eq!(count(db, "jobs WHERE state = 'ready' AND attempt = 0").await, 1);
    }
}
