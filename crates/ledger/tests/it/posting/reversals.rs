//! A journal is undone once, by its exact mirror.

use kernel::{Actor, BoostId, JournalId, Money, RefundId};
use ledger::{
    Balances, GstRate, HoldOutcome, JournalKind, Ledger, LedgerError, Outcome, Refusal, Split, templates,
};
use store::Database;
use testkit::{Domain, Scope, on_every_engine};

use super::support::{anybody, assert_sound, at_once, balances, count, ledger, rows, somebody_with, spend};

const DESK: Actor = Actor::System("desk");

async fn reverse(
    db: &Database,
    ledger: &Ledger,
    journal: JournalId,
    why: &str,
) -> Result<Outcome, LedgerError> {
    db.in_txn(async |txn| ledger.reverse_in_txn(txn, journal, &DESK, why).await).await
}

/// The legs of the journal in their order, as text.
async fn legs(db: &Database, key: &str, from: &str, to: &str) -> Vec<String> {
    let sql = format!(
        "SELECT p.{from}_kind AS f, p.{to}_kind AS t, p.amount FROM ledger_postings p \
         JOIN ledger_journals j ON j.id = p.journal_id WHERE j.idem_key = ? ORDER BY p.seq"
    );
    let text = |row: &sea_orm::QueryResult| {
        let (from, to): (String, String) = (row.try_get("", "f").unwrap(), row.try_get("", "t").unwrap());
        format!("{from} {to} {}", row.try_get::<i64>("", "amount").unwrap())
    };
    rows(db, &sql, vec![key.into()]).await.iter().map(text).collect()
}

on_every_engine! { Scope::Domain(Domain::Ledger) =>
    async fn a_reversal_is_the_exact_mirror(db: TestDb) {
        let ledger = ledger(db);
        let user = somebody_with(&ledger, 10_000).await;
        ledger.post(&templates::bonus("g", user, Money::inr(1_000)).unwrap()).await.unwrap();
        let before = balances(db, &ledger, user).await;
        let boost: BoostId = kernel::Ambient::system().new_id();
        let price = Split { promo: Money::inr(1_000), available: Money::inr(3_900), earnings: Money::inr(0) };
        let rate = GstRate::percent(18).unwrap();
        let charge = templates::boost_charge(boost, user, &price, rate, JournalKind::BoostCharge).unwrap();
        let charged = ledger.post(&charge).await.unwrap().journal().unwrap();
        let Outcome::Posted(reversal) = reverse(db, &ledger, charged, "bought by mistake").await.unwrap() else {
            panic!("not reversed")
        };
        let after = balances(db, &ledger, user).await;
        assert_eq!(after, Balances { version: before.version + 2, ..before });
        let mirror = legs(db, &format!("rev:{charged}"), "to", "from").await;
        assert_eq!(mirror, legs(db, charge.key(), "from", "to").await);
        assert_eq!(mirror.len(), 4);
        assert_eq!(reverse(db, &ledger, charged, "bought by mistake").await.unwrap(), Outcome::Known(reversal));
        assert!(matches!(reverse(db, &ledger, charged, "why not").await, Err(LedgerError::AlreadyReversed(id)) if id == charged));
        let sql = format!("ledger_journals WHERE kind = 'reversal' AND ref_id = '{boost}' AND actor_id = 'desk'");
        assert_eq!(count(db, &sql).await, 1);
        assert_sound(db, &ledger).await;
    }

    async fn a_journal_is_reversed_once_by_many(db: TestDb) {
        let ledger = ledger(db);
        let user = somebody_with(&ledger, 1_000).await;
        let spent = ledger.post(&spend("a", user, 400)).await.unwrap().journal().unwrap();
        let outcomes = at_once((0..16).map(|_| {
            let (db, ledger) = (db.database().clone(), ledger.clone());
            async move { reverse(&db, &ledger, spent, "once").await.unwrap() }
        }))
        .await;
        assert_eq!(outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Posted(_))).count(), 1);
        assert_eq!(outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Known(_))).count(), 15);
        assert_eq!(balances(db, &ledger, user).await.available, Money::inr(1_000));
    }

    async fn a_reversal_is_not_reversible_and_neither_is_a_hold(db: TestDb) {
        let ledger = ledger(db);
        let user = somebody_with(&ledger, 1_000).await;
        let spent = ledger.post(&spend("a", user, 400)).await.unwrap().journal().unwrap();
        let reversal = reverse(db, &ledger, spent, "once").await.unwrap().journal().unwrap();
        let refused = reverse(db, &ledger, reversal, "twice").await;
        assert!(matches!(refused, Err(LedgerError::NotReversible(id)) if id == reversal), "{refused:?}");
        let refund: RefundId = kernel::Ambient::system().new_id();
        let new = templates::refund_hold(refund, user, Money::inr(100));
        let held = db.in_txn(async |txn| ledger.open_hold_in_txn(txn, &new).await).await.unwrap();
        let HoldOutcome::Posted(hold, opened) = held else { panic!("not held") };
        let done = templates::refund_done(refund, user, Money::inr(100)).unwrap();
        let done = db.in_txn(async |txn| ledger.capture_hold_in_txn(txn, hold, &done).await).await.unwrap();
        for journal in [opened, done.journal().unwrap()] {
            assert!(matches!(reverse(db, &ledger, journal, "no").await, Err(LedgerError::NotReversible(_))));
        }
        let unknown: JournalId = kernel::Ambient::system().new_id();
        assert!(matches!(reverse(db, &ledger, unknown, "no").await, Err(LedgerError::NoJournal(_))));
        assert_sound(db, &ledger).await;
    }

    async fn what_was_spent_since_cannot_be_taken_back(db: TestDb) {
        let ledger = ledger(db);
        let user = anybody();
        let top_up = templates::top_up("pay_1", user, Money::inr(500)).unwrap();
        let credited = ledger.post(&top_up).await.unwrap().journal().unwrap();
        ledger.post(&spend("a", user, 100)).await.unwrap();
        let refused = reverse(db, &ledger, credited, "charged back").await.unwrap();
        assert_eq!(refused, Outcome::Refused(Refusal::InsufficientFunds));
        assert_eq!(balances(db, &ledger, user).await.available, Money::inr(400));
    }
}
