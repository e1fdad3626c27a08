//! The clients against servers that answer: the sandbox, which is strict, and a socket that says what it is told to.
//! What is stored, on SQLite, PostgreSQL and MariaDB.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

mod announcements;
mod deliveries;
mod devices;
mod failover;
mod fcm;
mod guard;
mod hook_order;
mod hooks;
mod house;
mod inbox;
mod log;
mod outage;
mod permissions;
mod preferences;
mod privacy;
mod sending;
mod smtp;
mod smtp_tls;
mod telling;
mod templates;
mod twilio;
