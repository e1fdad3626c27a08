//! Indian time, in which days and quiet hours are reckoned: one zone for the whole country, without summer time.

use chrono::{DateTime, FixedOffset, NaiveDate, Utc};

/// Seconds that India is ahead of UTC: five hours and a half.
const AHEAD: i32 = 19_800;

/// The zone's name (IANA).
pub(crate) const ZONE: &str = "Asia/Kolkata";

/// The moment as clocks in India show it.
pub(crate) fn in_india(at: DateTime<Utc>) -> DateTime<FixedOffset> {
    let zone = FixedOffset::east_opt(AHEAD).unwrap_or_else(|| chrono::Offset::fix(&Utc));
    at.with_timezone(&zone)
}

/// The day in India.
pub(crate) fn day(at: DateTime<Utc>) -> NaiveDate {
    in_india(at).date_naive()
}
