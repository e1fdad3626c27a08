//! A journal is written wholly or not at all.

use kernel::Money;
use ledger::{House, JournalKind, LedgerError, Leg, NewJournal, Outcome, Purse, Reference};
use store::{Database, StoreError};
use testkit::{Domain, Scope, on_every_engine};

use super::support::{
    anybody, assert_sound, available, balances, count, ledger, post_in_txn, somebody_with, spend,
};

/// Rows of everything that a journal writes.
async fn written(db: &Database) -> [i64; 5] {
    let mut rows = [0; 5];
    for (rows, table) in rows.iter_mut().zip(["journals", "postings", "entries", "deltas", "refusals"]) {
        *rows = count(db, &format!("ledger_{table}")).await;
    }
    rows
}

on_every_engine! { Scope::Domain(Domain::Ledger) =>
    async fn a_journal_of_a_transaction_that_fails_leaves_no_trace(db: TestDb) {
        let ledger = ledger(db);
        let user = somebody_with(&ledger, 1_000).await;
        let before = written(db).await;
        let failed = db
            .in_txn(async |txn| {
                assert!(matches!(ledger.post_in_txn(txn, &spend("a", user, 10)).await?, Outcome::Posted(_)));
                assert!(matches!(ledger.post_in_txn(txn, &spend("b", user, 5_000)).await?, Outcome::Refused(_)));
                Err::<(), _>(LedgerError::Store(StoreError::LeaseLost))
            })
            .await;
        assert!(failed.is_err());
        assert_eq!(written(db).await, before);
        assert_eq!(available(db, &ledger, user).await, 1_000);
        assert!(matches!(ledger.post(&spend("b", user, 500)).await.unwrap(), Outcome::Posted(_)), "nor a refusal");
    }

    /// The first of two wallets could pay, the second cannot: neither changes.
    async fn a_journal_that_one_wallet_refuses_changes_no_other(db: TestDb) {
        let ledger = ledger(db);
        let users = [somebody_with(&ledger, 1_000).await, somebody_with(&ledger, 10).await];
        let legs = users.map(|user| Leg::new((user, Purse::Available), House::RevenueBoost, Money::inr(100)));
        let journal = NewJournal::new("both", JournalKind::BoostCharge, Reference::new("boost", 1), legs.into());
        assert!(matches!(ledger.post(&journal.unwrap()).await.unwrap(), Outcome::Refused(_)));
        for (user, was) in users.into_iter().zip([1_000, 10]) {
            let wallet = balances(db, &ledger, user).await;
            assert_eq!((wallet.available.amount(), wallet.version), (was, 1));
        }
        assert_sound(db, &ledger).await;
    }

    async fn a_balance_that_would_not_fit_is_an_error_that_changes_nothing(db: TestDb) {
        let ledger = ledger(db);
        let user = somebody_with(&ledger, i64::MAX).await;
        let before = written(db).await;
        let more = ledger::templates::top_up("pay_more", user, Money::inr(1)).unwrap();
        assert!(matches!(ledger.post(&more).await, Err(LedgerError::Overflow)));
        assert!(matches!(post_in_txn(db, &ledger, &more).await, Err(LedgerError::Overflow)));
        assert_eq!(written(db).await, before);
    }

    /// All sixteen legs of a journal, each with its number.
    async fn a_journal_of_sixteen_legs_is_written_in_order(db: TestDb) {
        let (ledger, user) = (ledger(db), anybody());
        let legs = (1..=16).map(|n| Leg::new(House::GatewayClearing, (user, Purse::Available), Money::inr(n)));
        let journal = NewJournal::new("k", JournalKind::TopUp, Reference::new("payment", 1), legs.collect()).unwrap();
        ledger.post(&journal).await.unwrap();
        assert_eq!(available(db, &ledger, user).await, 136);
        assert_eq!(count(db, "ledger_postings WHERE seq = amount AND seq BETWEEN 1 AND 16").await, 16);
        assert_eq!(written(db).await, [1, 16, 1, 1, 0]);
    }
}
