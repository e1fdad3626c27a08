//! The statements that read a history.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use kernel::{JournalId, TypedId, UserId};
use sea_orm::{ConnectionTrait, QueryResult, Value};
use store::{Engine, StoreError};
use uuid::Uuid;

use super::query::TransactionFilter;
use super::shape::Direction;
use crate::account::{House, Purse};
use crate::fold::bigint;
use crate::journal::JournalKind;

/// Entries `e`, each with the one before it, `p`, which the first of a wallet does not have.
pub(super) const ENTRIES: &str = "ledger_entries e LEFT JOIN ledger_entries p \
     ON p.user_id = e.user_id AND p.version = e.version - 1";

/// Which way the entry's journal moved the wallet: see [`Direction`].
pub(super) const DIRECTION: &str = "(CASE \
     WHEN e.available + e.held + e.promo + e.earnings + e.debt \
        > COALESCE(p.available + p.held + p.promo + p.earnings + p.debt, 0) THEN 'gain' \
     WHEN e.available + e.held + e.promo + e.earnings + e.debt \
        = COALESCE(p.available + p.held + p.promo + p.earnings + p.debt, 0) \
      AND e.available + e.promo + e.earnings > COALESCE(p.available + p.promo + p.earnings, 0) THEN 'gain' \
     ELSE 'loss' END)";

/// What can be spent, and what is set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) spendable: i64,
    pub(super) held: i64,
}

/// An entry of a wallet's history.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) version: i64,
    pub(super) journal: JournalId,
    pub(super) kind: JournalKind,
    pub(super) direction: Direction,
    pub(super) before: Standing,
    pub(super) created_at: DateTime<Utc>,
}

/// What a user's history tells of a journal.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub(super) reference_kind: String,
    pub(super) reference_id: String,
    pub(super) reason: Option<String>,
    /// The legs that touch the user, in order.
    pub(super) legs: Vec<UserLeg>,
}

/// A leg between one of the user's purses and another account, which may be another purse of theirs.
#[derive(Debug, Clone, Copy)]
pub(super) struct UserLeg {
    pub(super) from: Option<Purse>,
    pub(super) to: Option<Purse>,
    pub(super) house: Option<House>,
    pub(super) amount: i64,
}

/// What fits 64 bits, of a sum; the servers' own type for it is wider.
pub(crate) fn sum_of(engine: Engine, amount: &str) -> String {
    format!("CAST(COALESCE(SUM({amount}), 0) AS {})", bigint(engine))
}

pub(super) fn corrupt(what: impl Into<String>) -> StoreError {
    StoreError::Corrupt(what.into())
}

/// The entries that the filter wants, latest first: the first `limit`, or of those up to a version.
pub(super) async fn entries(
    conn: &impl ConnectionTrait,
    user: UserId,
    filter: &TransactionFilter,
    up_to: Option<i64>,
    limit: u64,
) -> Result<Vec<Entry>, StoreError> {
    let (mut condition, mut values) = filter.condition(user);
    if let Some(version) = up_to {
        condition += " AND e.version <= ?";
        values.push(version.into());
    }
    let sql = format!(
        "SELECT e.version, e.journal_id, e.kind, e.created_at, {DIRECTION} AS direction, \
         COALESCE(p.available + p.promo + p.earnings, 0) AS spendable_before, COALESCE(p.held, 0) AS held_before \
         FROM {ENTRIES} WHERE {condition} ORDER BY e.version DESC LIMIT {limit}"
    );
    let statement = Engine::of(conn.get_database_backend()).statement(&sql, values);
    conn.query_all_raw(statement).await?.iter().map(read_entry).collect()
}

fn read_entry(row: &QueryResult) -> Result<Entry, StoreError> {
    let (kind, direction) = read_kind(row)?;
    Ok(Entry {
        version: row.try_get("", "version")?,
        journal: row.try_get::<Uuid>("", "journal_id")?.into(),
        kind,
        direction,
        before: Standing {
            spendable: row.try_get("", "spendable_before")?,
            held: row.try_get("", "held_before")?,
        },
        created_at: row.try_get("", "created_at")?,
    })
}

/// The columns `kind` and `direction`.
pub(super) fn read_kind(row: &QueryResult) -> Result<(JournalKind, Direction), StoreError> {
    let kind: String = row.try_get("", "kind")?;
    let direction: String = row.try_get("", "direction")?;
    let kind = JournalKind::parse(&kind).ok_or_else(|| corrupt(format!("ledger_entries.kind {kind}")))?;
    let direction = Direction::find(&direction).ok_or_else(|| corrupt(format!("direction {direction}")))?;
    Ok((kind, direction))
}

/// How many entries the filter wants, by kind and direction.
pub(super) async fn count(
    conn: &impl ConnectionTrait,
    user: UserId,
    filter: &TransactionFilter,
) -> Result<Vec<(JournalKind, Direction, u64)>, StoreError> {
    let (condition, values) = filter.condition(user);
    let sql = format!(
        "SELECT e.kind, {DIRECTION} AS direction, COUNT(*) AS entries FROM {ENTRIES} WHERE {condition} \
         GROUP BY e.kind, direction"
    );
    let rows = conn.query_all_raw(Engine::of(conn.get_database_backend()).statement(&sql, values)).await?;
    rows.iter()
        .map(|row| {
            let (kind, direction) = read_kind(row)?;
            let entries: i64 = row.try_get("", "entries")?;
            Ok((kind, direction, u64::try_from(entries).unwrap_or_default()))
        })
        .collect()
}

/// What the journals say of the user.
pub(super) async fn told(
    conn: &impl ConnectionTrait,
    user: UserId,
    journals: &[JournalId],
) -> Result<HashMap<JournalId, Told>, StoreError> {
    if journals.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = format!(
        "SELECT j.id, j.ref_type, j.ref_id, j.reason, l.from_kind, l.from_user, l.to_kind, l.to_user, l.amount \
         FROM ledger_journals j JOIN ledger_postings l ON l.journal_id = j.id \
         WHERE (l.from_user = ? OR l.to_user = ?) AND j.id IN ({}) ORDER BY j.id, l.seq",
        Engine::placeholders(journals.len())
    );
    let mut values: Vec<Value> = vec![user.uuid().into(), user.uuid().into()];
    values.extend(journals.iter().map(|journal| Value::from(journal.uuid())));
    let statement = Engine::of(conn.get_database_backend()).statement(&sql, values);
    let mut told = HashMap::new();
    for row in conn.query_all_raw(statement).await? {
        let id: JournalId = row.try_get::<Uuid>("", "id")?.into();
        let leg = read_leg(&row, user)?;
        match told.entry(id) {
            std::collections::hash_map::Entry::Vacant(slot) => {
                slot.insert(Told {
                    reference_kind: row.try_get("", "ref_type")?,
                    reference_id: row.try_get("", "ref_id")?,
                    reason: row.try_get("", "reason")?,
                    legs: vec![leg],
                });
            }
            std::collections::hash_map::Entry::Occupied(mut slot) => slot.get_mut().legs.push(leg),
        }
    }
    Ok(told)
}

/// The user's side of a leg.
fn read_leg(row: &QueryResult, user: UserId) -> Result<UserLeg, StoreError> {
    let side = |kind: &str, owner: &str| -> Result<(Option<Purse>, Option<House>), StoreError> {
        let name: String = row.try_get("", kind)?;
        let owner: Option<Uuid> = row.try_get("", owner)?;
        match owner {
            None => Ok((None, House::parse(&name))),
            Some(owner) if owner == user.uuid() => Ok((Purse::parse(&name), None)),
            Some(_) => Ok((None, None)),
        }
    };
    let (from, from_house) = side("from_kind", "from_user")?;
    let (to, to_house) = side("to_kind", "to_user")?;
    Ok(UserLeg { from, to, house: from_house.or(to_house), amount: row.try_get("", "amount")? })
}

impl Standing {
    /// The standing after a leg; `None` when it does not fit 64 bits.
    pub(super) fn after(self, leg: &UserLeg) -> Option<Self> {
        let down = leg.amount.checked_neg()?;
        let moved = leg.from.map_or(Some(self), |purse| self.moved(purse, down))?;
        leg.to.map_or(Some(moved), |purse| moved.moved(purse, leg.amount))
    }

    fn moved(self, purse: Purse, by: i64) -> Option<Self> {
        Some(match purse {
            Purse::Available | Purse::Promo | Purse::Earnings => {
                Self { spendable: self.spendable.checked_add(by)?, ..self }
            }
            Purse::Held => Self { held: self.held.checked_add(by)?, ..self },
            Purse::Debt => self,
        })
    }
}
