//! The catalog's promises, each on SQLite, PostgreSQL and MariaDB.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

mod boosts;
mod categories;
mod contacts;
mod expiry;
mod lifecycle;
mod model;
mod photos;
mod races;
mod search;
mod shop;
mod words;
