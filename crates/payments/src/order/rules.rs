//! How much an order may be for, and when it is looked after.

use chrono::{DateTime, TimeDelta, Utc};
use kernel::{InvalidInput, Money};

/// The provider takes no order below one rupee (api/orders/create).
const PROVIDER_MIN: i64 = 100;

/// How much one order may be for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderLimits {
    /// At least.
    pub min: Money,
    /// At most.
    pub max: Money,
}

impl Default for OrderLimits {
    /// One rupee to fifty thousand.
    fn default() -> Self {
        Self { min: Money::inr(PROVIDER_MIN), max: Money::inr(5_000_000) }
    }
}

impl OrderLimits {
    /// Whether an order may be for this much.
    pub(crate) fn check(&self, amount: Money) -> Result<(), InvalidInput> {
        let least = self.min.amount().max(PROVIDER_MIN);
        if (least..=self.max.amount()).contains(&amount.amount()) {
            return Ok(());
        }
        let message = format!("must be from {} to {}", Money::inr(least), self.max);
        Err(InvalidInput::field("amount", "out_of_range", message))
    }
}

/// When an order that waits for its payment is looked after, counted from when it was intended. A payment that was given
/// up may be authorised for three days more (late authorisation), and is captured or refunded within five.
const LADDER: [TimeDelta; 5] =
    [TimeDelta::minutes(10), TimeDelta::hours(1), TimeDelta::hours(24), TimeDelta::days(3), LADDER_END];
const LADDER_END: TimeDelta = TimeDelta::days(5);

/// The provider takes payments of an order for ever, so one that nobody paid is looked after daily up to this age.
const LATE: TimeDelta = TimeDelta::days(30);

/// What was paid can be refunded in the dashboard for half a year (payments/refunds), and paid a second time: a paid
/// order is looked after at the end of the ladder, and weekly from there on up to this age.
const PAID_DAYS: i32 = 180;

/// For how long an order that is being looked after is left to whoever took it. If that look ends without a word, the
/// next follows it.
pub(crate) const LOOK_LEASE: TimeDelta = TimeDelta::minutes(15);

/// Looks in a row that give no answer before an order is given up: about two weeks.
const FAILED_LOOKS: i32 = 20;

/// When an order that is not paid is next looked after; `None` when it has become too old. Looks whose time passed while
/// nobody worked are not made up for.
pub(crate) fn next_look(created_at: DateTime<Utc>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let days = (1..).map(|day| LADDER_END + TimeDelta::days(day)).take_while(|day| *day <= LATE);
    LADDER.into_iter().chain(days).map(|after| created_at + after).find(|at| *at > now)
}

/// When a paid order is next looked after: somebody may pay it twice or refund it in the dashboard, and the webhook that
/// says so may be lost.
pub(crate) fn next_look_after_paid(created_at: DateTime<Utc>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let weeks = (0..).map(|week| LADDER_END + TimeDelta::weeks(week));
    let last = created_at + TimeDelta::days(PAID_DAYS.into());
    weeks.map(|after| created_at + after).take_while(|at| *at <= last).find(|at| *at > now)
}

/// When an order that nobody paid expires.
pub(crate) fn expires_at(created_at: DateTime<Utc>) -> DateTime<Utc> {
    created_at + LADDER_END
}

/// The pause after so many looks in a row that gave no answer: a quarter of an hour, then twice as long each time, up to
/// a day. `None` when it is given up.
pub(crate) fn pause_after_failed_look(failed: i32) -> Option<TimeDelta> {
    let doublings = failed.clamp(1, 8) - 1;
    let pause = TimeDelta::minutes(15 << doublings).min(TimeDelta::days(1));
    (failed < FAILED_LOOKS).then_some(pause)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begin() -> DateTime<Utc> {
        "2026-01-01T00:00:00Z".parse().unwrap()
    }

    /// The looks when each is taken at its time, in minutes.
    fn looks(next: fn(DateTime<Utc>, DateTime<Utc>) -> Option<DateTime<Utc>>) -> Vec<i64> {
        let looks = std::iter::successors(next(begin(), begin()), |at| next(begin(), *at));
        looks.map(|at| (at - begin()).num_minutes()).collect()
    }

    const DAY: i64 = 24 * 60;

    #[test]
    fn an_order_that_nobody_paid_is_looked_after_five_times_in_five_days_and_then_daily_for_a_month() {
        let ladder = [10, 60, DAY, 3 * DAY, 5 * DAY];
        let late = (6..=30).map(|day| day * DAY);
        assert_eq!(looks(next_look), ladder.into_iter().chain(late).collect::<Vec<_>>());
    }

    #[test]
    fn a_paid_order_is_looked_after_weekly_for_half_a_year() {
        let weekly: Vec<_> = (0..26).map(|week| (5 + 7 * week) * DAY).collect();
        assert_eq!(looks(next_look_after_paid), weekly);
        assert_eq!(weekly.last(), Some(&(180 * DAY)));
    }

    #[test]
    fn looks_that_were_missed_are_not_made_up_for() {
        let late = begin() + TimeDelta::days(7) + TimeDelta::minutes(1);
        assert_eq!(next_look(begin(), late), Some(begin() + TimeDelta::days(8)));
        assert_eq!(next_look_after_paid(begin(), late), Some(begin() + TimeDelta::days(12)));
        assert_eq!(next_look(begin(), begin() + TimeDelta::days(30)), None);
        assert_eq!(next_look_after_paid(begin(), begin() + TimeDelta::days(180)), None);
    }

    #[test]
    fn looks_without_an_answer_come_ever_more_rarely_and_end_after_two_weeks() {
        let pauses: Vec<_> = (1..).map_while(pause_after_failed_look).collect();
        let first: Vec<_> = pauses.iter().take(9).map(TimeDelta::num_minutes).collect();
        assert_eq!(first, [15, 30, 60, 120, 240, 480, 960, DAY, DAY]);
        assert_eq!(pauses.len(), 19);
        let in_all: i64 = pauses.iter().map(TimeDelta::num_minutes).sum();
        assert_eq!(in_all / DAY, 13);
    }

    #[test]
    fn limits_include_their_ends() {
        let limits = OrderLimits { min: Money::inr(500), max: Money::inr(1_000) };
        for (paise, fits) in
            [(499, false), (500, true), (1_000, true), (1_001, false), (-500, false), (0, false)]
        {
            assert_eq!(limits.check(Money::inr(paise)).is_ok(), fits, "{paise}");
        }
    }

    #[test]
    fn no_limit_goes_below_the_providers() {
        let limits = OrderLimits { min: Money::inr(1), ..OrderLimits::default() };
        assert!(limits.check(Money::inr(99)).is_err());
        assert!(limits.check(Money::inr(100)).is_ok());
    }
}
