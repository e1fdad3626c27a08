//! Several wallets locked, and several journals posted, in a caller's transaction: what PostgreSQL does in one statement each.

use std::collections::HashMap;

use kernel::{Money, UserId};
use ledger::{Balances, LedgerError, NewJournal, templates};
use store::StoreError;
use testkit::{Domain, Engine, Scope, TestDb};
use tokio::sync::Notify;

use super::support::{anybody, count, ledger};

fn top_up(payment: &str, user: UserId, paise: i64) -> NewJournal {
    templates::top_up(payment, user, Money::inr(paise)).unwrap()
}

#[tokio::test]
async fn of_several_wallets_those_are_locked_that_are_there_and_free() {
    let db = TestDb::start(Engine::Postgres, Scope::Domain(Domain::Ledger)).await;
    let ledger = ledger(&db);
    let users = [anybody(), anybody(), anybody()];
    for (user, paise) in users.into_iter().zip([100, 200, 300]) {
        ledger.post(&top_up(&format!("pay_{user}"), user, paise)).await.unwrap();
    }
    let asked = [users[2], anybody(), users[1], users[0]];
    let held = async |asked: &[UserId]| -> HashMap<UserId, Balances> {
        db.in_txn(async |txn| ledger.lock_free_wallets_in_txn(txn, asked).await).await.unwrap()
    };
    let available =
        |held: &HashMap<UserId, Balances>, n: usize| held.get(&users[n]).map(|w| w.available.amount());

    let (is_locked, let_go) = (Notify::new(), Notify::new());
    let other = db.in_txn(async |txn| {
        ledger.lock_wallet_in_txn(txn, users[1]).await?;
        is_locked.notify_one();
        let_go.notified().await;
        Ok::<_, LedgerError>(())
    });
    let meanwhile = async {
        is_locked.notified().await;
        let free = held(&asked).await;
        let_go.notify_one();
        free
    };
    let (other, free) = tokio::join!(other, meanwhile);
    other.unwrap();
    assert_eq!([0, 1, 2].map(|n| available(&free, n)), [Some(100), None, Some(300)]);
    let all = held(&asked).await;
    assert_eq!([0, 1, 2].map(|n| available(&all, n)), [Some(100), Some(200), Some(300)]);
    assert!(all.values().all(|wallet| wallet.version == 1 && !wallet.frozen));
    assert_eq!(all.len(), 3, "nobody is given a wallet by that");
    db.dispose().await;
}

#[tokio::test]
async fn several_journals_are_posted_all_or_none() {
    let db = TestDb::start(Engine::Postgres, Scope::Domain(Domain::Ledger)).await;
    let ledger = ledger(&db);
    let post = async |journals: &[&NewJournal]| {
        db.in_txn(async |txn| ledger.post_together_in_txn(txn, journals).await).await
    };
    let (asha, ravi) = (anybody(), anybody());
    let (first, second) = (top_up("pay_1", asha, 100), top_up("pay_2", ravi, 250));
    let ids = post(&[&first, &second]).await.unwrap();
    let known = |journal: NewJournal| {
        let ledger = ledger.clone();
        async move { ledger.post(&journal).await.unwrap().journal().unwrap() }
    };
    assert_eq!(ids, [known(first.clone()).await, known(second).await], "in the order of the journals");
    assert_eq!(ledger.wallet(ravi).await.unwrap().available, Money::inr(250));

    let refused = post(&[&top_up("pay_3", asha, 100), &first]).await;
    assert!(matches!(refused, Err(LedgerError::Store(StoreError::Overtaken))), "{refused:?}");
    assert_eq!(ledger.wallet(asha).await.unwrap().available, Money::inr(100), "not the other one either");
    assert_eq!(count(&db, "ledger_journals").await, 2);
    assert!(post(&[]).await.unwrap().is_empty());
    db.dispose().await;
}
