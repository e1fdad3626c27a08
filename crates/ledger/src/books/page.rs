//! From entries and legs to the rows of a history.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use kernel::{JournalId, Money, UserId};
use sea_orm::ConnectionTrait;
use serde::{Deserialize, Serialize};
use store::StoreError;

use super::query::TransactionFilter;
use super::rows::{self, Entry, Standing, Told, UserLeg};
use super::shape::{Direction, Part, TransactionType, part_of, parts};
use super::transaction::{BalanceChange, ReferenceView, TransactionStatus, WalletTransactionView};
use crate::journal::JournalKind;

/// Where a row stands: the wallet's version, and its place among the rows of that version. Latest first, the last
/// row of a version comes before the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Position {
    pub(super) version: i64,
    pub(super) part: usize,
}

/// A row of a history.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) at: Position,
    pub(super) says: TransactionType,
    pub(super) amount: i64,
    pub(super) before: Standing,
    pub(super) after: Standing,
    pub(super) reference: ReferenceView,
    pub(super) reason: Option<String>,
    pub(super) created_at: DateTime<Utc>,
}

impl Row {
    /// Its name within the wallet.
    pub(super) fn id(&self) -> String {
        format!("{}-{}", self.at.version, self.at.part)
    }

    pub(super) fn into_view(self) -> WalletTransactionView {
        let change = |before, after| BalanceChange { before: Money::inr(before), after: Money::inr(after) };
        WalletTransactionView {
            id: self.id(),
            says: self.says,
            amount: Money::inr(self.amount),
            spendable: change(self.before.spendable, self.after.spendable),
            held: change(self.before.held, self.after.held),
            reference: self.reference,
            status: TransactionStatus::Completed,
            reason: self.reason,
            created_at: self.created_at,
        }
    }
}

/// How many rows of a journal the filter wants.
pub(super) fn rows_of(kind: JournalKind, direction: Direction, filter: &TransactionFilter) -> u64 {
    let wanted = parts(kind, direction).iter().filter(|part| filter.wants(part.says)).count();
    u64::try_from(wanted).unwrap_or_default()
}

/// The rows after a position, or the first ones: one more than `limit`, if there is one.
pub(super) async fn after(
    conn: &impl ConnectionTrait,
    user: UserId,
    filter: &TransactionFilter,
    after: Option<Position>,
    limit: u32,
) -> Result<Vec<Row>, StoreError> {
    let up_to = after.map(|at| at.version);
    // Each entry shows a row at least, but the first may have shown all of its rows on the page before.
    let entries = rows::entries(conn, user, filter, up_to, u64::from(limit) + 2).await?;
    let is_new = |at: Position| after.is_none_or(|last| (at.version, at.part) < (last.version, last.part));
    let places = places(&entries, filter).filter(|&(_, at)| is_new(at));
    let keep = usize::try_from(limit).unwrap_or(usize::MAX).saturating_add(1);
    read(conn, user, places.take(keep).collect()).await
}

/// The rows of a numbered page.
pub(super) async fn numbered(
    conn: &impl ConnectionTrait,
    user: UserId,
    filter: &TransactionFilter,
    offset: u64,
    limit: u32,
) -> Result<Vec<Row>, StoreError> {
    let entries = rows::entries(conn, user, filter, None, offset + u64::from(limit)).await?;
    let skip = usize::try_from(offset).unwrap_or(usize::MAX);
    let keep = usize::try_from(limit).unwrap_or(usize::MAX);
    let places = places(&entries, filter).skip(skip).take(keep).collect();
    read(conn, user, places).await
}

/// The places of the wanted rows, latest first.
fn places<'a>(
    entries: &'a [Entry],
    filter: &'a TransactionFilter,
) -> impl Iterator<Item = (&'a Entry, Position)> + 'a {
    entries.iter().flat_map(move |entry| {
        let parts = parts(entry.kind, entry.direction).iter().enumerate().rev();
        parts
            .filter(|(_, part)| filter.wants(part.says))
            .map(move |(part, _)| (entry, Position { version: entry.version, part }))
    })
}

/// The rows at the places.
async fn read(
    conn: &impl ConnectionTrait,
    user: UserId,
    places: Vec<(&Entry, Position)>,
) -> Result<Vec<Row>, StoreError> {
    let mut journals: Vec<JournalId> = places.iter().map(|(entry, _)| entry.journal).collect();
    journals.dedup();
    let told = rows::told(conn, user, &journals).await?;
    places.into_iter().map(|(entry, at)| row(entry, at, &told)).collect()
}

fn row(entry: &Entry, at: Position, told: &HashMap<JournalId, Told>) -> Result<Row, StoreError> {
    let unreadable =
        || rows::corrupt(format!("ledger_entries version {} has no such postings", entry.version));
    let told = told.get(&entry.journal).ok_or_else(unreadable)?;
    let parts = parts(entry.kind, entry.direction);
    let says = parts.get(at.part).ok_or_else(unreadable)?.says;
    let Moved { amount, before, after } =
        moved(parts, at.part, entry.before, &told.legs).ok_or_else(unreadable)?;
    Ok(Row {
        at,
        says,
        amount,
        before,
        after,
        reference: ReferenceView { kind: told.reference_kind.clone(), id: told.reference_id.clone() },
        reason: told.reason.clone(),
        created_at: entry.created_at,
    })
}

/// What one row of a journal moved.
#[derive(Debug, PartialEq, Eq)]
struct Moved {
    amount: i64,
    before: Standing,
    after: Standing,
}

/// What the part moved: the parts before it have happened, those after it have not. `None` when a sum does not fit.
fn moved(parts: &[Part], part: usize, mut before: Standing, legs: &[UserLeg]) -> Option<Moved> {
    let of = |number: usize| legs.iter().filter(move |leg| part_of(parts, leg.house) == Some(number));
    for leg in (0..part).flat_map(&of) {
        before = before.after(leg)?;
    }
    let mut moved = Moved { amount: 0, before, after: before };
    for leg in of(part) {
        moved.amount = moved.amount.checked_add(leg.amount)?;
        moved.after = moved.after.after(leg)?;
    }
    Some(moved)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::{House, Purse};

    #[test]
    fn a_journal_of_several_rows_is_told_one_after_the_other() {
        let parts = [
            Part { says: TransactionType::DebitPayout, with: &[House::PayoutsClearing] },
            Part { says: TransactionType::DebitFee, with: &[] },
        ];
        let leg = |house, amount| UserLeg { from: Some(Purse::Held), to: None, house: Some(house), amount };
        let legs = [
            leg(House::RevenuePayoutFee, 500),
            leg(House::PayoutsClearing, 9_410),
            leg(House::GstOutputCgst, 90),
        ];
        let standing = |held| Standing { spendable: 700, held };
        let first = moved(&parts, 0, standing(10_000), &legs).unwrap();
        assert_eq!(first, Moved { amount: 9_410, before: standing(10_000), after: standing(590) });
        let second = moved(&parts, 1, standing(10_000), &legs).unwrap();
        assert_eq!(second, Moved { amount: 590, before: standing(590), after: standing(0) });
    }
}
