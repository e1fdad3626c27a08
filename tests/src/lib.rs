//! What the runs of the whole system share. Each run is a program of `src/bin`.
//!
//! The demo is people who use a running marketplace over HTTP, as client apps would: they read their codes in the
//! sandbox's inbox, carry authenticators, and tell what happens as a story.

pub mod authenticator;
pub mod bank;
pub mod bench;
pub mod check;
pub mod client;
pub mod dice;
pub mod ears;
pub mod inbox;
pub mod job_crash;
pub mod people;
pub mod pictures;
pub mod simulate;
pub mod story;
pub mod tale;
