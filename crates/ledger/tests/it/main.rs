//! The ledger's promises, each on SQLite, PostgreSQL and MariaDB.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

mod books;
mod business;
mod posting;
mod seals;
mod statement;
mod verify;
