//! A hold ends once, captured or released.

use kernel::{HoldId, Money, RefundId, UserId};
use ledger::{
    HoldOutcome, HoldPurpose, House, JournalKind, Ledger, LedgerError, Leg, NewHold, NewJournal, Outcome,
    Purse, Reference, Refusal, templates,
};
use store::Database;
use testkit::{Domain, Scope, on_every_engine};

use super::support::{anybody, assert_sound, at_once, balances, count, ledger, somebody_with, spend, top_up};

fn a_refund() -> RefundId {
    kernel::Ambient::system().new_id()
}

async fn open(db: &Database, ledger: &Ledger, new: &NewHold) -> Result<HoldOutcome, LedgerError> {
    db.in_txn(async |txn| ledger.open_hold_in_txn(txn, new).await).await
}

async fn held(db: &Database, ledger: &Ledger, refund: RefundId, user: UserId, paise: i64) -> HoldId {
    match open(db, ledger, &templates::refund_hold(refund, user, Money::inr(paise))).await.unwrap() {
        HoldOutcome::Posted(hold, _) => hold,
        other => panic!("{other:?}"),
    }
}

async fn capture(
    db: &Database,
    ledger: &Ledger,
    hold: HoldId,
    journal: &NewJournal,
) -> Result<Outcome, LedgerError> {
    db.in_txn(async |txn| ledger.capture_hold_in_txn(txn, hold, journal).await).await
}

async fn release(db: &Database, ledger: &Ledger, hold: HoldId, key: &str) -> Result<Outcome, LedgerError> {
    db.in_txn(async |txn| ledger.release_hold_in_txn(txn, hold, key).await).await
}

/// `available` and `held`.
async fn purses(db: &Database, ledger: &Ledger, user: UserId) -> (i64, i64) {
    let wallet = balances(db, ledger, user).await;
    (wallet.available.amount(), wallet.held.amount())
}

on_every_engine! { Scope::Domain(Domain::Ledger) =>
    async fn a_hold_is_captured_once(db: TestDb) {
        let (ledger, refund) = (ledger(db), a_refund());
        let user = somebody_with(&ledger, 1_000).await;
        let hold = held(db, &ledger, refund, user, 600).await;
        assert_eq!(purses(db, &ledger, user).await, (400, 600));
        assert!(matches!(ledger.post(&spend("a", user, 401)).await.unwrap(), Outcome::Refused(_)), "it is set aside");
        let done = templates::refund_done(refund, user, Money::inr(600)).unwrap();
        let Outcome::Posted(journal) = capture(db, &ledger, hold, &done).await.unwrap() else { panic!("not posted") };
        assert_eq!(purses(db, &ledger, user).await, (400, 0));
        assert_eq!(capture(db, &ledger, hold, &done).await.unwrap(), Outcome::Known(journal), "asked again");
        let late = release(db, &ledger, hold, &templates::refund_release_key(refund)).await;
        assert!(matches!(late, Err(LedgerError::HoldEnded)), "{late:?}");
        assert_eq!(purses(db, &ledger, user).await, (400, 0));
        assert_sound(db, &ledger).await;
    }

    /// Each purse gets back what was taken from it, under the hold's own reference.
    async fn a_released_hold_goes_back_where_it_came_from(db: TestDb) {
        let (ledger, user) = (ledger(db), anybody());
        let legs = vec![
            Leg::new(House::GatewayClearing, (user, Purse::Available), Money::inr(100)),
            Leg::new(House::PayoutsClearing, (user, Purse::Earnings), Money::inr(200)),
        ];
        ledger.post(&NewJournal::new("in", JournalKind::TopUp, Reference::new("payment", 1), legs).unwrap()).await.unwrap();
        let mut new = NewHold::new("out", user, HoldPurpose::Refund, Reference::new("refund", 9), Money::inr(80));
        new.from_earnings = Money::inr(150);
        let HoldOutcome::Posted(hold, opened) = open(db, &ledger, &new).await.unwrap() else { panic!("not held") };
        assert_eq!(open(db, &ledger, &new).await.unwrap(), HoldOutcome::Known(hold, opened));
        let wallet = balances(db, &ledger, user).await;
        assert_eq!([wallet.available, wallet.earnings, wallet.held].map(Money::amount), [20, 50, 230]);
        let Outcome::Posted(journal) = release(db, &ledger, hold, "back").await.unwrap() else { panic!("not released") };
        assert_eq!(release(db, &ledger, hold, "back").await.unwrap(), Outcome::Known(journal));
        let wallet = balances(db, &ledger, user).await;
        assert_eq!([wallet.available, wallet.earnings, wallet.held].map(Money::amount), [100, 200, 0]);
        assert_eq!(count(db, "ledger_journals WHERE ref_type = 'refund' AND ref_id = '9'").await, 2);
        assert_eq!(count(db, "ledger_journals WHERE kind = 'refund_release'").await, 1);
        assert_eq!(open(db, &ledger, &new).await.unwrap(), HoldOutcome::Known(hold, opened), "an old request opens none");
        assert_sound(db, &ledger).await;
    }

    async fn a_hold_ends_once_however_many_capture_and_release_it(db: TestDb) {
        let ledger = ledger(db);
        for _ in 0..3 {
            let refund = a_refund();
            let user = somebody_with(&ledger, 1_000).await;
            let hold = held(db, &ledger, refund, user, 600).await;
            let ends = at_once((0..16).map(|n| {
                let (db, ledger) = (db.database().clone(), ledger.clone());
                async move {
                    if n % 2 == 0 {
                        let done = templates::refund_done(refund, user, Money::inr(600)).unwrap();
                        capture(&db, &ledger, hold, &done).await
                    } else {
                        release(&db, &ledger, hold, &templates::refund_release_key(refund)).await
                    }
                }
            }))
            .await;
            let posted = ends.iter().filter(|end| matches!(end, Ok(Outcome::Posted(_)))).count();
            let known = ends.iter().filter(|end| matches!(end, Ok(Outcome::Known(_)))).count();
            let ended = ends.iter().filter(|end| matches!(end, Err(LedgerError::HoldEnded))).count();
            assert_eq!((posted, known, ended), (1, 7, 8), "{ends:?}");
            let (available, held) = purses(db, &ledger, user).await;
            assert!(held == 0 && (available == 400 || available == 1_000), "{available}");
        }
        assert_sound(db, &ledger).await;
    }

    async fn a_hold_takes_no_more_than_there_is_and_the_refusal_is_remembered(db: TestDb) {
        let (ledger, refund) = (ledger(db), a_refund());
        let user = somebody_with(&ledger, 100).await;
        let new = templates::refund_hold(refund, user, Money::inr(101));
        let refused = HoldOutcome::Refused(Refusal::InsufficientFunds);
        assert_eq!(open(db, &ledger, &new).await.unwrap(), refused);
        top_up(&ledger, user, 1_000).await;
        assert_eq!(open(db, &ledger, &new).await.unwrap(), refused);
        assert_eq!(count(db, "ledger_holds").await, 0);
    }

    async fn one_thing_is_held_for_once(db: TestDb) {
        let (ledger, refund) = (ledger(db), a_refund());
        let user = somebody_with(&ledger, 1_000).await;
        held(db, &ledger, refund, user, 100).await;
        let again = NewHold { key: "another key".to_owned(), ..templates::refund_hold(refund, user, Money::inr(100)) };
        assert!(matches!(open(db, &ledger, &again).await, Err(LedgerError::AlreadyHeld)));
        assert_eq!(purses(db, &ledger, user).await, (900, 100));
        assert_sound(db, &ledger).await;
    }

    async fn a_capture_takes_exactly_what_is_held(db: TestDb) {
        let (ledger, refund) = (ledger(db), a_refund());
        let user = somebody_with(&ledger, 1_000).await;
        let hold = held(db, &ledger, refund, user, 100).await;
        held(db, &ledger, a_refund(), user, 100).await;
        for wrong in [99, 101, 200] {
            let journal = templates::refund_done(refund, user, Money::inr(wrong)).unwrap();
            assert!(matches!(capture(db, &ledger, hold, &journal).await, Err(LedgerError::Malformed(_))), "{wrong}");
        }
        let other = somebody_with(&ledger, 5).await;
        let out = |from: UserId| Leg::new((from, Purse::Held), House::GatewayClearing, Money::inr(100));
        let back = Leg::new(House::GatewayClearing, (user, Purse::Held), Money::inr(1));
        for legs in [vec![out(other)], vec![out(user), out(other)], vec![out(user), back]] {
            let journal = NewJournal::new("k", JournalKind::RefundDone, Reference::new("refund", refund), legs).unwrap();
            assert!(matches!(capture(db, &ledger, hold, &journal).await, Err(LedgerError::Malformed(_))));
        }
        let unknown: HoldId = kernel::Ambient::system().new_id();
        assert!(matches!(release(db, &ledger, unknown, "k").await, Err(LedgerError::NoHold)));
        assert_eq!(purses(db, &ledger, user).await, (800, 200));
    }

    /// A key that named a journal before the hold ended is not the hold's end.
    async fn a_key_of_another_journal_ends_no_hold(db: TestDb) {
        let (ledger, refund) = (ledger(db), a_refund());
        let user = somebody_with(&ledger, 1_000).await;
        let hold = held(db, &ledger, refund, user, 100).await;
        ledger.post(&spend("taken", user, 1)).await.unwrap();
        assert!(matches!(release(db, &ledger, hold, "taken").await, Err(LedgerError::KeyReused)));
        assert_eq!(count(db, "ledger_holds WHERE status = 'open'").await, 1);
    }

    /// Both took as much of the same wallet: the journal that ended one is no answer to whoever asks it for the other.
    async fn the_journal_that_ended_one_hold_did_not_end_another(db: TestDb) {
        let (ledger, refunds) = (ledger(db), [a_refund(), a_refund()]);
        let user = somebody_with(&ledger, 1_000).await;
        let one = held(db, &ledger, refunds[0], user, 300).await;
        let other = held(db, &ledger, refunds[1], user, 300).await;
        let done = templates::refund_done(refunds[0], user, Money::inr(300)).unwrap();
        assert!(matches!(capture(db, &ledger, one, &done).await, Ok(Outcome::Posted(_))));
        assert!(matches!(capture(db, &ledger, one, &done).await, Ok(Outcome::Known(_))));
        release(db, &ledger, other, &templates::refund_release_key(refunds[1])).await.unwrap();
        assert!(matches!(capture(db, &ledger, other, &done).await, Err(LedgerError::HoldEnded)));
        assert_eq!(purses(db, &ledger, user).await, (700, 0));
    }

    async fn a_frozen_wallets_holds_end_as_others_do(db: TestDb) {
        let (ledger, refund, caller) = (ledger(db), a_refund(), kernel::Caller::system("fraud desk"));
        let user = somebody_with(&ledger, 1_000).await;
        let hold = held(db, &ledger, refund, user, 100).await;
        db.in_txn(async |txn| ledger.set_frozen_in_txn(txn, &caller, user, true, "stolen card").await).await.unwrap();
        assert!(matches!(release(db, &ledger, hold, "back").await.unwrap(), Outcome::Posted(_)));
        assert_eq!(purses(db, &ledger, user).await, (1_000, 0));
    }
}
