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

/// When an open order is looked after, counted from when it was intended. A payment that was given up may be authorised
/// for three days more (late authorisation), and is captured or refunded within five.
const LADDER: [TimeDelta; 5] = [
    TimeDelta::minutes(10),
    TimeDelta::hours(1),
    TimeDelta::hours(24),
    TimeDelta::days(3),
    TimeDelta::days(5),
];

/// For how long an order that is being looked after is left to whoever took it. If that look fails, the next follows it.
pub(crate) const LOOK_LEASE: TimeDelta = TimeDelta::minutes(15);

/// When the order is next looked after, once so many looks were taken; `None` at the end of the ladder.
pub(crate) fn next_look(created_at: DateTime<Utc>, looks: i32) -> Option<DateTime<Utc>> {
    let rung = usize::try_from(looks).ok()?;
    LADDER.get(rung).map(|after| created_at + *after)
}

/// When a paid order is looked after once more: somebody may have paid it twice, and the webhook that said so may be
/// lost.
pub(crate) fn last_look(created_at: DateTime<Utc>) -> DateTime<Utc> {
    let [.., last] = LADDER;
    created_at + last
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_order_is_looked_after_five_times_in_five_days() {
        let begin: DateTime<Utc> = "2026-01-01T00:00:00Z".parse().unwrap();
        let looks: Vec<_> =
            (0..6).map(|looks| next_look(begin, looks).map(|at| (at - begin).num_minutes())).collect();
        let day = 24 * 60;
        assert_eq!(looks, [Some(10), Some(60), Some(day), Some(3 * day), Some(5 * day), None]);
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
