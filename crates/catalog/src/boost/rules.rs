//! Pure: when a boost runs, and what comes back of it when it is cut short.

use chrono::{DateTime, Utc};
use kernel::Money;

#[cfg(test)]
mod tests;

/// A span of time, its end not included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) since: DateTime<Utc>,
    pub(crate) until: DateTime<Utc>,
}

impl Span {
    pub(crate) fn holds(&self, at: DateTime<Utc>) -> bool {
        self.since <= at && at < self.until
    }

    /// The span with another that begins when this one ends or later; a gap between them starts it anew.
    pub(super) fn then(former: Option<Self>, next: Self) -> Self {
        match former {
            Some(former) if former.until >= next.since => {
                Self { since: former.since.min(next.since), until: former.until.max(next.until) }
            }
            _ => next,
        }
    }
}

/// When a boost begins: at once, or where the one before it ends.
pub(super) fn begins(former: Option<Span>, now: DateTime<Utc>) -> DateTime<Utc> {
    former.map_or(now, |former| former.until.max(now))
}

/// How much of a sum came from which account of the wallet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BoostParts {
    /// From promotional credit.
    pub promo: Money,
    /// From what was topped up.
    pub available: Money,
    /// From what was earned.
    pub earnings: Money,
}

/// What comes back of a price, in paise: the price × the whole seconds that are left ÷ the whole seconds of the period,
/// rounded down. A boost that has not begun comes back whole.
pub(super) fn unused(price: i64, span: Span, now: DateTime<Utc>) -> i64 {
    let period = (span.until - span.since).num_seconds();
    let left = (span.until - now.max(span.since)).num_seconds().clamp(0, period.max(0));
    if period <= 0 {
        return 0;
    }
    let share = i128::from(price) * i128::from(left) / i128::from(period);
    i64::try_from(share).unwrap_or(price).min(price)
}
