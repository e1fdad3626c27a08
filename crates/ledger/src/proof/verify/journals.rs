//! Journals: each has postings, is what its digest says, and stands in the history of every wallet it touches.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use kernel::Money;
use sea_orm::ConnectionTrait;
use store::{Engine, StoreError};
use uuid::Uuid;

use super::super::stored::{self, Range, Side, StoredJournal, StoredPosting};
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
        let originals = Originals::of(run.conn, &journals).await?;
        for journal in &mut journals {
            journal.postings = postings.remove(&journal.id).unwrap_or_default();
            let new = check_journal(journal)?;
            if run.by_templates {
                check_movements(journal, &new)?;
            }
            check_reversal(journal, &originals)?;
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

/// Gives the journal as it would be posted now.
fn check_journal(journal: &StoredJournal) -> Result<NewJournal, Stop> {
    let key = format!("id {}", journal.id);
    let row = RowOf { table: "ledger_journals", key: &key };
    if journal.postings.is_empty() {
        return Err(row.wrong("postings", "1 or more", 0));
    }
    for (seq, posting) in (1..).zip(&journal.postings) {
        let key = format!("journal_id {}, seq {}", journal.id, posting.seq);
        RowOf { table: "ledger_postings", key: &key }.check("seq", seq, posting.seq)?;
    }
    let new = posted(journal).map_err(|what| row.wrong("payload_hash", what, &journal.payload_hash))?;
    row.check("payload_hash", payload_hash(&new), journal.payload_hash.clone())?;
    Ok(new)
}

/// Each leg is one that journals of this kind have, and all of them are of one user.
fn check_movements(journal: &StoredJournal, new: &NewJournal) -> Result<(), Stop> {
    let NewJournal { kind, legs, .. } = new;
    let mut users = legs.iter().flat_map(|leg| [leg.from.user(), leg.to.user()]).flatten();
    let whose = users.next();
    let is_of_others = whose.is_some_and(|user| users.any(|other| other != user));
    for (leg, posting) in legs.iter().zip(&journal.postings) {
        let key = format!("journal_id {}, seq {}", journal.id, posting.seq);
        let row = RowOf { table: "ledger_postings", key: &key };
        if !kind.moves(leg.from, leg.to) {
            let found = format!("{} and {}", posting.from.name(), posting.to.name());
            let expected = format!("accounts between which a {} moves money", kind.as_str());
            return Err(row.wrong("from_kind and to_kind", expected, found));
        }
        if is_of_others {
            return Err(row.wrong("from_user and to_user", "one user's", "several users'"));
        }
    }
    Ok(())
}

/// The journals that some others reverse.
struct Originals {
    postings: HashMap<Uuid, Vec<StoredPosting>>,
    /// Those of them that are reversals themselves.
    reversals: HashSet<Uuid>,
}

impl Originals {
    async fn of(conn: &impl ConnectionTrait, journals: &[StoredJournal]) -> Result<Self, StoreError> {
        let ids: Vec<Uuid> = journals.iter().filter_map(|journal| journal.reverses).collect();
        let reversals = stored::reversals_among(conn, &ids).await?;
        Ok(Self { postings: stored::postings_of(conn, ids).await?, reversals })
    }
}

/// A reversal, and nothing else, names another journal, which is none and whose exact mirror it is.
fn check_reversal(journal: &StoredJournal, originals: &Originals) -> Result<(), Stop> {
    let key = format!("id {}", journal.id);
    let row = RowOf { table: "ledger_journals", key: &key };
    let is_reversal = journal.kind == JournalKind::Reversal.as_str();
    if is_reversal != journal.reverses.is_some() {
        let (expected, found) = if is_reversal { ("a journal's", "none") } else { ("none", "a journal's") };
        return Err(row.wrong("reverses_id", expected, found));
    }
    let Some(original) = &journal.reverses else { return Ok(()) };
    if originals.reversals.contains(original) {
        return Err(row.wrong("reverses_id", "a journal that is no reversal", original));
    }
    let original = originals.postings.get(original).map(Vec::as_slice).unwrap_or_default();
    let is_mirror = |(one, other): (&StoredPosting, &StoredPosting)| {
        one.from == other.to && one.to == other.from && one.amount == other.amount
    };
    if original.len() == journal.postings.len() && original.iter().zip(&journal.postings).all(is_mirror) {
        return Ok(());
    }
    Err(row.wrong("postings", "the mirror of those that it reverses", "others"))
}

/// The journal as it would be posted now.
fn posted(journal: &StoredJournal) -> Result<NewJournal, String> {
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
    Ok(new)
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
    use crate::account::Purse;

    fn side(kind: &str, user: u128) -> Side {
        Side { kind: kind.to_owned(), user: Purse::parse(kind).map(|_| Uuid::from_u128(user)) }
    }

    fn journal(kind: JournalKind, postings: &[(Side, Side, i64)]) -> StoredJournal {
        let id = Uuid::from_u128(9);
        let postings = (1..).zip(postings).map(|(seq, (from, to, amount))| StoredPosting {
            journal: id,
            seq,
            from: from.clone(),
            to: to.clone(),
            amount: *amount,
        });
        let mut journal = StoredJournal {
            id,
            key: "k".to_owned(),
            payload_hash: String::new(),
            kind: kind.as_str().to_owned(),
            currency: "INR".to_owned(),
            ref_type: "payment".to_owned(),
            ref_id: "pay_1".to_owned(),
            reverses: (kind == JournalKind::Reversal).then(|| Uuid::from_u128(8)),
            actor_type: "system".to_owned(),
            actor_id: "ledger".to_owned(),
            reason: None,
            event_at: chrono::DateTime::UNIX_EPOCH,
            created_at: chrono::DateTime::UNIX_EPOCH,
            postings: postings.collect(),
        };
        journal.payload_hash = posted(&journal).map(|new| payload_hash(&new)).unwrap_or_default();
        journal
    }

    /// The column that is wrong.
    fn wrong(checked: Result<(), Stop>) -> Option<&'static str> {
        match checked {
            Ok(()) => None,
            Err(Stop::Wrong(wrong)) => Some(wrong.column),
            Err(Stop::Failed(error)) => panic!("{error}"),
        }
    }

    #[test]
    fn a_journal_has_the_movements_of_its_kind_and_one_user() {
        let credit = |user, amount| (side("gateway:clearing", 0), side("available", user), amount);
        let check = |kind, postings: &[_]| {
            let journal = journal(kind, postings);
            wrong(check_journal(&journal).and_then(|new| check_movements(&journal, &new)))
        };
        assert_eq!(check(JournalKind::TopUp, &[credit(1, 5)]), None);
        assert_eq!(check(JournalKind::TopUp, &[credit(1, 5), credit(1, 6)]), None);
        assert_eq!(check(JournalKind::Bonus, &[credit(1, 5)]), Some("from_kind and to_kind"));
        assert_eq!(check(JournalKind::TopUp, &[credit(1, 5), credit(2, 6)]), Some("from_user and to_user"));
        let mut changed = journal(JournalKind::TopUp, &[credit(1, 5)]);
        changed.postings[0].amount = 6;
        assert_eq!(wrong(check_journal(&changed).map(drop)), Some("payload_hash"));
    }

    #[test]
    fn a_reversal_is_the_mirror_of_what_it_names() {
        let (clearing, user) = (side("gateway:clearing", 0), side("available", 1));
        let credit = journal(JournalKind::TopUp, &[(clearing.clone(), user.clone(), 5)]);
        let mut originals = Originals {
            postings: HashMap::from([(Uuid::from_u128(8), credit.postings.clone())]),
            reversals: HashSet::new(),
        };
        let reversal = |postings: &[_]| journal(JournalKind::Reversal, postings);
        let check =
            |journal: &StoredJournal, originals: &Originals| wrong(check_reversal(journal, originals));
        let mirror = (user.clone(), clearing.clone(), 5);
        assert_eq!(
            (check(&credit, &originals), check(&reversal(std::slice::from_ref(&mirror)), &originals)),
            (None, None)
        );
        for others in [
            vec![],
            vec![mirror.clone(), mirror.clone()],
            vec![(user.clone(), clearing.clone(), 4)],
            vec![(clearing, user.clone(), 5)],
            vec![(user, side("suspense:unmatched", 0), 5)],
            vec![(side("available", 2), side("gateway:clearing", 0), 5)],
        ] {
            assert_eq!(check(&reversal(&others), &originals), Some("postings"), "{others:?}");
        }
        let names_none = StoredJournal { reverses: None, ..reversal(std::slice::from_ref(&mirror)) };
        let names_one = StoredJournal { reverses: Some(Uuid::from_u128(8)), ..credit };
        for wrong in [names_none, names_one] {
            assert_eq!(check(&wrong, &originals), Some("reverses_id"));
        }
        let reversal = reversal(&[mirror]);
        let names_a_gone_one = StoredJournal { reverses: Some(Uuid::from_u128(7)), ..reversal.clone() };
        assert_eq!(check(&names_a_gone_one, &originals), Some("postings"));
        originals.reversals.insert(Uuid::from_u128(8));
        assert_eq!(check(&reversal, &originals), Some("reverses_id"));
    }

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
