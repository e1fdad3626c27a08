//! Random business on a ledger, and what it must look like in the books: a model that knows no SQL.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use kernel::{Actor, Ambient, BoostId, CursorCodec, HoldId, JournalId, Money, RefundId, UserId};
use ledger::{
    GstRate, HoldOutcome, JournalKind, Ledger, LedgerConfig, NewJournal, Outcome, Split,
    TransactionType as T, WalletTransactionView, templates,
};
use testkit::{FakeClock, SeededEntropy, TestDb, ambient};

/// A ledger whose clock is set by hand.
pub(crate) struct Shop {
    pub(crate) db: store::Database,
    pub(crate) ledger: Ledger,
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) ambient: Ambient,
}

impl Shop {
    pub(crate) fn open(db: &TestDb) -> Self {
        let clock = FakeClock::at("2026-03-02T06:00:00Z");
        let ambient = ambient(&clock);
        let config = LedgerConfig { cursors: CursorCodec::new(b"a key for the tests") };
        let ledger = Ledger::new(db.database().clone(), ambient.clone(), config);
        Self { db: db.database().clone(), ledger, clock, ambient }
    }

    pub(crate) fn customer(&self) -> Customer {
        Customer::new(self.ambient.new_id())
    }

    pub(crate) async fn post(&self, journal: NewJournal) -> JournalId {
        match self.ledger.post(&journal).await.unwrap() {
            Outcome::Posted(journal) => journal,
            other => panic!("{other:?}"),
        }
    }
}

/// Repeatable dice.
pub(crate) struct Dice(Ambient);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Ambient::new(Arc::new(kernel::SystemClock), Arc::new(SeededEntropy::new(seed))))
    }

    /// From `low` to `high`, both included.
    pub(crate) fn between(&self, low: i64, high: i64) -> i64 {
        low + i64::try_from(self.0.random_below(u64::try_from(high - low + 1).unwrap())).unwrap()
    }

    pub(crate) fn pick<T: Clone>(&self, from: &[T]) -> T {
        from[usize::try_from(self.between(0, i64::try_from(from.len()).unwrap() - 1)).unwrap()].clone()
    }
}

/// A row of the history, by the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) id: String,
    pub(crate) says: T,
    pub(crate) amount: i64,
    pub(crate) spendable: (i64, i64),
    pub(crate) held: (i64, i64),
    pub(crate) reason: Option<String>,
    pub(crate) at: DateTime<Utc>,
}

impl Known {
    /// The same of a row that was read.
    pub(crate) fn of(row: &WalletTransactionView) -> Self {
        Self {
            id: row.id.clone(),
            says: row.says,
            amount: row.amount.amount(),
            spendable: (row.spendable.before.amount(), row.spendable.after.amount()),
            held: (row.held.before.amount(), row.held.after.amount()),
            reason: row.reason.clone(),
            at: row.created_at,
        }
    }
}

/// A user and their wallet, by the model.
#[derive(Debug, Clone)]
pub(crate) struct Customer {
    pub(crate) user: UserId,
    pub(crate) available: i64,
    pub(crate) promo: i64,
    pub(crate) held: i64,
    pub(crate) debt: i64,
    /// The history, oldest first.
    pub(crate) rows: Vec<Known>,
    boosts: Vec<(BoostId, Split)>,
    holds: Vec<(HoldId, RefundId, i64)>,
    reversible: Vec<(JournalId, Change)>,
}

/// What a journal does to the model's purses.
#[derive(Debug, Clone, Copy, Default)]
struct Change {
    available: i64,
    promo: i64,
    held: i64,
    debt: i64,
    amount: i64,
}

const DEEDS: [fn(&Customer, &Dice) -> Option<Deed>; 9] = [
    |_, dice| Some(Deed::TopUp(dice.between(100, 90_000))),
    |_, dice| Some(Deed::Bonus(dice.between(1, 20_000))),
    |wallet, dice| wallet.price(dice).map(|price| Deed::Boost(price, JournalKind::BoostCharge)),
    |wallet, dice| wallet.price(dice).map(|price| Deed::Boost(price, JournalKind::FeatureCharge)),
    |wallet, _| (!wallet.boosts.is_empty()).then_some(Deed::RefundBoost),
    |wallet, dice| (wallet.available > 0).then(|| Deed::Hold(dice.between(1, wallet.available))),
    |wallet, dice| (!wallet.holds.is_empty()).then(|| Deed::EndHold { captured: dice.between(0, 1) == 0 }),
    |_, dice| (dice.between(0, 3) == 0).then(|| Deed::RefundElsewhere(dice.between(1, 30_000))),
    |wallet, _| wallet.reversible.iter().any(|(_, by)| wallet.can_undo(*by)).then_some(Deed::Reverse),
];

#[derive(Debug, Clone, Copy)]
enum Deed {
    TopUp(i64),
    Bonus(i64),
    Boost(i64, JournalKind),
    RefundBoost,
    Hold(i64),
    EndHold { captured: bool },
    RefundElsewhere(i64),
    Reverse,
    Recover,
}

impl Customer {
    fn new(user: UserId) -> Self {
        Self {
            user,
            available: 0,
            promo: 0,
            held: 0,
            debt: 0,
            rows: Vec::new(),
            boosts: Vec::new(),
            holds: Vec::new(),
            reversible: Vec::new(),
        }
    }

    pub(crate) fn spendable(&self) -> i64 {
        self.available + self.promo
    }

    fn price(&self, dice: &Dice) -> Option<i64> {
        (self.spendable() > 0).then(|| dice.between(1, self.spendable().min(25_000)))
    }

    fn can_undo(&self, by: Change) -> bool {
        self.available >= by.available && self.promo >= by.promo && self.debt <= by.debt
    }

    /// Does something at random that the wallet allows, and notes what the books must say of it.
    pub(crate) async fn live(&mut self, shop: &Shop, dice: &Dice) {
        let deed = loop {
            if self.debt < 0 && self.available > 0 && dice.between(0, 2) == 0 {
                break Deed::Recover;
            }
            if let Some(deed) = dice.pick(&DEEDS)(self, dice) {
                break deed;
            }
        };
        self.act(shop, deed).await;
    }

    /// So many things at random.
    pub(crate) async fn live_for(&mut self, shop: &Shop, dice: &Dice, deeds: usize) {
        for _ in 0..deeds {
            self.live(shop, dice).await;
        }
    }

    async fn act(&mut self, shop: &Shop, deed: Deed) {
        match deed {
            Deed::TopUp(amount) => self.top_up(shop, amount).await,
            Deed::Bonus(amount) => self.bonus(shop, amount, None).await,
            Deed::Boost(price, kind) => self.boost(shop, price, kind).await,
            Deed::RefundBoost => self.refund_boost(shop).await,
            Deed::Hold(amount) => self.hold(shop, amount).await,
            Deed::EndHold { captured } => self.end_hold(shop, captured).await,
            Deed::RefundElsewhere(amount) => self.refund_elsewhere(shop, amount).await,
            Deed::Reverse => self.reverse(shop).await,
            Deed::Recover => self.recover(shop).await,
        }
    }

    fn note(&mut self, shop: &Shop, says: T, by: Change, reason: Option<&str>) {
        let (spendable, held) = (self.spendable(), self.held);
        self.available += by.available;
        self.promo += by.promo;
        self.held += by.held;
        self.debt += by.debt;
        self.rows.push(Known {
            id: format!("{}-0", self.rows.len() + 1),
            says,
            amount: by.amount,
            spendable: (spendable, self.spendable()),
            held: (held, self.held),
            reason: reason.map(str::to_owned),
            at: shop.ambient.now(),
        });
    }

    pub(crate) async fn top_up(&mut self, shop: &Shop, amount: i64) {
        let payment = format!("pay_{}", shop.ambient.new_uuid().simple());
        let journal = shop.post(templates::top_up(&payment, self.user, Money::inr(amount)).unwrap()).await;
        let by = Change { available: amount, amount, ..Change::default() };
        self.note(shop, T::CreditTopup, by, None);
        self.reversible.push((journal, by));
    }

    pub(crate) async fn bonus(&mut self, shop: &Shop, amount: i64, reason: Option<&str>) {
        let grant = shop.ambient.new_uuid().to_string();
        let bonus = templates::bonus(&grant, self.user, Money::inr(amount)).unwrap();
        let journal = shop.post(reason.iter().fold(bonus, |bonus, reason| bonus.because(reason))).await;
        let by = Change { promo: amount, amount, ..Change::default() };
        self.note(shop, T::CreditBonus, by, reason);
        self.reversible.push((journal, by));
    }

    /// Promotional credit pays first.
    pub(crate) async fn boost(&mut self, shop: &Shop, price: i64, kind: JournalKind) {
        let promo = price.min(self.promo);
        let split =
            Split { promo: Money::inr(promo), available: Money::inr(price - promo), earnings: Money::inr(0) };
        let boost: BoostId = shop.ambient.new_id();
        let charge = templates::boost_charge(boost, self.user, &split, GstRate::percent(18).unwrap(), kind);
        let journal = shop.post(charge.unwrap()).await;
        let says = if kind == JournalKind::BoostCharge { T::DebitBoost } else { T::DebitFeature };
        let by = Change { promo: -promo, available: promo - price, amount: price, ..Change::default() };
        self.note(shop, says, by, None);
        if price % 3 == 0 {
            self.reversible.push((journal, by));
        } else {
            self.boosts.push((boost, split));
        }
    }

    async fn refund_boost(&mut self, shop: &Shop) {
        let (boost, paid) = self.boosts.remove(0);
        let price = paid.total().unwrap();
        let rate = GstRate::percent(18).unwrap();
        shop.post(templates::boost_refund(boost, self.user, &paid, price, rate).unwrap()).await;
        let (promo, available) = (paid.promo.amount(), paid.available.amount());
        let by = Change { promo, available, amount: price.amount(), ..Change::default() };
        self.note(shop, T::CreditRefund, by, None);
    }

    pub(crate) async fn hold(&mut self, shop: &Shop, amount: i64) {
        let refund: RefundId = shop.ambient.new_id();
        let hold = templates::refund_hold(refund, self.user, Money::inr(amount));
        let opened = shop.db.in_txn(async |txn| shop.ledger.open_hold_in_txn(txn, &hold).await).await;
        let HoldOutcome::Posted(hold, _) = opened.unwrap() else {
            panic!("the wallet had {}", self.available)
        };
        let by = Change { available: -amount, held: amount, amount, ..Change::default() };
        self.note(shop, T::Hold, by, None);
        self.holds.push((hold, refund, amount));
    }

    pub(crate) async fn end_hold(&mut self, shop: &Shop, captured: bool) {
        let (hold, refund, amount) = self.holds.remove(0);
        let done = templates::refund_done(refund, self.user, Money::inr(amount)).unwrap();
        let ended = shop
            .db
            .in_txn(async |txn| {
                if captured {
                    return shop.ledger.capture_hold_in_txn(txn, hold, &done).await;
                }
                let key = templates::refund_release_key(refund);
                shop.ledger.release_hold_in_txn(txn, hold, &key).await
            })
            .await;
        assert!(matches!(ended.unwrap(), Outcome::Posted(_)));
        let back = if captured { 0 } else { amount };
        let by = Change { available: back, held: -amount, amount, ..Change::default() };
        self.note(shop, if captured { T::DebitRefund } else { T::Release }, by, None);
    }

    async fn refund_elsewhere(&mut self, shop: &Shop, amount: i64) {
        let user = self.user;
        let refund = format!("rfnd_{}", shop.ambient.new_uuid().simple());
        let refund = refund.as_str();
        let posted = shop
            .db
            .in_txn(async |txn| {
                let wallet = shop.ledger.lock_wallet_in_txn(txn, user).await?;
                let journal = templates::refund_elsewhere(refund, user, &wallet, Money::inr(amount))?;
                shop.ledger.post_in_txn(txn, &journal).await
            })
            .await;
        assert!(matches!(posted.unwrap(), Outcome::Posted(_)));
        let paid = amount.min(self.available);
        let by = Change { available: -paid, debt: paid - amount, amount, ..Change::default() };
        self.note(shop, T::DebitRefund, by, None);
    }

    async fn recover(&mut self, shop: &Shop) {
        let (user, cause) = (self.user, shop.ambient.new_uuid().to_string());
        let cause = cause.as_str();
        let posted =
            shop.db.in_txn(async |txn| shop.ledger.recover_debt_in_txn(txn, user, cause).await).await;
        let journal = posted.unwrap().unwrap();
        let amount = self.available.min(-self.debt);
        let by = Change { available: -amount, debt: amount, amount, ..Change::default() };
        self.note(shop, T::DebitRecovery, by, None);
        self.reversible.push((journal, by));
    }

    /// Undoes what can be undone: what a reversal gives back is a credit, what it takes a debit.
    async fn reverse(&mut self, shop: &Shop) {
        let undoable = self.reversible.iter().position(|(_, by)| self.can_undo(*by)).unwrap();
        let (journal, by) = self.reversible.remove(undoable);
        let (actor, reason) = (Actor::System("test"), "it was a mistake");
        let posted =
            shop.db.in_txn(async |txn| shop.ledger.reverse_in_txn(txn, journal, &actor, reason).await).await;
        assert!(matches!(posted.unwrap(), Outcome::Posted(_)));
        let by = Change {
            available: -by.available,
            promo: -by.promo,
            held: -by.held,
            debt: -by.debt,
            amount: by.amount,
        };
        let says = if by.available + by.promo > 0 { T::CreditAdjustment } else { T::DebitAdjustment };
        self.note(shop, says, by, Some(reason));
    }
}

/// Lets time go by: up to two days.
pub(crate) fn wait(shop: &Shop, dice: &Dice) {
    shop.clock.advance(TimeDelta::seconds(dice.between(1, 172_800)));
}
