//! Which rows of a history are asked for.

use chrono::{DateTime, Utc};
use kernel::{InvalidInput, Paging, UserId};
use sea_orm::Value;
use store::Engine;

use super::rows::DIRECTION;
use super::shape::{Direction, TransactionType, parts};
use crate::journal::JournalKind;

/// The end of the year 9999, the last that MariaDB keeps, in microseconds since 1970.
const LATEST_MICROS: i64 = 253_402_300_799_999_999;

/// Which rows. The default is all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TransactionFilter {
    types: Vec<TransactionType>,
    from: Option<DateTime<Utc>>,
    to: Option<DateTime<Utc>>,
}

impl TransactionFilter {
    /// Rows of any of the types, or of all when none is named; not before `from`, and before `to`.
    ///
    /// # Errors
    /// When `to` is not after `from`.
    pub fn new(
        mut types: Vec<TransactionType>,
        from: Option<DateTime<Utc>>,
        to: Option<DateTime<Utc>>,
    ) -> Result<Self, InvalidInput> {
        if let (Some(from), Some(to)) = (from, to)
            && to <= from
        {
            return Err(InvalidInput::field("to", "out_of_range", "must be after `from`"));
        }
        types.sort_unstable();
        types.dedup();
        Ok(Self { types, from: from.map(kept), to: to.map(kept) })
    }

    /// Whether rows of the type are wanted.
    pub(super) fn wants(&self, says: TransactionType) -> bool {
        self.types.is_empty() || self.types.contains(&says)
    }

    /// What a cursor of these rows is good for.
    pub(super) fn scope(&self, user: UserId) -> String {
        let types: Vec<_> = self.types.iter().map(|kind| kind.as_str()).collect();
        let micros =
            |at: Option<DateTime<Utc>>| at.map_or(String::new(), |at| at.timestamp_micros().to_string());
        format!("wallet:{user}:{}:{}:{}", types.join(","), micros(self.from), micros(self.to))
    }

    /// The condition on the user's entries `e`: those whose journals show a wanted row.
    pub(super) fn condition(&self, user: UserId) -> (String, Vec<Value>) {
        let mut sql = "e.user_id = ?".to_owned();
        let mut values: Vec<Value> = vec![kernel::TypedId::uuid(user).into()];
        if let Some(from) = self.from {
            sql += " AND e.created_at >= ?";
            values.push(from.into());
        }
        if let Some(to) = self.to {
            sql += " AND e.created_at < ?";
            values.push(to.into());
        }
        if !self.types.is_empty() {
            self.restrict_kinds(&mut sql, &mut values);
        }
        (sql, values)
    }

    fn restrict_kinds(&self, sql: &mut String, values: &mut Vec<Value>) {
        let shows = |kind, direction| parts(kind, direction).iter().any(|part| self.wants(part.says));
        let (mut always, mut directed) = (Vec::new(), Vec::new());
        for kind in JournalKind::ALL {
            match Direction::ALL.map(|direction| shows(kind, direction)) {
                [true, true] => always.push(kind),
                [true, false] => directed.push((kind, Direction::Gain)),
                [false, true] => directed.push((kind, Direction::Loss)),
                [false, false] => {}
            }
        }
        // A type that no journal shows yet matches nothing.
        let mut any = vec!["1 = 0".to_owned()];
        if !always.is_empty() {
            any.push(format!("e.kind IN ({})", Engine::placeholders(always.len())));
            values.extend(always.into_iter().map(|kind| kind.as_str().into()));
        }
        for (kind, direction) in directed {
            any.push(format!("(e.kind = ? AND {DIRECTION} = '{}')", direction.as_str()));
            values.push(kind.as_str().into());
        }
        *sql += &format!(" AND ({})", any.join(" OR "));
    }
}

/// The first moment that a row can have from `at` on. Rows have whole microseconds, no leap seconds, and years that each
/// engine can keep: a connection to MariaDB that is given another year is lost to its pool.
fn kept(at: DateTime<Utc>) -> DateTime<Utc> {
    let starts_later = i64::from(!at.timestamp_subsec_nanos().is_multiple_of(1_000));
    let micros = at.timestamp_micros().saturating_add(starts_later).clamp(0, LATEST_MICROS);
    DateTime::from_timestamp_micros(micros).unwrap_or(at)
}

/// Which part of the rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransactionQuery {
    /// Which rows.
    pub filter: TransactionFilter,
    /// Which page of them.
    pub paging: Paging,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_of_time_must_have_a_length() {
        let at: DateTime<Utc> = "2026-03-02T06:00:00Z".parse().unwrap();
        let error = TransactionFilter::new(Vec::new(), Some(at), Some(at)).unwrap_err();
        assert_eq!(error.0[0].field, "to");
        assert!(TransactionFilter::new(Vec::new(), None, Some(at)).is_ok());
    }

    #[test]
    fn moments_that_no_row_can_have_become_the_next_that_one_can() {
        for (asked, kept_as) in [
            ("2026-03-02T06:00:00.000001Z", "2026-03-02T06:00:00.000001Z"),
            ("2026-03-02T06:00:00.000001001Z", "2026-03-02T06:00:00.000002Z"),
            ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
            ("2016-12-31T23:59:60.999999999Z", "2017-01-01T00:00:01Z"),
            ("-5000-01-01T00:00:00Z", "1970-01-01T00:00:00Z"),
            ("0000-01-01T00:00:00Z", "1970-01-01T00:00:00Z"),
            ("9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59.999999Z"),
            ("+262142-12-31T23:59:59Z", "9999-12-31T23:59:59.999999Z"),
        ] {
            assert_eq!(kept(asked.parse().unwrap()), kept_as.parse::<DateTime<Utc>>().unwrap(), "{asked}");
        }
        for extreme in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
            assert!((1970..=9999).contains(&chrono::Datelike::year(&kept(extreme))), "{extreme}");
        }
    }

    #[test]
    fn the_order_of_the_types_does_not_matter_to_a_cursor() {
        let user = UserId::from(uuid::Uuid::nil());
        let (a, b) = (TransactionType::Hold, TransactionType::Release);
        let scope = |types| TransactionFilter::new(types, None, None).unwrap().scope(user);
        assert_eq!(scope(vec![a, b]), scope(vec![b, a, b]));
        assert_ne!(scope(vec![a]), scope(vec![b]));
    }
}
