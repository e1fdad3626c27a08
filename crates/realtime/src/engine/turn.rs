//! How much is written before the client is heard and others have their turn.

use std::pin::pin;
use std::task::Context;

use crate::engine::queue::CHUNK;

/// How many chunks; what several broadcasts were joined to counts as more than one.
const CHUNKS: u8 = 4;

/// What has been written at one go, in chunks: nothing at first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Turn(u8);

impl Turn {
    /// Over, and the client was given the chance to be heard; more waits.
    pub(crate) const RESTED: Self = Self(u8::MAX);

    pub(crate) const fn is_over(self) -> bool {
        self.0 == CHUNKS
    }

    /// Counts what is written; after a rest, from nothing.
    pub(crate) fn take(&mut self, bytes: &[u8]) {
        let before = if *self == Self::RESTED { 0 } else { self.0 };
        let chunks = u8::try_from(bytes.len().div_ceil(CHUNK)).unwrap_or(CHUNKS);
        self.0 = before.saturating_add(chunks).min(CHUNKS);
    }
}

/// Has this task polled again when its thread has looked at what came: to be woken at once could be before that.
pub(super) fn wake_after_io(context: &mut Context<'_>) {
    let _pending = pin!(tokio::task::yield_now()).poll(context);
}
