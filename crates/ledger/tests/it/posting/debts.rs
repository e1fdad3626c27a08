//! A debt is made by what cannot be refused, and paid by the next credit.

use kernel::{Caller, JournalId, Money, UserId};
use ledger::{Ledger, LedgerError, templates};
use store::Database;
use testkit::{Domain, Scope, on_every_engine};

use super::support::{anybody, assert_sound, at_once, balances, ledger, post_in_txn, somebody_with, top_up};

/// The provider refunded a payment of the user without us.
async fn refunded_elsewhere(db: &Database, ledger: &Ledger, user: UserId, refund: &str, paise: i64) {
    let wallet = balances(db, ledger, user).await;
    let journal = templates::refund_elsewhere(refund, user, &wallet, Money::inr(paise)).unwrap();
    post_in_txn(db, ledger, &journal).await.unwrap().journal().unwrap();
}

async fn recover(
    db: &Database,
    ledger: &Ledger,
    user: UserId,
    cause: &str,
) -> Result<Option<JournalId>, LedgerError> {
    db.in_txn(async |txn| ledger.recover_debt_in_txn(txn, user, cause).await).await
}

/// `available` and `debt`.
async fn owes(db: &Database, ledger: &Ledger, user: UserId) -> (i64, i64) {
    let wallet = balances(db, ledger, user).await;
    (wallet.available.amount(), wallet.debt.amount())
}

on_every_engine! { Scope::Domain(Domain::Ledger) =>
    async fn a_debt_is_paid_by_what_comes_in(db: TestDb) {
        let ledger = ledger(db);
        let user = somebody_with(&ledger, 200).await;
        refunded_elsewhere(db, &ledger, user, "rfnd_1", 500).await;
        assert_eq!(owes(db, &ledger, user).await, (0, -300));
        assert_eq!(recover(db, &ledger, user, "nothing").await.unwrap(), None, "nothing came in");
        top_up(&ledger, user, 100).await;
        let paid = recover(db, &ledger, user, "pay_1").await.unwrap().unwrap();
        assert_eq!(owes(db, &ledger, user).await, (0, -200));
        top_up(&ledger, user, 1_000).await;
        assert_eq!(recover(db, &ledger, user, "pay_1").await.unwrap(), Some(paid), "one cause recovers once");
        assert_eq!(owes(db, &ledger, user).await, (1_000, -200));
        recover(db, &ledger, user, "pay_2").await.unwrap().unwrap();
        assert_eq!(owes(db, &ledger, user).await, (800, 0));
        assert_eq!(recover(db, &ledger, user, "pay_3").await.unwrap(), None, "nothing is owed");
        assert_sound(db, &ledger).await;
    }

    async fn a_frozen_wallet_pays_no_debt(db: TestDb) {
        let ledger = ledger(db);
        let user = somebody_with(&ledger, 200).await;
        let caller = Caller::system("fraud desk");
        db.in_txn(async |txn| ledger.set_frozen_in_txn(txn, &caller, user, true, "stolen card").await).await.unwrap();
        refunded_elsewhere(db, &ledger, user, "rfnd_1", 150).await;
        assert_eq!(owes(db, &ledger, user).await, (200, -150), "a frozen wallet is not debited");
        assert_eq!(recover(db, &ledger, user, "pay_1").await.unwrap(), None);
        db.in_txn(async |txn| ledger.set_frozen_in_txn(txn, &caller, user, false, "found").await).await.unwrap();
        recover(db, &ledger, user, "pay_1").await.unwrap().unwrap();
        assert_eq!(owes(db, &ledger, user).await, (50, 0));
    }

    /// Eight causes at once: together they recover the debt and not a paisa more.
    async fn a_debt_is_recovered_once_by_many(db: TestDb) {
        let ledger = ledger(db);
        let user = anybody();
        refunded_elsewhere(db, &ledger, user, "rfnd_1", 500).await;
        top_up(&ledger, user, 800).await;
        let paid = at_once((0..8).map(|n| {
            let (db, ledger) = (db.database().clone(), ledger.clone());
            async move { recover(&db, &ledger, user, &format!("pay_{n}")).await.unwrap() }
        }))
        .await;
        assert_eq!(paid.iter().flatten().count(), 1);
        assert_eq!(owes(db, &ledger, user).await, (300, 0));
        assert_sound(db, &ledger).await;
    }
}
