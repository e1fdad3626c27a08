//! The auditor's own books: what each journal may say, and what everybody has by it.
//!
//! They know nothing of how the marketplace works. Each journal that appears must follow from what the provider knows
//! and from what was asked, and come once; its amounts are computed here, from the chart of accounts alone.

mod boosts;
mod money_in;
mod refunds;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{bail, ensure};
use chrono::{DateTime, Utc};
use kernel::{BoostId, ListingId, TypedId, UserId};
use store::StoredAnswer;
use uuid::Uuid;

use super::ask::Ask;
use super::bank::Vault;
use super::seen::{AccountName, Purses, SeenJournal};
use super::stage::Scene;

pub(super) use boosts::OurBoost;
pub(super) use refunds::{HoldEnd, OurHold};

/// The names of the purses, in their order.
const PURSES: [&str; 5] = ["available", "held", "promo", "earnings", "debt"];

/// What a journal may follow from.
pub(super) struct Occasion<'a> {
    /// What the provider knows.
    pub(super) vault: &'a Vault,
    /// What was asked of the marketplace.
    pub(super) ask: &'a Ask,
    pub(super) scene: &'a Scene,
    pub(super) now: DateTime<Utc>,
}

/// An order of ours.
#[derive(Debug, Clone)]
pub(super) struct OurOrder {
    pub(super) user: UserId,
    pub(super) amount: i64,
    /// The one order at the provider that counts, when a lost answer has led to two.
    pub(super) provider_id: Option<String>,
}

/// A payment that was credited.
#[derive(Debug, Clone)]
pub(super) struct Credit {
    pub(super) user: UserId,
    pub(super) amount: i64,
    pub(super) receipt: String,
}

/// Everything that has happened to money, as the auditor understands it.
#[derive(Debug, Default)]
pub(super) struct Books {
    wallets: BTreeMap<UserId, Purses>,
    house: BTreeMap<String, i64>,
    keys: BTreeSet<String>,
    /// By receipt.
    pub(super) orders: BTreeMap<String, OurOrder>,
    /// By the payment's id at the provider.
    pub(super) credits: BTreeMap<String, Credit>,
    /// Payments that are nobody's, with their amounts.
    pub(super) unmatched: BTreeMap<String, i64>,
    /// Refunds of those that arrived, by the refund's id at the provider.
    pub(super) returned: BTreeMap<String, i64>,
    /// By the refund's id here.
    pub(super) holds: BTreeMap<String, OurHold>,
    /// Dashboard refunds, by the refund's id at the provider.
    pub(super) elsewhere: BTreeMap<String, i64>,
    pub(super) boosts: BTreeMap<BoostId, OurBoost>,
    /// Listings that are not ACTIVE.
    pub(super) paused: BTreeSet<ListingId>,
    /// Answers that were given under keys, by scope and key.
    pub(super) answers: BTreeMap<(String, String), StoredAnswer>,
    /// The last journal that was taken in.
    pub(super) last_row: i64,
}

impl Books {
    /// What a user has.
    pub(super) fn purses(&self, user: UserId) -> Purses {
        self.wallets.get(&user).copied().unwrap_or_default()
    }

    /// What a house account holds.
    pub(super) fn house(&self, kind: &str) -> i64 {
        self.house.get(kind).copied().unwrap_or_default()
    }

    /// Takes a journal in, if it may be.
    ///
    /// # Errors
    /// When nothing warrants it, or it says something else than it should.
    pub(super) fn take(&mut self, journal: &SeenJournal, occasion: &Occasion<'_>) -> anyhow::Result<()> {
        ensure!(self.keys.insert(journal.key.clone()), "two journals have the key {}", journal.key);
        let expected = match journal.kind.as_str() {
            "top_up" => self.top_up(journal, occasion)?,
            "gateway_fee" => self.gateway_fee(journal, occasion)?,
            "unmatched" => self.take_unmatched(journal, occasion)?,
            "unmatched_return" => self.unmatched_return(journal, occasion)?,
            "refund_hold" => self.refund_hold(journal, occasion)?,
            "refund_done" => self.refund_done(journal, occasion)?,
            "refund_release" => self.refund_release(journal, occasion)?,
            "refund_elsewhere" => self.refund_elsewhere(journal, occasion)?,
            "boost_charge" | "feature_charge" => self.boost_charge(journal, occasion)?,
            "boost_refund" => self.boost_refund(journal, occasion)?,
            "bonus" => bonus(occasion)?,
            "recovery" => self.recovery(journal)?,
            other => bail!("nothing here writes a journal of kind {other}"),
        };
        ensure!(
            journal.gains == expected,
            "the journal {} moves {:?} and should move {expected:?}",
            journal.key,
            journal.gains
        );
        self.post(&expected)?;
        self.last_row = journal.row;
        Ok(())
    }

    fn post(&mut self, gains: &BTreeMap<AccountName, i64>) -> anyhow::Result<()> {
        for ((kind, user), gain) in gains {
            let Some(user) = user else {
                *self.house.entry(kind.clone()).or_default() += gain;
                continue;
            };
            let purses = self.wallets.entry((*user).into()).or_default();
            let purse = PURSES.iter().position(|name| name == kind).and_then(|at| purses.get_mut(at));
            if let Some(purse) = purse {
                *purse += gain;
            }
            let [available, held, promo, earnings, debt] = *purses;
            let is_sound = [available, held, promo, earnings].iter().all(|purse| *purse >= 0) && debt <= 0;
            ensure!(is_sound, "user {user} has {purses:?}: a purse is below 0, or a debt above");
        }
        Ok(())
    }

    /// What the database must show for the house.
    pub(super) fn house_accounts(&self) -> BTreeMap<String, i64> {
        self.house
            .iter()
            .filter(|(_, total)| **total != 0)
            .map(|(kind, total)| (kind.clone(), *total))
            .collect()
    }

    /// What the database must show for users. A wallet that was only looked at may exist too.
    pub(super) fn users(&self) -> impl Iterator<Item = (UserId, Purses)> + '_ {
        self.wallets.iter().map(|(user, purses)| (*user, *purses))
    }
}

/// What accounts gain; those that gain nothing are left out.
#[derive(Debug, Default)]
struct Gains(BTreeMap<AccountName, i64>);

impl Gains {
    /// A movement out of one account into another.
    fn moved(mut self, from: AccountName, to: AccountName, amount: i64) -> Self {
        *self.0.entry(from).or_default() -= amount;
        *self.0.entry(to).or_default() += amount;
        self
    }

    fn done(mut self) -> BTreeMap<AccountName, i64> {
        self.0.retain(|_, gain| *gain != 0);
        self.0
    }
}

fn purse(user: UserId, name: &str) -> AccountName {
    (name.to_owned(), Some(user.uuid()))
}

fn house(name: &str) -> AccountName {
    (name.to_owned(), None)
}

/// The one user whose purses a journal touches.
fn only_user(journal: &SeenJournal) -> anyhow::Result<UserId> {
    let users: BTreeSet<Uuid> = journal.gains.keys().filter_map(|(_, user)| *user).collect();
    match users.into_iter().collect::<Vec<_>>().as_slice() {
        [user] => Ok((*user).into()),
        _ => bail!("the journal {} does not touch exactly one user", journal.key),
    }
}

fn bonus(occasion: &Occasion<'_>) -> anyhow::Result<BTreeMap<AccountName, i64>> {
    let Ask::Bonus { user, amount, .. } = occasion.ask else { bail!("nobody gave a bonus") };
    Ok(Gains::default().moved(house("promotions:expense"), purse(*user, "promo"), *amount).done())
}
