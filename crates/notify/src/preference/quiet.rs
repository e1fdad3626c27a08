//! Quiet hours: the part of each day in which somebody is left alone.

use chrono::{DateTime, NaiveTime, TimeDelta, Timelike, Utc};
use kernel::{FieldErrors, InvalidInput, ParseError};
use serde::{Deserialize, Serialize};

use crate::clock;

/// A part of each day in Indian time, over midnight if it ends before it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "QuietHoursText", try_from = "QuietHoursText")]
pub struct QuietHours {
    /// Minutes after midnight, at which they begin.
    start: u32,
    /// Minutes after midnight, before which they end.
    end: u32,
}

/// Quiet hours on the wire.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuietHoursText {
    /// When they begin: hours and minutes in Indian time.
    #[schema(example = "22:00")]
    pub start: String,
    /// When they end.
    #[schema(example = "07:00")]
    pub end: String,
}

impl QuietHours {
    /// Reads `22:00` and `07:00`.
    ///
    /// # Errors
    /// Of `start` or `end`, when it is no time of day; of `end`, when both are the same.
    pub fn parse(start: &str, end: &str) -> Result<Self, InvalidInput> {
        let mut errors = FieldErrors::default();
        let (start, end) = (errors.check("start", minutes(start)), errors.check("end", minutes(end)));
        if start.is_some() && start == end {
            errors.add("end", "empty_range", "must be another time than the start");
        }
        let hours = start.zip(end).and_then(|(start, end)| Self::of_minutes(start, end));
        hours.ok_or_else(|| errors.into_error())
    }

    pub(super) fn of_minutes(start: u32, end: u32) -> Option<Self> {
        (start < 1_440 && end < 1_440 && start != end).then_some(Self { start, end })
    }

    pub(super) fn minutes(self) -> (u32, u32) {
        (self.start, self.end)
    }

    /// When the quiet hours end that the moment falls into; `None` outside of them.
    pub fn end_after(self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let local = clock::in_india(now);
        let minute = local.hour() * 60 + local.minute();
        let is_quiet = if self.start < self.end {
            (self.start..self.end).contains(&minute)
        } else {
            minute >= self.start || minute < self.end
        };
        // Seconds of the minute that has begun are part of the wait.
        let ahead = (self.end + 1_440 - minute) % 1_440;
        let begun = i64::from(local.second()) * 1_000_000 + i64::from(local.nanosecond() / 1_000);
        is_quiet.then(|| now + TimeDelta::minutes(i64::from(ahead)) - TimeDelta::microseconds(begun))
    }
}

fn minutes(text: &str) -> Result<u32, ParseError> {
    let time = NaiveTime::parse_from_str(text, "%H:%M").ok().filter(|_| text.len() == 5);
    let time =
        time.ok_or_else(|| ParseError::new("invalid_format", "must be hours and minutes such as 22:00"))?;
    Ok(time.hour() * 60 + time.minute())
}

impl From<QuietHours> for QuietHoursText {
    fn from(hours: QuietHours) -> Self {
        let text = |minutes: u32| format!("{:02}:{:02}", minutes / 60, minutes % 60);
        Self { start: text(hours.start), end: text(hours.end) }
    }
}

impl TryFrom<QuietHoursText> for QuietHours {
    type Error = InvalidInput;

    fn try_from(text: QuietHoursText) -> Result<Self, InvalidInput> {
        Self::parse(&text.start, &text.end)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn end(start: &str, end: &str, now: &str) -> Option<String> {
        let hours = QuietHours::parse(start, end).unwrap();
        hours.end_after(now.parse().unwrap()).map(|end| end.to_rfc3339())
    }

    #[test]
    fn a_night_ends_in_the_morning_of_india() {
        // 22:30 in India is 17:00 UTC; 07:00 is 01:30 UTC.
        let morning = Some("2026-01-02T01:30:00+00:00".to_owned());
        assert_eq!(end("22:00", "07:00", "2026-01-01T17:00:00Z"), morning);
        assert_eq!(end("22:00", "07:00", "2026-01-01T20:00:00.5Z"), morning);
        assert_eq!(end("22:00", "07:00", "2026-01-02T01:29:59.999Z"), morning);
        assert_eq!(end("22:00", "07:00", "2026-01-02T01:30:00Z"), None);
        assert_eq!(end("22:00", "07:00", "2026-01-01T16:29:59Z"), None);
        assert_eq!(
            end("13:00", "15:00", "2026-01-01T08:00:00Z"),
            Some("2026-01-01T09:30:00+00:00".to_owned())
        );
    }

    #[test]
    fn what_is_no_part_of_a_day_is_refused() {
        for (start, end) in
            [("22:00", "22:00"), ("24:00", "07:00"), ("9:00", "10:00"), ("22", "07"), ("", "")]
        {
            assert!(QuietHours::parse(start, end).is_err(), "{start} {end}");
        }
    }

    proptest! {
        #[test]
        fn the_end_is_ahead_within_a_day_and_not_quiet(
            start in 0u32..1_440, end in 0u32..1_440, micros in 0i64..400_000_000_000_000,
        ) {
            let Some(hours) = QuietHours::of_minutes(start, end) else { return Ok(()); };
            let now = DateTime::from_timestamp_micros(1_767_225_600_000_000 + micros).unwrap();
            if let Some(over) = hours.end_after(now) {
                prop_assert!(over > now && over - now <= TimeDelta::days(1));
                prop_assert_eq!(hours.end_after(over), None);
                prop_assert!(hours.end_after(over - TimeDelta::microseconds(1)).is_some());
            }
        }
    }
}
