//! Random schedules: what people, staff and jobs ask of the ledger, and asking it.

use std::collections::BTreeMap;

use kernel::{Actor, Caller, HoldId, JournalId, Money, UserId};
use ledger::{
    Balances, HoldOutcome, HoldPurpose, House, JournalKind, Ledger, LedgerError, Leg, NewHold, NewJournal,
    Outcome, Purse, Reference, Refusal,
};
use proptest::prelude::*;
use store::Database;

use super::support::{anybody, balances, post_in_txn};

/// People in a schedule.
pub(crate) const PEOPLE: usize = 3;

/// What is asked. Keys, things and causes are few, so that they are met again.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Post { key: u8, shape: Shape, user: usize, other: usize, amount: i64, why: bool, in_txn: bool },
    Hold { thing: u8, again: bool, user: usize, available: i64, earnings: i64 },
    Capture { thing: u8, again: bool, is_short: bool },
    Release { thing: u8, again: bool },
    Reverse { what: Target, why: bool },
    Freeze { user: usize, frozen: bool },
    Recover { user: usize, cause: u8 },
    Fold,
}

/// What a posted journal does.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape {
    TopUp,
    Bonus,
    Earn,
    Spend,
    SpendBonus,
    Sale,
    Owe,
    Mixed,
    Settle,
}

/// Which journal is reversed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    Posted(u8),
    Reversal(u8),
    Hold(u8),
}

/// What became of a step, whatever ids were drawn for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    Posted,
    Known,
    Refused(Refusal),
    Failed(&'static str),
    Changed(bool),
    Nothing,
}

/// A journal as its payload tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Payload {
    pub(crate) kind: JournalKind,
    pub(crate) about: String,
    pub(crate) legs: Vec<Leg>,
    pub(crate) why: Option<String>,
}

pub(crate) fn steps(most: usize) -> impl Strategy<Value = Vec<Step>> {
    let shape = prop::sample::select(vec![
        Shape::TopUp,
        Shape::TopUp,
        Shape::Bonus,
        Shape::Earn,
        Shape::Spend,
        Shape::Spend,
        Shape::SpendBonus,
        Shape::Sale,
        Shape::Owe,
        Shape::Mixed,
        Shape::Settle,
    ]);
    let target = prop_oneof![
        4 => (0u8..24).prop_map(Target::Posted),
        1 => (0u8..24).prop_map(Target::Reversal),
        1 => (0u8..5).prop_map(Target::Hold),
    ];
    let post = (0u8..24, shape, 0..PEOPLE, 0..PEOPLE, 1i64..60, any::<bool>(), any::<bool>()).prop_map(
        |(key, shape, user, other, amount, why, in_txn)| Step::Post {
            key,
            shape,
            user,
            other,
            amount,
            why,
            in_txn,
        },
    );
    let hold = (0u8..5, prop::bool::weighted(0.2), 0..PEOPLE, 0i64..30, 0i64..30).prop_map(
        |(thing, again, user, available, earnings)| Step::Hold { thing, again, user, available, earnings },
    );
    let capture = (0u8..5, any::<bool>(), prop::bool::weighted(0.2))
        .prop_map(|(thing, again, is_short)| Step::Capture { thing, again, is_short });
    let step = prop_oneof![
        12 => post,
        4 => hold,
        2 => capture,
        2 => (0u8..5, any::<bool>()).prop_map(|(thing, again)| Step::Release { thing, again }),
        2 => (target, any::<bool>()).prop_map(|(what, why)| Step::Reverse { what, why }),
        1 => (0..PEOPLE, any::<bool>()).prop_map(|(user, frozen)| Step::Freeze { user, frozen }),
        2 => (0..PEOPLE, 0u8..4).prop_map(|(user, cause)| Step::Recover { user, cause }),
        1 => Just(Step::Fold),
    ];
    prop::collection::vec(step, 1..most)
}

/// The legs of a shape.
pub(crate) fn legs(shape: Shape, user: UserId, other: UserId, paise: i64) -> Vec<Leg> {
    let amount = Money::inr(paise);
    let one = |from: ledger::Account, to: ledger::Account| vec![Leg::new(from, to, amount)];
    let of = |purse| ledger::Account::User(user, purse);
    match shape {
        Shape::TopUp => one(House::GatewayClearing.into(), of(Purse::Available)),
        Shape::Bonus => one(House::PromotionsExpense.into(), of(Purse::Promo)),
        Shape::Earn => one(House::PayoutsClearing.into(), of(Purse::Earnings)),
        Shape::Spend => one(of(Purse::Available), House::RevenueBoost.into()),
        Shape::SpendBonus => one(of(Purse::Promo), House::RevenueBoost.into()),
        Shape::Sale => one(of(Purse::Available), (other, Purse::Earnings).into()),
        Shape::Owe => one(of(Purse::Debt), House::GatewayClearing.into()),
        Shape::Settle => one(House::BankCurrent.into(), House::GatewayClearing.into()),
        // Through purses of both and back, with something that comes to nothing for the house.
        Shape::Mixed => vec![
            Leg::new(of(Purse::Available), of(Purse::Earnings), amount),
            Leg::new(of(Purse::Earnings), (other, Purse::Promo), Money::inr(paise / 2 + 1)),
            Leg::new(House::GstInput, House::RevenueBoost, amount),
            Leg::new(House::RevenueBoost, House::GstInput, amount),
            Leg::new((other, Purse::Promo), House::PromotionsExpense, Money::inr(1)),
        ],
    }
}

/// A ledger, people of its own, and the journals and holds that a schedule has made so far.
pub(crate) struct World {
    pub(crate) db: Database,
    pub(crate) ledger: Ledger,
    pub(crate) people: [UserId; PEOPLE],
    /// Keeps the keys of one schedule apart from those of others.
    pub(crate) name: String,
    pub(crate) journals: BTreeMap<String, JournalId>,
    pub(crate) holds: BTreeMap<u8, (HoldId, UserId, i64)>,
}

impl World {
    pub(crate) fn new(db: &Database, ledger: Ledger) -> Self {
        let mut people = [anybody(), anybody(), anybody()];
        people.sort();
        let name = anybody().to_string();
        Self { db: db.clone(), ledger, people, name, journals: BTreeMap::new(), holds: BTreeMap::new() }
    }

    pub(crate) async fn wallets(&self) -> Vec<Balances> {
        let mut wallets = Vec::new();
        for user in self.people {
            wallets.push(balances(&self.db, &self.ledger, user).await);
        }
        wallets
    }

    /// Asks the ledger, and remembers what it made. A step that names nothing there is does nothing.
    pub(crate) async fn take(&mut self, step: &Step) -> Told {
        let (db, ledger) = (self.db.clone(), self.ledger.clone());
        match step {
            Step::Post { key, shape, user, other, amount, why, in_txn } => {
                let legs = legs(*shape, self.people[*user], self.people[*other], *amount);
                self.post(*key, legs, *why, *in_txn).await
            }
            Step::Hold { thing, again, user, available, earnings } => {
                self.hold(*thing, *again, self.people[*user], *available, *earnings).await
            }
            Step::Capture { thing, again, is_short } => self.capture(*thing, *again, *is_short).await,
            Step::Release { thing, again } => {
                let Some((hold, ..)) = self.holds.get(thing).copied() else { return Told::Nothing };
                let key = format!("{}:release:{thing}:{again}", self.name);
                let outcome = db.in_txn(async |txn| ledger.release_hold_in_txn(txn, hold, &key).await).await;
                self.told(key, outcome)
            }
            Step::Reverse { what, why } => {
                let key = self.key_of(*what);
                let Some(journal) = self.journals.get(&key).copied() else { return Told::Nothing };
                let reason = if *why { "because" } else { "just so" };
                let actor = Actor::System("test");
                let outcome =
                    db.in_txn(async |txn| ledger.reverse_in_txn(txn, journal, &actor, reason).await).await;
                self.told(format!("rev:{key}"), outcome)
            }
            Step::Freeze { user, frozen } => {
                let (user, caller) = (self.people[*user], Caller::system("test"));
                let frozen = db
                    .in_txn(async |txn| ledger.set_frozen_in_txn(txn, &caller, user, *frozen, "test").await)
                    .await;
                Told::Changed(frozen.unwrap())
            }
            Step::Recover { user, cause } => {
                let (user, cause) = (self.people[*user], format!("{}:{cause}", self.name));
                let recovered =
                    db.in_txn(async |txn| ledger.recover_debt_in_txn(txn, user, &cause).await).await;
                let Some(journal) = recovered.unwrap() else { return Told::Nothing };
                let known = self.journals.insert(format!("recover:{cause}"), journal);
                if known == Some(journal) { Told::Known } else { Told::Posted }
            }
            Step::Fold => {
                ledger.fold().await.unwrap();
                Told::Nothing
            }
        }
    }

    pub(crate) fn key_of(&self, target: Target) -> String {
        match target {
            Target::Posted(key) => format!("{}:post:{key}", self.name),
            Target::Reversal(key) => format!("rev:{}:post:{key}", self.name),
            Target::Hold(thing) => format!("{}:hold:{thing}:false", self.name),
        }
    }

    async fn post(&mut self, key: u8, legs: Vec<Leg>, why: bool, in_txn: bool) -> Told {
        let (db, ledger) = (self.db.clone(), self.ledger.clone());
        let reference = Reference::new("thing", &self.name);
        let key = format!("{}:post:{key}", self.name);
        let mut journal = NewJournal::new(&key, JournalKind::TopUp, reference, legs).unwrap();
        if why {
            journal = journal.because("why \"not\", 100 %, {}, \\ or ₹?");
        }
        let outcome =
            if in_txn { post_in_txn(&db, &ledger, &journal).await } else { ledger.post(&journal).await };
        self.told(key, outcome)
    }

    async fn capture(&mut self, thing: u8, again: bool, is_short: bool) -> Told {
        let (db, ledger) = (self.db.clone(), self.ledger.clone());
        let Some((hold, user, held)) = self.holds.get(&thing).copied() else { return Told::Nothing };
        let amount = Money::inr(held + i64::from(is_short));
        let leg = Leg::new((user, Purse::Held), House::GatewayClearing, amount);
        let key = format!("{}:capture:{thing}:{again}", self.name);
        let reference = Reference::new("thing", thing);
        let journal = NewJournal::new(&key, JournalKind::RefundDone, reference, vec![leg]).unwrap();
        let outcome = db.in_txn(async |txn| ledger.capture_hold_in_txn(txn, hold, &journal).await).await;
        self.told(key, outcome)
    }

    async fn hold(&mut self, thing: u8, again: bool, user: UserId, available: i64, earnings: i64) -> Told {
        let (db, ledger) = (self.db.clone(), self.ledger.clone());
        let key = format!("{}:hold:{thing}:{again}", self.name);
        let reference = Reference::new("thing", format!("{}:{thing}", self.name));
        let mut new = NewHold::new(&key, user, HoldPurpose::Refund, reference, Money::inr(available));
        new.from_earnings = Money::inr(earnings);
        let outcome = match db.in_txn(async |txn| ledger.open_hold_in_txn(txn, &new).await).await {
            Ok(HoldOutcome::Posted(hold, journal)) => {
                self.holds.insert(thing, (hold, user, available + earnings));
                Ok(Outcome::Posted(journal))
            }
            Ok(HoldOutcome::Known(hold, journal)) => {
                assert_eq!(self.holds[&thing].0, hold, "the hold that this key opened");
                Ok(Outcome::Known(journal))
            }
            Ok(HoldOutcome::Refused(refusal)) => Ok(Outcome::Refused(refusal)),
            Err(error) => Err(error),
        };
        self.told(key, outcome)
    }

    /// A journal that is posted is new, and one that is known is the one of its key.
    fn told(&mut self, key: String, outcome: Result<Outcome, LedgerError>) -> Told {
        match outcome {
            Ok(Outcome::Posted(journal)) => {
                assert!(self.journals.values().all(|known| *known != journal));
                assert_eq!(self.journals.insert(key, journal), None, "one key, one journal");
                Told::Posted
            }
            Ok(Outcome::Known(journal)) => {
                assert_eq!(self.journals.get(&key), Some(&journal));
                Told::Known
            }
            Ok(Outcome::Refused(refusal)) => Told::Refused(refusal),
            Err(LedgerError::Store(error)) => panic!("{error}"),
            Err(error) => Told::Failed(kernel::DomainError::code(&error)),
        }
    }
}
