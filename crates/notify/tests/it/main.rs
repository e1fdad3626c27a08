//! The clients against servers that answer: the sandbox, which is strict, and a socket that says what it is told to.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod guard;
mod privacy;
mod smtp;
mod twilio;
