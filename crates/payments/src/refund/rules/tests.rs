//! The rules of refunds against every order of what is seen.

use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn the_first_end_stays(seen in proptest::collection::vec(proptest::sample::select(RefundState::ALL), 1..8)) {
        let first_end = seen.iter().find(|state| **state != RefundState::Pending);
        let end = seen.iter().fold(RefundStatus::Submitting, |status, state| status.seen(*state));
        let expected = match first_end {
            Some(RefundState::Processed) => RefundStatus::Processed,
            Some(_) => RefundStatus::Failed,
            None => RefundStatus::Pending,
        };
        prop_assert_eq!(end, expected);
    }

    #[test]
    fn totals_keep_the_tables_promise(
        amount in 1_i64..100_000,
        refunds in proptest::collection::vec((proptest::sample::select(RefundStatus::ALL), 1_i64..200_000), 0..6),
    ) {
        let (reserved, done) = totals(amount, refunds);
        prop_assert!(0 <= done && done <= reserved && reserved <= amount);
    }
}

#[test]
fn what_failed_takes_nothing_and_what_is_under_way_is_reserved() {
    use RefundStatus::{Failed, Pending, Processed, Requested, Submitting, Unknown};
    let parts = [(Requested, 1), (Submitting, 2), (Unknown, 4), (Pending, 8), (Processed, 16), (Failed, 32)];
    assert_eq!(totals(100, parts), (31, 16));
    assert_eq!(totals(100, [(Requested, 60), (Processed, 60)]), (100, 60));
    assert_eq!(totals(100, [(Failed, 60), (Processed, 60)]), (60, 60));
}

#[test]
fn only_the_other_end_contradicts_an_end() {
    let pairs = RefundStatus::ALL
        .iter()
        .flat_map(|status| RefundState::ALL.iter().map(move |state| (*status, *state)));
    let contradictions: Vec<_> = pairs.filter(|(status, state)| status.is_contradicted_by(*state)).collect();
    let expected =
        [(RefundStatus::Processed, RefundState::Failed), (RefundStatus::Failed, RefundState::Processed)];
    assert_eq!(contradictions, expected);
}

#[test]
fn only_what_the_provider_is_not_known_to_have_is_sent() {
    let sent: Vec<_> = RefundStatus::ALL.iter().filter(|status| status.may_be_sent()).collect();
    assert_eq!(sent, [&RefundStatus::Requested, &RefundStatus::Submitting, &RefundStatus::Unknown]);
}

#[test]
fn a_refund_is_looked_after_hourly_for_a_day_and_daily_after() {
    let pauses: Vec<_> = [0, 1, 24, 25, 100].map(|looks| pause(looks).num_minutes()).into();
    assert_eq!(pauses, [10, 60, 60, 24 * 60, 24 * 60]);
}
