//! When a webhook is tried again: a curve that is told to receivers, as the standard recommends one.

use std::time::Duration;

use kernel::Ambient;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// How long after each failed try the next one comes: 5 seconds, 5 and 30 minutes, 2, 5, 10, 14, 20 and 24 hours. A
/// tenth more or less is chance. After the last try a webhook is dead, and can be sent once more by hand.
pub const HOOK_RETRIES: [Duration; 9] = [
    Duration::from_secs(5),
    Duration::from_secs(5 * MINUTE),
    Duration::from_secs(30 * MINUTE),
    Duration::from_secs(2 * HOUR),
    Duration::from_secs(5 * HOUR),
    Duration::from_secs(10 * HOUR),
    Duration::from_secs(14 * HOUR),
    Duration::from_secs(20 * HOUR),
    Duration::from_secs(24 * HOUR),
];

/// The pause after so many failed tries, from 1; `None` when there is no next one.
pub(super) fn pause(failures: u32, ambient: &Ambient) -> Option<Duration> {
    let index = usize::try_from(failures.checked_sub(1)?).ok()?;
    let pause = HOOK_RETRIES.get(index)?;
    let millis = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
    let jitter = ambient.random_below(millis / 5);
    Some(Duration::from_millis(millis - millis / 10 + jitter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_the_declared_one_give_or_take_a_tenth() {
        let ambient = Ambient::system();
        for (failures, declared) in (1..).zip(HOOK_RETRIES) {
            for _ in 0..50 {
                let pause = pause(failures, &ambient).unwrap();
                assert!(pause >= declared.mul_f64(0.9) && pause <= declared.mul_f64(1.1), "{failures}");
            }
        }
        assert_eq!(pause(10, &ambient), None);
        assert_eq!(pause(0, &ambient), None);
    }
}
