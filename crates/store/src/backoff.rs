//! How long to wait after the nth failure: exponential with a cap and full jitter.

use std::time::Duration;

use kernel::Ambient;

/// A curve of pauses: uniform in `0..=min(cap, base × 2^(n-1))` after the nth failure, so that many failures at
/// once do not come back at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The bound after the first failure.
    pub base: Duration,
    /// The bound that is never passed.
    pub cap: Duration,
}

impl Backoff {
    /// The longest pause after the nth failure, from 1.
    pub fn bound(&self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        self.base.checked_mul(1_u32 << doublings).map_or(self.cap, |bound| bound.min(self.cap))
    }

    /// A pause after the nth failure, from 1.
    pub fn pause(&self, failures: u32, ambient: &Ambient) -> Duration {
        let bound = u64::try_from(self.bound(failures).as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(ambient.random_below(bound.saturating_add(1)))
    }

    /// A pause after the nth failure, from 1, of at least half its bound: so many tries surely span so much time.
    pub fn long_pause(&self, failures: u32, ambient: &Ambient) -> Duration {
        let half = self.bound(failures) / 2;
        let millis = u64::try_from(half.as_millis()).unwrap_or(u64::MAX);
        half + Duration::from_millis(ambient.random_below(millis.saturating_add(1)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CURVE: Backoff = Backoff { base: Duration::from_secs(5), cap: Duration::from_secs(3_600) };

    #[test]
    fn the_bound_doubles_up_to_the_cap() {
        let bounds: Vec<_> = (1..=12).map(|n| CURVE.bound(n).as_secs()).collect();
        assert_eq!(bounds, [5, 10, 20, 40, 80, 160, 320, 640, 1_280, 2_560, 3_600, 3_600]);
    }

    proptest! {
        #[test]
        fn a_pause_never_passes_its_bound(failures: u32) {
            prop_assert!(CURVE.pause(failures, &Ambient::system()) <= CURVE.bound(failures));
        }

        #[test]
        fn a_long_pause_is_in_the_upper_half_of_its_bound(failures: u32) {
            let (pause, bound) = (CURVE.long_pause(failures, &Ambient::system()), CURVE.bound(failures));
            prop_assert!(pause >= bound / 2 && pause <= bound);
        }
    }
}
