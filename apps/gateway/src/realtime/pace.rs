//! How fast one socket may ask. Whoever asks faster is answered so, and not served.

use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

/// Events that one socket may send at once.
pub(super) const AT_ONCE: i32 = 60;
/// What each of them costs, which is had back by waiting: ten a second in the long run.
const EACH: TimeDelta = TimeDelta::milliseconds(100);

/// One socket's account of time (the generic cell rate algorithm): when all it has asked so far will be paid for.
#[derive(Debug, Default)]
pub(super) struct Pace(Mutex<Option<DateTime<Utc>>>);

impl Pace {
    /// Takes one event, or tells how long to wait for that.
    pub(super) fn take(&self, now: DateTime<Utc>) -> Result<(), TimeDelta> {
        let mut paid_by = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let next = paid_by.map_or(now, |paid_by| paid_by.max(now)) + EACH;
        let ahead = next - now - EACH * AT_ONCE;
        if ahead > TimeDelta::zero() {
            return Err(ahead);
        }
        *paid_by = Some(next);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_at_once_and_then_as_they_are_paid_for() {
        let pace = Pace::default();
        let now = DateTime::UNIX_EPOCH;
        for _ in 0..AT_ONCE {
            assert_eq!(pace.take(now), Ok(()));
        }
        assert_eq!(pace.take(now), Err(EACH));
        assert_eq!(pace.take(now + EACH / 4), Err(EACH - EACH / 4), "a refusal costs nothing");
        assert_eq!(pace.take(now + EACH), Ok(()));
        assert_eq!(pace.take(now + EACH), Err(EACH));
        let later = now + TimeDelta::hours(1);
        assert_eq!(
            (0..1_000).filter(|_| pace.take(later).is_ok()).count(),
            60,
            "waiting longer earns no more"
        );
        assert_eq!(
            pace.take(now),
            Err(TimeDelta::hours(1) + EACH),
            "a clock that is put back lets nobody in"
        );
    }
}
