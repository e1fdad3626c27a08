//! Rotation as a state machine: random presentations at random times, against a plain account of what was minted.

use chrono::TimeDelta;
use proptest::prelude::*;

use super::*;
use crate::Keys;

fn config() -> IdentityConfig {
    IdentityConfig::new(Keys::development().unwrap())
}

fn start() -> DateTime<Utc> {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

fn fresh(config: &IdentityConfig) -> Family {
    Family {
        generation: FIRST_GENERATION,
        refreshed_at: start(),
        expires_at: start() + config.session_life,
        revoked: false,
    }
}

fn after(seconds: i64) -> DateTime<Utc> {
    start() + TimeDelta::seconds(seconds)
}

#[test]
fn the_newest_token_rotates_and_its_predecessor_repeats_for_ten_seconds() {
    let config = config();
    let family = Family { generation: 5, ..fresh(&config) };
    assert_eq!(family.judge(&config, 5, after(0)), Verdict::Rotate);
    assert_eq!(family.judge(&config, 4, after(10)), Verdict::Repeat);
    assert_eq!(family.judge(&config, 4, after(11)), Verdict::Reuse);
}

#[test]
fn an_older_ancestor_is_never_forgiven() {
    let config = config();
    let family = Family { generation: 5, ..fresh(&config) };
    for generation in [3, 2, 1, 0, -1, i64::MIN, i64::MAX, 6] {
        assert_eq!(family.judge(&config, generation, after(0)), Verdict::Reuse, "{generation}");
    }
}

#[test]
fn a_family_ends_by_age_and_by_idleness() {
    let config = config();
    let mut family = fresh(&config);
    let day = 86_400;
    assert_eq!(family.judge(&config, 1, after(14 * day - 1)), Verdict::Rotate);
    assert_eq!(family.judge(&config, 1, after(14 * day)), Verdict::Ended);
    family.refreshed_at = after(29 * day);
    assert_eq!(family.judge(&config, 1, after(30 * day - 1)), Verdict::Rotate);
    assert_eq!(family.judge(&config, 1, after(30 * day)), Verdict::Ended);
    family.revoked = true;
    assert_eq!(family.judge(&config, 1, after(29 * day)), Verdict::Ended);
}

/// One step of a client or a thief: wait, then present the token minted so many rotations ago.
#[derive(Debug, Clone)]
struct Step {
    wait: i64,
    back: usize,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let waits = prop_oneof![0i64..4, 9i64..12, 60i64..90_000];
    let backs = prop_oneof![6 => Just(0usize), 3 => Just(1usize), 1 => 2usize..5];
    prop::collection::vec((waits, backs).prop_map(|(wait, back)| Step { wait, back }), 1..60)
}

proptest! {
    #[test]
    fn no_sequence_of_presentations_revives_or_forks_a_family(steps in steps()) {
        let config = config();
        let mut family = fresh(&config);
        let mut now = start();
        // When each generation was minted, in order: the independent account.
        let mut minted = vec![start()];
        let mut killed = false;
        for step in steps {
            now += TimeDelta::seconds(step.wait);
            let Some(index) = minted.len().checked_sub(1 + step.back) else { continue };
            let presented = FIRST_GENERATION + i64::try_from(index).unwrap();
            let newest_at = *minted.last().unwrap();
            let idle = now - newest_at >= config.session_idle || now - start() >= config.session_life;
            let expected = match step.back {
                _ if killed || idle => Verdict::Ended,
                0 => Verdict::Rotate,
                1 if now - newest_at <= config.refresh_grace => Verdict::Repeat,
                _ => Verdict::Reuse,
            };
            let verdict = family.judge(&config, presented, now);
            prop_assert_eq!(verdict, expected, "{:?} of {} at {}", step, minted.len(), now);
            match verdict {
                Verdict::Rotate => {
                    family.generation += 1;
                    family.refreshed_at = now;
                    minted.push(now);
                }
                Verdict::Reuse => {
                    family.revoked = true;
                    killed = true;
                }
                Verdict::Repeat | Verdict::Ended => {}
            }
            prop_assert_eq!(family.generation, FIRST_GENERATION - 1 + i64::try_from(minted.len()).unwrap());
        }
    }
}
