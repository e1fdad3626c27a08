//! Time and randomness of a run: a clock that is moved by hand, and bytes that repeat with their seed.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use kernel::{Clock, Entropy};

use crate::dice::Dice;

/// 2026-01-01T06:00:00Z in microseconds: when every history begins.
const BEGIN: i64 = 1_767_247_200_000_000;

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub(super) struct Hands(AtomicI64);

impl Hands {
    /// A clock at the beginning of a history.
    pub(super) fn new() -> Self {
        Self(AtomicI64::new(BEGIN))
    }

    /// Moves it on.
    pub(super) fn advance(&self, by: TimeDelta) {
        self.0.fetch_add(by.num_microseconds().unwrap_or(0), Ordering::SeqCst);
    }

    /// How long the history has lasted.
    pub(super) fn elapsed(&self) -> TimeDelta {
        TimeDelta::microseconds(self.0.load(Ordering::SeqCst) - BEGIN)
    }
}

impl Clock for Hands {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0.load(Ordering::SeqCst)).unwrap_or_default()
    }
}

/// Randomness for the marketplace itself: its ids, its jitter.
#[derive(Debug)]
pub(super) struct SeededBytes(Mutex<Dice>);

impl SeededBytes {
    /// The bytes of a seed.
    pub(super) fn new(seed: u64) -> Self {
        Self(Mutex::new(Dice::new(seed)))
    }
}

impl Entropy for SeededBytes {
    fn fill(&self, buffer: &mut [u8]) {
        let mut dice = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for chunk in buffer.chunks_mut(8) {
            let bytes = dice.below(u64::MAX).to_le_bytes();
            chunk.iter_mut().zip(bytes).for_each(|(slot, byte)| *slot = byte);
        }
    }
}
