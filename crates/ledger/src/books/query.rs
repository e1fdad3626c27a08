//! Which rows of a history are asked for.

use chrono::{DateTime, Utc};
use kernel::{InvalidInput, Paging, UserId};
use sea_orm::Value;
use store::Engine;

use super::rows::DIRECTION;
use super::shape::{Direction, TransactionType, parts};
use crate::journal::JournalKind;

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
        Ok(Self { types, from, to })
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
    fn the_order_of_the_types_does_not_matter_to_a_cursor() {
        let user = UserId::from(uuid::Uuid::nil());
        let (a, b) = (TransactionType::Hold, TransactionType::Release);
        let scope = |types| TransactionFilter::new(types, None, None).unwrap().scope(user);
        assert_eq!(scope(vec![a, b]), scope(vec![b, a, b]));
        assert_ne!(scope(vec![a]), scope(vec![b]));
    }
}
