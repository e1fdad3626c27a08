//! The store's promises, each on SQLite, PostgreSQL and MariaDB.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

mod idempotency;
mod jobs;
mod key_leases;
mod leases;
mod migrating;
mod outbox;
mod relays;
mod schedule;
mod streams;
mod support;
mod txn;
mod workers;
