//! The API over HTTP: the real application on a real database of each engine, its providers played by the sandbox.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]
#![expect(clippy::indexing_slicing, reason = "a missing field of an answer stops the test")]

mod announcements;
mod auth;
mod authority;
mod boosts;
mod boosts_at_once;
mod categories;
mod dead_letters;
mod documents;
mod expiry;
mod gauges;
mod idempotency;
mod listings;
mod notifications;
mod payments;
mod photos;
mod problems;
mod protection;
mod realtime;
mod reviews;
mod support;
mod users;
mod wallet;
mod webhooks_out;
