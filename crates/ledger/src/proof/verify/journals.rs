//! Journals: each has postings, is what its digest says, and stands in the history of every wallet it touches.

use std::collections::{BTreeMap, BTreeSet};

use kernel::Money;
use sea_orm::ConnectionTrait;
use store::{Engine, StoreError};
use uuid::Uuid;

use super::super::stored::{self, Range, Side, StoredJournal};
use super::seals::Seals;
use super::{HouseSums, PAGE, Part, RowOf, Run, Stop};
use crate::account::Account;
use crate::journal::{JournalKind, Leg, NewJournal, payload_hash};

/// An entry as its journal sees it.
struct JournalEntry {
    journal: Uuid,
    user: Uuid,
    kind: String,
    micros: i64,
}

/// Checks all journals in the order of their ids; gives what they come to for each house account.
pub(super) async fn check(run: &mut Run<'_>) -> Result<HouseSums, Stop> {
    let mut houses = HouseSums::new();
    let mut seals = Seals::begin(run.conn).await?;
    let mut after = Uuid::nil();
    loop {
        let mut journals = stored::headers(run.conn, Range { after, up_to: None }, PAGE).await?;
        let last = journals.last().map(|journal| journal.id);
        // After the last journal nothing may follow.
        let range = Range { after, up_to: last };
        let mut postings = by_journal(stored::postings(run.conn, range).await?, |posting| posting.journal);
        let mut entries = by_journal(entries(run.conn, range).await?, |entry| entry.journal);
        for journal in &mut journals {
            journal.postings = postings.remove(&journal.id).unwrap_or_default();
            check_journal(journal)?;
            check_entries(journal, entries.remove(&journal.id).unwrap_or_default())?;
            seals.add(run.conn, journal).await?;
            replay(journal, &mut houses);
            run.report.journals += 1;
            run.report.postings += u64::try_from(journal.postings.len()).unwrap_or_default();
        }
        belongs_to_none("ledger_postings", postings.keys().next())?;
        belongs_to_none("ledger_entries", entries.keys().next())?;
        let Some(last) = last else { break };
        after = last;
        let checked = run.report.journals;
        run.tell(Part::Journals, checked);
    }
    (run.report.seals, run.report.newest_seal) = seals.finish(run.conn).await?;
    Ok(houses)
}

fn by_journal<T>(rows: Vec<T>, journal: impl Fn(&T) -> Uuid) -> BTreeMap<Uuid, Vec<T>> {
    let mut grouped: BTreeMap<Uuid, Vec<T>> = BTreeMap::new();
    for row in rows {
        grouped.entry(journal(&row)).or_default().push(row);
    }
    grouped
}

/// What is left when every journal has taken its own.
fn belongs_to_none(table: &'static str, journal: Option<&Uuid>) -> Result<(), Stop> {
    let Some(journal) = journal else { return Ok(()) };
    let key = format!("journal_id {journal}");
    Err(RowOf { table, key: &key }.wrong("journal_id", "a journal's", "no journal's"))
}

fn check_journal(journal: &StoredJournal) -> Result<(), Stop> {
    let key = format!("id {}", journal.id);
    let row = RowOf { table: "ledger_journals", key: &key };
    if journal.postings.is_empty() {
        return Err(row.wrong("postings", "1 or more", 0));
    }
    for (seq, posting) in (1..).zip(&journal.postings) {
        let key = format!("journal_id {}, seq {}", journal.id, posting.seq);
        RowOf { table: "ledger_postings", key: &key }.check("seq", seq, posting.seq)?;
    }
    match digest(journal) {
        Ok(hash) => row.check("payload_hash", hash, journal.payload_hash.clone()),
        Err(what) => Err(row.wrong("payload_hash", what, &journal.payload_hash)),
    }
}

/// The digest that the journal would get if it were posted now.
fn digest(journal: &StoredJournal) -> Result<String, String> {
    let kind = JournalKind::parse(&journal.kind).ok_or("of a kind that is known")?;
    let account = |side: &Side| {
        Account::read(&side.kind, side.user.map(Into::into)).ok_or_else(|| format!("without {}", side.name()))
    };
    let legs = journal.postings.iter().map(|posting| {
        Ok(Leg::new(account(&posting.from)?, account(&posting.to)?, Money::inr(posting.amount)))
    });
    let legs = legs.collect::<Result<Vec<_>, String>>()?;
    let (ref_type, ref_id) = (journal.ref_type.clone(), journal.ref_id.clone());
    let mut new = NewJournal::about(journal.key.clone(), kind, ref_type.into(), ref_id, legs)
        .map_err(|error| error.to_string())?;
    new.reason.clone_from(&journal.reason);
    new.reverses = journal.reverses.map(Into::into);
    Ok(payload_hash(&new))
}

/// Each wallet that the journal touches has one entry for it, of its kind and moment, and no other wallet has one.
fn check_entries(journal: &StoredJournal, entries: Vec<JournalEntry>) -> Result<(), Stop> {
    let sides = journal.postings.iter().flat_map(|posting| [&posting.from, &posting.to]);
    let mut touched: BTreeSet<Uuid> = sides.filter_map(|side| side.user).collect();
    for entry in entries {
        let key = format!("journal_id {}, user_id {}", journal.id, entry.user);
        let row = RowOf { table: "ledger_entries", key: &key };
        if !touched.remove(&entry.user) {
            return Err(row.wrong("user_id", "touched by the journal", "not touched by it"));
        }
        row.check("kind", &journal.kind, &entry.kind)?;
        row.check("created_at in microseconds", journal.created_at.timestamp_micros(), entry.micros)?;
    }
    let Some(user) = touched.first() else { return Ok(()) };
    let key = format!("journal_id {}, user_id {user}", journal.id);
    Err(RowOf { table: "ledger_entries", key: &key }.wrong("rows", 1, 0))
}

/// The entries of the range's journals.
async fn entries(conn: &impl ConnectionTrait, range: Range) -> Result<Vec<JournalEntry>, StoreError> {
    let (condition, values) = range.condition("journal_id");
    let sql = format!(
        "SELECT journal_id, user_id, kind, created_at FROM ledger_entries WHERE {condition} \
         ORDER BY journal_id, user_id"
    );
    let statement = Engine::of(conn.get_database_backend()).statement(&sql, values);
    let rows = conn.query_all_raw(statement).await?;
    rows.iter()
        .map(|row| {
            let at: chrono::DateTime<chrono::Utc> = row.try_get("", "created_at")?;
            Ok(JournalEntry {
                journal: row.try_get("", "journal_id")?,
                user: row.try_get("", "user_id")?,
                kind: row.try_get("", "kind")?,
                micros: at.timestamp_micros(),
            })
        })
        .collect()
}

fn replay(journal: &StoredJournal, houses: &mut HouseSums) {
    for posting in &journal.postings {
        for (side, amount) in
            [(&posting.from, -i128::from(posting.amount)), (&posting.to, posting.amount.into())]
        {
            if side.user.is_none() {
                *houses.entry(side.kind.clone()).or_default() += amount;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Foreign keys keep such rows out, unless they were switched off.
    #[test]
    fn a_row_of_no_journal_is_wrong() {
        assert!(belongs_to_none("ledger_postings", None).is_ok());
        let Err(Stop::Wrong(wrong)) = belongs_to_none("ledger_postings", Some(&Uuid::nil())) else {
            panic!("it was found right");
        };
        assert_eq!((wrong.table, wrong.found.as_str()), ("ledger_postings", "no journal's"));
    }
}
