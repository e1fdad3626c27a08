//! Orders, payments, refunds and webhooks on SQLite, PostgreSQL and MariaDB; the client against a strict stand-in.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

mod apply;
mod desk;
mod elsewhere;
mod orders;
mod raw;
mod razorpay;
mod refunds;
mod resend;
mod unmatched;
mod webhooks;
