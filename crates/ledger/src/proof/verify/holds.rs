//! Holds: each is what the journal that opened it set aside, and ended with a journal that took exactly that.

use std::collections::HashMap;

use sea_orm::{ConnectionTrait, QueryResult};
use store::{Engine, StoreError};
use uuid::Uuid;

use super::super::stored::{self, Side, StoredPosting};
use super::{PAGE, Part, RowOf, Run, Stop};
use crate::account::Purse;

struct StoredHold {
    id: Uuid,
    user: Uuid,
    amount: i64,
    from_available: i64,
    from_earnings: i64,
    status: String,
    open_journal: Uuid,
    resolve_journal: Option<Uuid>,
}

/// What a journal moved between `held` and the user's other purses, and between `held` and everybody else.
#[derive(Default)]
struct Moved {
    available: i128,
    earnings: i128,
    elsewhere: i128,
}

pub(super) async fn check(run: &mut Run<'_>) -> Result<(), Stop> {
    let mut after = Uuid::nil();
    loop {
        let holds = page(run.conn, after).await?;
        let Some(last) = holds.last().map(|hold| hold.id) else { return Ok(()) };
        let journals = holds.iter().flat_map(|hold| [Some(hold.open_journal), hold.resolve_journal]);
        let postings = stored::postings_of(run.conn, journals.flatten().collect()).await?;
        for hold in &holds {
            check_hold(hold, &postings)?;
            run.report.holds += 1;
        }
        after = last;
        let checked = run.report.holds;
        run.tell(Part::Holds, checked);
    }
}

fn check_hold(hold: &StoredHold, postings: &HashMap<Uuid, Vec<StoredPosting>>) -> Result<(), Stop> {
    let key = format!("id {}", hold.id);
    let row = RowOf { table: "ledger_holds", key: &key };
    let moved = |journal: &Uuid| {
        let postings = postings.get(journal).map(Vec::as_slice).unwrap_or_default();
        Moved::of(hold.user, postings)
    };
    let opened = moved(&hold.open_journal);
    row.check("from_available", opened.available, hold.from_available.into())?;
    row.check("from_earnings", opened.earnings, hold.from_earnings.into())?;
    row.check("amount", opened.total(), hold.amount.into())?;
    let Some(journal) = &hold.resolve_journal else { return row.check("status", "open", &hold.status) };
    let ended = moved(journal);
    row.check("amount", -ended.total(), hold.amount.into())?;
    // What is released goes back into the purses that it came from; what is captured goes to somebody else.
    let back = (-ended.available, -ended.earnings);
    let status = match back {
        (0, 0) => "captured",
        _ if back == (hold.from_available.into(), hold.from_earnings.into()) => "released",
        _ => "captured or released, not both",
    };
    row.check("status", status, &hold.status)
}

impl Moved {
    fn of(user: Uuid, postings: &[StoredPosting]) -> Self {
        let mut moved = Self::default();
        let is = |side: &Side, purse: Purse| side.user == Some(user) && side.kind == purse.as_str();
        for posting in postings {
            let (other, amount) = match (is(&posting.from, Purse::Held), is(&posting.to, Purse::Held)) {
                (false, true) => (&posting.from, i128::from(posting.amount)),
                (true, false) => (&posting.to, -i128::from(posting.amount)),
                _ => continue,
            };
            if is(other, Purse::Available) {
                moved.available += amount;
            } else if is(other, Purse::Earnings) {
                moved.earnings += amount;
            } else {
                moved.elsewhere += amount;
            }
        }
        moved
    }

    /// What `held` gained.
    fn total(&self) -> i128 {
        self.available + self.earnings + self.elsewhere
    }
}

async fn page(conn: &impl ConnectionTrait, after: Uuid) -> Result<Vec<StoredHold>, StoreError> {
    let sql = format!(
        "SELECT id, user_id, amount, from_available, from_earnings, status, open_journal, resolve_journal \
         FROM ledger_holds WHERE id > ? ORDER BY id LIMIT {PAGE}"
    );
    let statement = Engine::of(conn.get_database_backend()).statement(&sql, [after.into()]);
    conn.query_all_raw(statement).await?.iter().map(read).collect()
}

fn read(row: &QueryResult) -> Result<StoredHold, StoreError> {
    Ok(StoredHold {
        id: row.try_get("", "id")?,
        user: row.try_get("", "user_id")?,
        amount: row.try_get("", "amount")?,
        from_available: row.try_get("", "from_available")?,
        from_earnings: row.try_get("", "from_earnings")?,
        status: row.try_get("", "status")?,
        open_journal: row.try_get("", "open_journal")?,
        resolve_journal: row.try_get("", "resolve_journal")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks a hold of 60 and 40 that a journal ended with these legs out of what was held.
    fn ended(status: &str, legs: &[(&str, i64)]) -> bool {
        let (user, opened, ended) = (Uuid::from_u128(1), Uuid::from_u128(2), Uuid::from_u128(3));
        let side = |kind: &str| {
            let user = Purse::parse(kind).map(|_| user);
            Side { kind: kind.to_owned(), user }
        };
        let posting = |journal, from: &str, to: &str, amount| StoredPosting {
            journal,
            seq: 1,
            from: side(from),
            to: side(to),
            amount,
        };
        let opening = vec![posting(opened, "available", "held", 60), posting(opened, "earnings", "held", 40)];
        let ending = legs.iter().map(|(to, amount)| posting(ended, "held", to, *amount)).collect();
        let hold = StoredHold {
            id: Uuid::from_u128(4),
            user,
            amount: 100,
            from_available: 60,
            from_earnings: 40,
            status: status.to_owned(),
            open_journal: opened,
            resolve_journal: Some(ended),
        };
        check_hold(&hold, &HashMap::from([(opened, opening), (ended, ending)])).is_ok()
    }

    #[test]
    fn a_hold_is_given_back_whole_or_taken_whole() {
        assert!(ended("released", &[("available", 60), ("earnings", 40)]));
        assert!(ended("captured", &[("gateway:clearing", 100)]));
        assert!(!ended("captured", &[("available", 60), ("earnings", 40)]));
        for status in ["released", "captured"] {
            assert!(!ended(status, &[("available", 60), ("gateway:clearing", 40)]), "{status}: both");
            assert!(!ended(status, &[("available", 40), ("earnings", 60)]), "{status}: into other purses");
        }
    }
}
