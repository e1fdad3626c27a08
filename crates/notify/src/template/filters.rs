//! What templates can do with values: `money`, `day` and `time`, besides a few of the engine's own.

use chrono::{DateTime, FixedOffset};
use minijinja::{Error, ErrorKind, Value};

/// `{"amount": 5500000, "currency": "INR"}` as `₹55,000.00`, its digits grouped as in India: threes first, then twos.
pub(super) fn money(value: &Value) -> Result<String, Error> {
    let paise = value.get_attr("amount").ok().and_then(|amount| amount.as_i64());
    let paise = paise.ok_or_else(|| wrong("money takes an amount of money"))?;
    let sign = if paise < 0 { "-" } else { "" };
    let paise = paise.unsigned_abs();
    Ok(format!("{sign}₹{}.{:02}", grouped(paise / 100), paise % 100))
}

/// A moment as its day in India: `01-02-2026`.
pub(super) fn day(value: &Value) -> Result<String, Error> {
    Ok(in_india(value)?.format("%d-%m-%Y").to_string())
}

/// A moment as day and time in India: `01-02-2026 10:00`.
pub(super) fn time(value: &Value) -> Result<String, Error> {
    Ok(in_india(value)?.format("%d-%m-%Y %H:%M").to_string())
}

fn in_india(value: &Value) -> Result<DateTime<FixedOffset>, Error> {
    let moment = value.as_str().and_then(|text| DateTime::parse_from_rfc3339(text).ok());
    let moment = moment.ok_or_else(|| wrong("day and time take a moment"))?;
    Ok(crate::clock::in_india(moment.to_utc()))
}

fn grouped(rupees: u64) -> String {
    let (thousands, rest) = (rupees / 1_000, rupees % 1_000);
    if thousands == 0 {
        return rest.to_string();
    }
    let mut groups = vec![format!("{rest:03}")];
    let mut left = thousands;
    while left >= 100 {
        groups.push(format!("{:02}", left % 100));
        left /= 100;
    }
    groups.push(left.to_string());
    groups.reverse();
    groups.join(",")
}

fn wrong(what: &'static str) -> Error {
    Error::new(ErrorKind::InvalidOperation, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rupees_are_grouped_as_in_india() {
        for (rupees, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (55_000, "55,000"),
            (100_000, "1,00,000"),
            (123_456_789, "12,34,56,789"),
            (10_000_000, "1,00,00,000"),
        ] {
            assert_eq!(grouped(rupees), text);
        }
    }
}
