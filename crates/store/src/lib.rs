//! The database every crate stands on, and the rows that make a change reliable: outbox events, jobs, idempotency
//! keys and audit records, each written in the transaction of the change it belongs to.
//!
//! Three engines by URL: SQLite (`sqlite://`), PostgreSQL (`postgres://`), MariaDB or MySQL (`mysql://`).
//!
//! Invariants:
//! - Whatever writes runs inside [`Database::in_txn`]: READ COMMITTED with row locks (`BEGIN IMMEDIATE` on SQLite),
//!   retried as a whole when the engine reports a deadlock, a serialisation failure or a busy database.
//! - Inside `in_txn` no second connection can be taken: it would deadlock on SQLite and read stale rows elsewhere.
//! - A job or event exists exactly when the transaction that wrote it committed.
//! - A worker that lost its lease cannot finish the job (the fence: owner and attempt are compared).
//! - Audit records can be neither changed nor deleted; triggers refuse it on every engine.
//!
//! ```no_run
//! # async fn example() -> Result<(), store::StoreError> {
//! use sea_orm::ConnectionTrait;
//! use store::{Database, DatabaseConfig, StoreError};
//!
//! let db = Database::connect(&DatabaseConfig::new("sqlite://data/dgt.db")).await?;
//! db.in_txn(async |txn| {
//!     txn.execute_raw(db.engine().statement("DELETE FROM schedule_fires WHERE schedule = ?", ["old".into()])).await?;
//!     Ok::<_, StoreError>(())
//! })
//! .await
//! # }
//! ```

mod arrays;
pub mod audit;
mod backoff;
mod database;
mod engine;
mod error;
mod idempotency;
mod insert;
mod jobs;
mod key_lease;
mod lag;
mod lists;
mod one_statement;
mod outbox;
mod schedule;
mod stream;
mod txn;

pub use arrays::{array, unnest};
pub use backoff::Backoff;
pub use database::{Database, DatabaseConfig, STATEMENT_TIMEOUT};
pub use engine::Engine;
pub use error::{StoreError, TxnError};
pub use idempotency::{
    Claim, IdempotencyKey, StoredAnswer, answer_at_once, answered_key, answers_together, claim_key_in_txn,
    forget_expired_keys, keep_answer_in_txn, unused_keys,
};
pub use insert::insert_if_absent;
pub use jobs::{
    ClaimedJob, DeadJob, JobError, JobHandler, Lease, NewJob, Outcome, Worker, WorkerConfig, dead_jobs,
    enqueue_in_txn, forget_finished_jobs, job_lag, revive_dead_job,
};
pub use key_lease::{KeyLease, LeaseClaim, lease_key_in_txn};
pub use lag::Lag;
pub use lists::{filled, lists, pieces};
pub use one_statement::OneStatement;
pub use outbox::{
    DeadEvent, NewEvent, OutboxEvent, Relay, RelayConfig, Sink, SinkError, append_event_in_txn,
    append_events_at_once, append_events_in_txn, append_events_together, dead_event, dead_events,
    forget_relayed_events, outbox_lag, revive_dead_event,
};
pub use schedule::{Schedule, ScheduleError, Scheduler, forget_old_fires};
pub use stream::{
    Missed, NewEntry, StreamEntry, append_to_streams_in_txn, entries_after, forget_stream_entries,
    stream_heads,
};
