//! What a journal may look like, what it comes to for each account, and what a wallet refuses. Pure.

use std::collections::BTreeMap;

use kernel::{Money, UserId};

use super::{Leg, MAX_LEGS, Refusal};
use crate::{Account, Balances, House, LedgerError, Purse};

/// What a journal does to one wallet, in paise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Change {
    pub(crate) available: i64,
    pub(crate) held: i64,
    pub(crate) promo: i64,
    pub(crate) earnings: i64,
    pub(crate) debt: i64,
}

/// What a journal comes to: one change for each wallet, in the order in which wallets are locked, and one amount for
/// each house account that it moves.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Net {
    pub(crate) wallets: Vec<(UserId, Change)>,
    pub(crate) houses: Vec<(House, i64)>,
}

/// What a wallet says to a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ruling {
    /// It holds this afterwards.
    Stands(Balances),
    /// Nothing happens.
    Refused(Refusal),
}

/// Whether these are the legs of a journal.
pub(super) fn check_legs(legs: &[Leg]) -> Result<(), LedgerError> {
    let Some(first) = legs.first() else {
        return Err(LedgerError::Malformed("it has no legs"));
    };
    if legs.len() > MAX_LEGS {
        return Err(LedgerError::Malformed("it has more than 16 legs"));
    }
    let mut total = Money::inr(0);
    for leg in legs {
        if leg.amount.amount() <= 0 {
            return Err(LedgerError::Malformed("an amount is not above zero"));
        }
        if leg.from == leg.to {
            return Err(LedgerError::Malformed("a leg ends where it begins"));
        }
        if leg.amount.currency() != first.amount.currency() {
            return Err(LedgerError::Malformed("its legs differ in currency"));
        }
        let Ok(sum) = total.checked_add(leg.amount) else {
            return Err(LedgerError::Malformed("its amounts do not add up within 64 bits"));
        };
        total = sum;
    }
    Ok(())
}

/// What the legs come to. Their sum fits 64 bits, so every partial sum does.
pub(super) fn net(legs: &[Leg]) -> Net {
    let mut wallets: BTreeMap<UserId, Change> = BTreeMap::new();
    let mut houses: BTreeMap<&'static str, (House, i64)> = BTreeMap::new();
    let mut add = |account, amount| match account {
        Account::User(user, purse) => *wallets.entry(user).or_default().purse(purse) += amount,
        Account::House(house) => houses.entry(house.as_str()).or_insert((house, 0)).1 += amount,
    };
    for leg in legs {
        add(leg.from, -leg.amount.amount());
        add(leg.to, leg.amount.amount());
    }
    Net {
        wallets: wallets.into_iter().collect(),
        houses: houses.into_values().filter(|(_, amount)| *amount != 0).collect(),
    }
}

/// What the wallet says to the change: a frozen one gives nothing up but what is held, and no account passes its floor.
pub(super) fn rule(wallet: &Balances, change: &Change) -> Result<Ruling, LedgerError> {
    if wallet.frozen && change.spends() {
        return Ok(Ruling::Refused(Refusal::Frozen));
    }
    let after =
        |balance: Money, by: i64| balance.checked_add(Money::inr(by)).ok().ok_or(LedgerError::Overflow);
    let after = Balances {
        available: after(wallet.available, change.available)?,
        held: after(wallet.held, change.held)?,
        promo: after(wallet.promo, change.promo)?,
        earnings: after(wallet.earnings, change.earnings)?,
        debt: after(wallet.debt, change.debt)?,
        version: wallet.version.checked_add(1).ok_or(LedgerError::Overflow)?,
        frozen: wallet.frozen,
    };
    let purses = [after.available, after.held, after.promo, after.earnings];
    let is_covered = purses.into_iter().all(|balance| balance.amount() >= 0) && after.debt.amount() <= 0;
    Ok(if is_covered { Ruling::Stands(after) } else { Ruling::Refused(Refusal::InsufficientFunds) })
}

impl Change {
    /// Whether it takes something out of a purse that its owner disposes of, which a frozen wallet does not give up.
    pub(super) fn spends(&self) -> bool {
        [self.available, self.promo, self.earnings].into_iter().any(|by| by < 0)
    }

    fn purse(&mut self, purse: Purse) -> &mut i64 {
        match purse {
            Purse::Available => &mut self.available,
            Purse::Held => &mut self.held,
            Purse::Promo => &mut self.promo,
            Purse::Earnings => &mut self.earnings,
            Purse::Debt => &mut self.debt,
        }
    }
}

#[cfg(test)]
mod tests;
