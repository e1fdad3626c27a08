//! Spans that follow each other, and refunds to the paisa.

use chrono::TimeDelta;
use proptest::prelude::*;

use super::*;

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(second, 0).unwrap()
}

fn span(since: i64, until: i64) -> Span {
    Span { since: at(since), until: at(until) }
}

#[test]
fn a_span_ends_at_its_end() {
    assert!(!span(10, 20).holds(at(9)) && span(10, 20).holds(at(10)));
    assert!(span(10, 20).holds(at(19)) && !span(10, 20).holds(at(20)));
}

#[test]
fn a_second_boost_begins_where_the_first_ends() {
    assert_eq!(begins(None, at(5)), at(5));
    assert_eq!(begins(Some(span(0, 9)), at(5)), at(9));
    assert_eq!(begins(Some(span(0, 4)), at(5)), at(5), "one that is over does not count");
}

#[test]
fn spans_that_touch_are_one() {
    assert_eq!(Span::then(None, span(5, 9)), span(5, 9));
    assert_eq!(Span::then(Some(span(1, 5)), span(5, 9)), span(1, 9));
    assert_eq!(Span::then(Some(span(1, 4)), span(5, 9)), span(5, 9));
    assert_eq!(Span::then(Some(span(1, 30)), span(5, 9)), span(1, 30));
}

#[test]
fn the_seconds_left_come_back_rounded_down() {
    let week = Span { since: at(0), until: at(0) + TimeDelta::days(7) };
    assert_eq!(unused(9_900, week, at(0) - TimeDelta::days(1)), 9_900, "it has not begun");
    assert_eq!(unused(9_900, week, at(0)), 9_900);
    assert_eq!(unused(9_900, week, at(0) + TimeDelta::days(2)), 7_071, "9900 × 5 ÷ 7 is 7071.4");
    assert_eq!(unused(9_900, week, week.until - TimeDelta::seconds(1)), 0);
    assert_eq!(unused(9_900, week, week.until + TimeDelta::days(1)), 0);
}

proptest! {
    #[test]
    fn waiting_never_raises_a_refund(price in 1..10_000_000_i64, days in 1..365_i64, now in 0..40_000_000_i64, later in 0..1_000_000_i64) {
        let span = Span { since: at(0), until: at(days * 86_400) };
        let (early, late) = (unused(price, span, at(now)), unused(price, span, at(now + later)));
        prop_assert!(late <= early && (0..=price).contains(&early));
    }
}
