//! Floors: what a wallet does not have, nobody gets, whoever races.

use kernel::{Caller, Money};
use ledger::{House, JournalKind, Leg, NewJournal, Outcome, Purse, Reference, Refusal, templates};
use testkit::{Domain, Scope, on_every_engine};

use super::support::{
    anybody, assert_sound, at_once, available, balances, count, history, ledger, post_in_txn, somebody_with,
    spend, top_up, total,
};

on_every_engine! { Scope::Domain(Domain::Ledger) =>
    async fn thirty_two_debits_of_100_from_1000_ten_win(db: TestDb) {
        let ledger = ledger(db);
        let user = somebody_with(&ledger, 1_000).await;
        // Half of them in a transaction of their caller's.
        let outcomes = at_once((0..32).map(|n| {
            let (db, ledger) = (db.database().clone(), ledger.clone());
            async move {
                let journal = spend(&format!("boost:{n}"), user, 100);
                let posted = if n % 2 == 0 { ledger.post(&journal).await } else { post_in_txn(&db, &ledger, &journal).await };
                posted.unwrap()
            }
        }))
        .await;
        let won = outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Posted(_))).count();
        let refused =
            outcomes.iter().filter(|outcome| **outcome == Outcome::Refused(Refusal::InsufficientFunds)).count();
        assert_eq!((won, refused), (10, 22));
        assert_eq!(available(db, &ledger, user).await, 0);
        assert_eq!(history(db, user).await, (1..=11).collect::<Vec<_>>());
        assert_eq!(count(db, "ledger_refusals").await, 22);
        assert_sound(db, &ledger).await;
    }

    /// Two users pay each other at once, in both directions: wallets are locked in one order, so none is a victim.
    async fn journals_between_two_users_do_not_deadlock(db: TestDb) {
        let ledger = ledger(db);
        let (one, other) = (somebody_with(&ledger, 10_000).await, somebody_with(&ledger, 10_000).await);
        at_once((0..32).map(|n| {
            let ledger = ledger.clone();
            let (from, to) = if n % 2 == 0 { (one, other) } else { (other, one) };
            async move {
                let legs = vec![Leg::new((from, Purse::Available), (to, Purse::Earnings), Money::inr(10 + n))];
                let journal = NewJournal::new(format!("sale:{n}"), JournalKind::Bonus, Reference::new("sale", n), legs);
                assert!(matches!(ledger.post(&journal.unwrap()).await.unwrap(), Outcome::Posted(_)));
            }
        }))
        .await;
        assert_eq!(balances(db, &ledger, one).await.version, 33);
        assert_eq!(balances(db, &ledger, other).await.version, 33);
        assert_sound(db, &ledger).await;
    }

    /// Thirty-two first credits of one user: the wallet is made once.
    async fn a_wallet_is_made_once(db: TestDb) {
        let ledger = ledger(db);
        let user = anybody();
        at_once((0..32).map(|_| {
            let ledger = ledger.clone();
            async move { top_up(&ledger, user, 5).await }
        }))
        .await;
        assert_eq!(count(db, "ledger_wallets").await, 1);
        assert_eq!(available(db, &ledger, user).await, 160);
        assert_eq!(history(db, user).await.len(), 32);
    }

    async fn a_frozen_wallet_takes_credits_and_refuses_debits(db: TestDb) {
        let ledger = ledger(db);
        let user = somebody_with(&ledger, 500).await;
        let caller = Caller::system("fraud desk");
        let freeze = async |frozen| {
            db.in_txn(async |txn| ledger.set_frozen_in_txn(txn, &caller, user, frozen, "stolen card").await).await.unwrap()
        };
        assert!(freeze(true).await);
        assert!(!freeze(true).await, "it is frozen already");
        assert_eq!(ledger.post(&spend("a", user, 1)).await.unwrap(), Outcome::Refused(Refusal::Frozen));
        top_up(&ledger, user, 100).await;
        assert!(freeze(false).await);
        assert_eq!(ledger.post(&spend("a", user, 1)).await.unwrap(), Outcome::Refused(Refusal::Frozen), "remembered");
        assert!(matches!(ledger.post(&spend("b", user, 600)).await.unwrap(), Outcome::Posted(_)));
        assert_eq!(count(db, "audit_log WHERE subject_kind = 'wallet'").await, 2);
    }

    /// Promo can be spent on boosts alone: nothing here moves it anywhere else but by a journal that names it.
    async fn each_purse_has_a_floor_of_its_own(db: TestDb) {
        let ledger = ledger(db);
        let user = somebody_with(&ledger, 100).await;
        ledger.post(&templates::bonus("g", user, Money::inr(900)).unwrap()).await.unwrap();
        let refused = Outcome::Refused(Refusal::InsufficientFunds);
        assert_eq!(ledger.post(&spend("a", user, 101)).await.unwrap(), refused, "a bonus is not available");
        for purse in [Purse::Held, Purse::Earnings] {
            let legs = vec![Leg::new((user, purse), House::RevenueBoost, Money::inr(1))];
            let journal = NewJournal::new(purse.as_str(), JournalKind::BoostCharge, Reference::new("boost", 1), legs);
            assert_eq!(ledger.post(&journal.unwrap()).await.unwrap(), refused);
        }
        let legs = vec![Leg::new((user, Purse::Available), (user, Purse::Debt), Money::inr(1))];
        let journal = NewJournal::new("debt", JournalKind::Recovery, Reference::new("user", user), legs);
        assert_eq!(ledger.post(&journal.unwrap()).await.unwrap(), refused, "there is no debt to pay");
        assert_eq!(balances(db, &ledger, user).await.version, 2);
    }

    /// The sum over all accounts, read while eight tasks write, is 0 every time.
    async fn the_sum_is_0_at_each_read_under_load(db: TestDb) {
        let ledger = ledger(db);
        let user = somebody_with(&ledger, 100_000).await;
        let writers = at_once((0..8).map(|writer| {
            let ledger = ledger.clone();
            async move {
                for n in 0..20 {
                    top_up(&ledger, anybody(), 70).await;
                    ledger.post(&spend(&format!("{writer}:{n}"), user, 30)).await.unwrap();
                }
            }
        }));
        let reader = async {
            for _ in 0..50 {
                assert_eq!(total(db).await, 0);
            }
        };
        tokio::join!(writers, reader);
        assert_sound(db, &ledger).await;
    }
}
