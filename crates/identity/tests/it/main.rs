//! Identity's promises, each on SQLite, PostgreSQL and MariaDB.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]
#![expect(clippy::indexing_slicing, reason = "a test stops at the first surprise")]

mod contact_change;
mod guesses;
mod login;
mod otp;
mod profile;
mod reach;
mod refresh;
mod roles;
mod sessions;
mod staff;
mod stage;
mod tidy;
mod totp;
