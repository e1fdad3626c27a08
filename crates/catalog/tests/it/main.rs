//! The catalog's promises, each on SQLite, PostgreSQL and MariaDB.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod photos;
