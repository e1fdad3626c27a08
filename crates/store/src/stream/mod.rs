//! Streams: what a user, a role or a listing's audience is told, numbered without gaps, so that whoever was away can
//! ask for what it missed and learns when that is not to be had any more.
//!
//! A number is given under the lock of the stream's head, in the transaction that tells it, so numbers grow in the
//! order of commits: whoever has seen 7 will never be shown a new 6.

mod append;
mod read;

use chrono::{DateTime, Utc};
use kernel::EventId;
use serde_json::Value as Json;

pub use append::{append_to_streams_in_txn, forget_stream_entries};
pub use read::{Missed, entries_after, stream_heads};

/// Something to be told to a stream.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEntry {
    /// Whose it is, such as `user:018f…`; 80 characters at most.
    pub stream: String,
    /// What is told, such as `wallet:updated`.
    pub name: String,
    /// What it says.
    pub payload: Json,
    /// The event behind it, by which whoever hears of it twice can tell.
    pub event: EventId,
    /// When that happened.
    pub at: DateTime<Utc>,
}

/// Something that was told to a stream.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamEntry {
    /// Where it stands in its stream: 1, 2, 3, …
    pub seq: i64,
    /// What was told.
    pub told: NewEntry,
}
