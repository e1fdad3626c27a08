//! Time and randomness, injected: nothing in the project asks the system for either except through here.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use uuid::Uuid;

use crate::TypedId;

/// Tells the time. Always UTC, never finer than a microsecond, which is what all three databases keep.
pub trait Clock: Send + Sync + 'static {
    /// The present moment.
    fn now(&self) -> DateTime<Utc>;
}

/// Gives unpredictable bytes; a seeded one makes a run repeatable.
pub trait Entropy: Send + Sync + 'static {
    /// Fills the whole buffer.
    fn fill(&self, buffer: &mut [u8]);
}

/// The machine's own clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    fn now(&self) -> DateTime<Utc> {
        micros(Utc::now())
    }
}

/// The operating system's random number generator.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, buffer: &mut [u8]) {
        // Without randomness no code or token would be safe, and no caller could go on.
        #[expect(
            clippy::expect_used,
            clippy::disallowed_methods,
            reason = "the one place that asks the system for randomness; without it nothing here can run"
        )]
        getrandom::fill(buffer).expect("the operating system gives random bytes");
    }
}

/// Cuts a moment down to whole microseconds, so that it reads back from every database as it was written.
pub fn micros(at: DateTime<Utc>) -> DateTime<Utc> {
    at.duration_trunc(TimeDelta::microseconds(1)).unwrap_or(at)
}

/// Clock and entropy together, cheap to clone; every facade is built with one.
#[derive(Clone)]
pub struct Ambient {
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl Ambient {
    /// An ambient of the given clock and entropy.
    pub fn new(clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self { clock, entropy }
    }

    /// The machine's own time and randomness.
    pub fn system() -> Self {
        Self::new(Arc::new(SystemClock), Arc::new(SystemEntropy))
    }

    /// The present moment.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// A fresh id: UUIDv7 (RFC 9562 §5.7), its time from the clock and its rest from the entropy.
    pub fn new_id<I: TypedId>(&self) -> I {
        I::from(self.new_uuid())
    }

    /// A fresh UUIDv7 for rows that have no typed id.
    pub fn new_uuid(&self) -> Uuid {
        let millis = u64::try_from(self.now().timestamp_millis()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &self.random_bytes::<10>()).into_uuid()
    }

    /// Unpredictable bytes.
    pub fn random_bytes<const N: usize>(&self) -> [u8; N] {
        let mut buffer = [0; N];
        self.entropy.fill(&mut buffer);
        buffer
    }

    /// A uniform number in `0..bound`, without modulo bias (rejection sampling). `bound` 0 gives 0.
    pub fn random_below(&self, bound: u64) -> u64 {
        if bound == 0 {
            return 0;
        }
        let zone = u64::MAX - u64::MAX % bound;
        loop {
            let draw = u64::from_le_bytes(self.random_bytes());
            if draw < zone {
                return draw % bound;
            }
        }
    }
}

impl fmt::Debug for Ambient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ambient")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_the_time_they_were_made() {
        let ambient = Ambient::system();
        let first = ambient.new_uuid();
        std::thread::sleep(std::time::Duration::from_millis(3));
        assert!(first < ambient.new_uuid());
        assert_eq!(first.get_version_num(), 7);
    }

    #[test]
    fn draws_stay_below_their_bound() {
        let ambient = Ambient::system();
        assert!((0..1_000).all(|_| ambient.random_below(7) < 7));
        assert_eq!(ambient.random_below(0), 0);
    }

    #[test]
    fn the_clock_tells_whole_microseconds() {
        assert_eq!(SystemClock.now().timestamp_subsec_nanos() % 1_000, 0);
    }
}
