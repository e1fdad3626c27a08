//! One key names one journal, and a refusal stays one.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use ledger::{LedgerError, NewJournal, Outcome, Refusal};
use store::Database;
use testkit::{Domain, Scope, on_every_engine};
use tokio::sync::Notify;

use super::support::{
    assert_sound, at_once, available, count, ledger, post_in_txn, settle, somebody_with, spend, top_up,
};

/// Posts all of them at once, every second one in a transaction of its caller's.
async fn race(db: &Database, journals: Vec<NewJournal>) -> Vec<Result<Outcome, LedgerError>> {
    let ledger = ledger(db);
    at_once(journals.into_iter().enumerate().map(|(n, journal)| {
        let (db, ledger) = (db.clone(), ledger.clone());
        async move {
            if n % 2 == 0 { ledger.post(&journal).await } else { post_in_txn(&db, &ledger, &journal).await }
        }
    }))
    .await
}

/// How many were posted, how many were told of it, and how many found the key used for something else.
fn tally(outcomes: &[Result<Outcome, LedgerError>]) -> (usize, usize, usize) {
    let is =
        |wanted: fn(&Result<Outcome, LedgerError>) -> bool| outcomes.iter().filter(|o| wanted(o)).count();
    (
        is(|o| matches!(o, Ok(Outcome::Posted(_)))),
        is(|o| matches!(o, Ok(Outcome::Known(_)))),
        is(|o| matches!(o, Err(LedgerError::KeyReused))),
    )
}

fn journals(outcomes: &[Result<Outcome, LedgerError>]) -> HashSet<String> {
    outcomes.iter().flatten().filter_map(|outcome| outcome.journal()).map(|id| id.to_string()).collect()
}

on_every_engine! { Scope::Domain(Domain::Ledger) =>
    async fn one_key_one_journal(db: TestDb) {
        let ledger = ledger(db);
        let user = somebody_with(&ledger, 1_000).await;
        let outcomes = race(db, vec![spend("boost:1", user, 100); 32]).await;
        assert_eq!(tally(&outcomes), (1, 31, 0));
        assert_eq!(journals(&outcomes).len(), 1, "all were told of the same journal");
        assert_eq!(available(db, &ledger, user).await, 900);
        assert_eq!(count(db, "ledger_journals WHERE idem_key = 'boost:1'").await, 1);
        assert_sound(db, &ledger).await;
    }

    /// Two wallets keep nobody apart: where both may write at once, the second finds the key taken only when it writes.
    async fn a_key_that_two_people_use_at_once_is_one_person_s(db: TestDb) {
        let ledger = ledger(db);
        let users = [somebody_with(&ledger, 1_000).await, somebody_with(&ledger, 1_000).await];
        let (is_posted, let_go) = (Notify::new(), Notify::new());
        let first = db.in_txn(async |txn| {
            let outcome = ledger.post_in_txn(txn, &spend("one", users[0], 10)).await?;
            is_posted.notify_one();
            let_go.notified().await;
            Ok::<_, LedgerError>(outcome)
        });
        let second = async {
            is_posted.notified().await;
            let journal = spend("one", users[1], 10);
            let waiting = post_in_txn(db, &ledger, &journal);
            // By then this one waits for the other.
            let letting_go = async {
                tokio::time::sleep(Duration::from_millis(200)).await;
                let_go.notify_one();
            };
            tokio::join!(waiting, letting_go).0
        };
        let (first, second) = tokio::join!(first, second);
        assert!(matches!(first, Ok(Outcome::Posted(_))), "{first:?}");
        assert!(matches!(second, Err(LedgerError::KeyReused)), "{second:?}");
        assert_eq!((available(db, &ledger, users[0]).await, available(db, &ledger, users[1]).await), (990, 1_000));
        assert_sound(db, &ledger).await;
    }

    /// No wallet's lock keeps these apart: the key alone does.
    async fn one_key_one_journal_where_no_wallet_is_touched(db: TestDb) {
        let outcomes = race(db, vec![settle("settle:1", 100); 32]).await;
        assert_eq!(tally(&outcomes), (1, 31, 0));
        assert_eq!(journals(&outcomes).len(), 1);
        assert_eq!(count(db, "ledger_postings").await, 1);
        assert_sound(db, &ledger(db)).await;
    }

    async fn one_key_with_other_payloads_among_the_same(db: TestDb) {
        let ledger = ledger(db);
        let (one, other) = (somebody_with(&ledger, 1_000).await, somebody_with(&ledger, 1_000).await);
        let mix = (0..32).map(|n| if n % 4 < 2 { spend("boost:1", one, 100) } else { spend("boost:1", other, 100) });
        let outcomes = race(db, mix.collect()).await;
        assert_eq!(tally(&outcomes), (1, 15, 16));
        assert_eq!(available(db, &ledger, one).await + available(db, &ledger, other).await, 1_900, "one paid, once");
        assert_sound(db, &ledger).await;
    }

    /// The same user, another amount: found under the wallet's lock.
    async fn one_key_with_another_amount_changes_nothing(db: TestDb) {
        let ledger = ledger(db);
        let user = somebody_with(&ledger, 1_000).await;
        ledger.post(&spend("boost:1", user, 100)).await.unwrap();
        for other in [spend("boost:1", user, 200), spend("boost:1", user, 5_000), settle("boost:1", 1)] {
            assert!(matches!(ledger.post(&other).await, Err(LedgerError::KeyReused)));
            assert!(matches!(post_in_txn(db, &ledger, &other).await, Err(LedgerError::KeyReused)));
        }
        assert_eq!(available(db, &ledger, user).await, 900);
        assert_eq!((count(db, "ledger_journals").await, count(db, "ledger_refusals").await), (2, 0));
    }

    async fn a_refusal_is_remembered_even_after_a_top_up(db: TestDb) {
        let ledger = ledger(db);
        let user = somebody_with(&ledger, 50).await;
        let refused = Outcome::Refused(Refusal::InsufficientFunds);
        assert_eq!(post_in_txn(db, &ledger, &spend("boost:1", user, 100)).await.unwrap(), refused);
        assert_eq!(count(db, "ledger_journals").await, 1, "nothing but the refusal was written");
        top_up(&ledger, user, 1_000).await;
        assert_eq!(ledger.post(&spend("boost:1", user, 100)).await.unwrap(), refused);
        assert_eq!(post_in_txn(db, &ledger, &spend("boost:1", user, 100)).await.unwrap(), refused);
        assert!(matches!(ledger.post(&spend("boost:1", user, 99)).await, Err(LedgerError::KeyReused)));
        assert!(matches!(ledger.post(&spend("boost:2", user, 100)).await.unwrap(), Outcome::Posted(_)));
        assert_eq!(available(db, &ledger, user).await, 950);
    }

    /// Thirty-two requests that cannot be paid, under one key: one refusal, told to all.
    async fn one_key_one_refusal(db: TestDb) {
        let ledger = ledger(db);
        let user = somebody_with(&ledger, 50).await;
        let outcomes = race(db, vec![spend("boost:1", user, 100); 32]).await;
        let refused = Outcome::Refused(Refusal::InsufficientFunds);
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Ok(told) if *told == refused)), "{outcomes:?}");
        assert_eq!(count(db, "ledger_refusals").await, 1);
    }

    /// Who waits for the wallet has looked for the key before the refusal was written.
    async fn a_refusal_that_is_written_while_another_request_under_the_key_waits_is_seen(db: TestDb) {
        let ledger = ledger(db);
        let user = somebody_with(&ledger, 50).await;
        let is_refused = Arc::new(Notify::new());
        let refusing = tokio::spawn({
            let (db, ledger, is_refused) = (Database::clone(db), ledger.clone(), is_refused.clone());
            async move {
                db.in_txn(async |txn| {
                    let outcome = ledger.post_in_txn(txn, &spend("boost:1", user, 100)).await;
                    is_refused.notify_one();
                    tokio::time::sleep(Duration::from_millis(300)).await;
                    outcome
                })
                .await
            }
        });
        is_refused.notified().await;
        let waited = ledger.post(&spend("boost:1", user, 10)).await;
        assert!(matches!(waited, Err(LedgerError::KeyReused)), "{waited:?}");
        assert_eq!(refusing.await.unwrap().unwrap(), Outcome::Refused(Refusal::InsufficientFunds));
        assert_eq!(available(db, &ledger, user).await, 50);
    }

    /// Provider ids differ by case alone.
    async fn keys_differ_by_case(db: TestDb) {
        let ledger = ledger(db);
        let user = somebody_with(&ledger, 1_000).await;
        for key in ["topup:pay_A", "topup:pay_a"] {
            assert!(matches!(ledger.post(&spend(key, user, 1)).await.unwrap(), Outcome::Posted(_)), "{key}");
        }
    }
}
