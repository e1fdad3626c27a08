//! The posting service: many journals in one transaction, each as if it were alone.

use kernel::{Money, UserId};
use ledger::{
    JournalKind, Ledger, LedgerError, Leg, NewJournal, Outcome, Poster, Purse, Reference, templates,
};
use store::Database;
use testkit::{Domain, Scope, on_every_engine};

use super::support::{anybody, assert_sound, at_once, balances, history, ledger, somebody_with, spend};

/// A thousand journals of forty users: each user is credited 5 times 200, and asks 20 times for 100.
fn thousand(users: &[UserId], name: &str) -> (Vec<NewJournal>, Vec<NewJournal>) {
    let credit =
        |user: &UserId, n| templates::top_up(&format!("{name}_{user}_{n}"), *user, Money::inr(200)).unwrap();
    let credits = users.iter().flat_map(|user| (0..5).map(move |n| credit(user, n))).collect();
    let debits =
        users.iter().flat_map(|user| (0..20).map(move |n| spend(&format!("{name}:{user}:{n}"), *user, 100)));
    (credits, debits.collect())
}

async fn post_together(posters: &[Poster], journals: Vec<NewJournal>) -> Vec<Outcome> {
    at_once(journals.into_iter().enumerate().map(|(n, journal)| {
        let poster = posters[n % posters.len()].clone();
        async move { poster.post(journal).await.unwrap() }
    }))
    .await
}

/// What is available to each user, and how long the history is.
async fn wallets(db: &Database, ledger: &Ledger, users: &[UserId]) -> Vec<(i64, usize)> {
    let mut wallets = Vec::new();
    for user in users {
        let wallet = balances(db, ledger, *user).await;
        wallets.push((wallet.available.amount(), history(db, *user).await.len()));
    }
    wallets
}

fn posted(outcomes: &[Outcome]) -> usize {
    outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Posted(_))).count()
}

on_every_engine! { Scope::Domain(Domain::Ledger) =>
    /// Two services over one database, as two servers have them: no deadlock, and the same as one by one.
    async fn a_thousand_journals_come_to_the_same_as_one_by_one(db: TestDb) {
        let ledger = ledger(db);
        let together: Vec<_> = (0..40).map(|_| anybody()).collect();
        let posters = [ledger.poster(), ledger.poster()];
        let (credits, debits) = thousand(&together, "together");
        assert_eq!(posted(&post_together(&posters, credits).await), 200);
        let debited = post_together(&posters, debits.clone()).await;
        assert_eq!((posted(&debited), debited.len()), (400, 800));

        let alone: Vec<_> = (0..40).map(|_| anybody()).collect();
        let (credits, alone_debits) = thousand(&alone, "alone");
        let mut outcomes = Vec::new();
        for journal in credits.iter().chain(&alone_debits) {
            outcomes.push(ledger.post(journal).await.unwrap());
        }
        assert_eq!(posted(&outcomes), 600);
        assert_eq!(wallets(db, &ledger, &together).await, wallets(db, &ledger, &alone).await);

        let again = post_together(&posters, debits).await;
        let same = again.iter().zip(&debited).all(|(again, first)| match (again, first) {
            (Outcome::Known(again), Outcome::Posted(first)) => again == first,
            (Outcome::Refused(again), Outcome::Refused(first)) => again == first,
            _ => false,
        });
        assert!(same, "asked again, each gets the answer it got");
        assert_sound(db, &ledger).await;
    }

    /// One journal that is refused, one whose key is taken, one that does not fit and one of two users, among a hundred.
    async fn one_callers_failure_is_no_others(db: TestDb) {
        let ledger = ledger(db);
        let poster = ledger.poster();
        // All money together still fits 64 bits.
        let rich = somebody_with(&ledger, i64::MAX - 10_000).await;
        let user = somebody_with(&ledger, 10_000).await;
        ledger.post(&spend("taken", user, 1)).await.unwrap();
        let overflow = templates::top_up("pay_more", rich, Money::inr(10_001)).unwrap();
        let legs = vec![Leg::new((user, Purse::Available), (rich, Purse::Earnings), Money::inr(9))];
        let sale = NewJournal::new("sale", JournalKind::Bonus, Reference::new("sale", 1), legs).unwrap();
        let good = (0..100).map(|n| spend(&format!("good:{n}"), user, 1));
        let bad = [overflow, spend("taken", user, 2), spend("too much", user, 1_000_000), sale];
        let answers = at_once(bad.into_iter().chain(good).map(|journal| {
            let poster = poster.clone();
            async move { poster.post(journal).await }
        }))
        .await;
        assert!(matches!(answers[0], Err(LedgerError::Overflow)), "{:?}", answers[0]);
        assert!(matches!(answers[1], Err(LedgerError::KeyReused)), "{:?}", answers[1]);
        assert!(matches!(answers[2], Ok(Outcome::Refused(_))), "{:?}", answers[2]);
        assert!(answers[3..].iter().all(|answer| matches!(answer, Ok(Outcome::Posted(_)))));
        assert_eq!(balances(db, &ledger, user).await.available, Money::inr(9_890));
        assert_sound(db, &ledger).await;
    }

    /// One key, asked for 32 times in a row of batches.
    async fn one_key_is_posted_once_through_the_service(db: TestDb) {
        let ledger = ledger(db);
        let user = somebody_with(&ledger, 1_000).await;
        let outcomes = post_together(&[ledger.poster(), ledger.poster()], vec![spend("a", user, 10); 32]).await;
        assert_eq!(posted(&outcomes), 1);
        assert_eq!(balances(db, &ledger, user).await.available, Money::inr(990));
    }
}
