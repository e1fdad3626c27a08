//! What a wallet holds, and how a price is taken out of it.

use kernel::Money;

use super::Purse;

/// A wallet as it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Balances {
    /// Can be spent; comes from top-ups.
    pub available: Money,
    /// Set aside by open holds.
    pub held: Money,
    /// A bonus: can be spent on boosts and nothing else.
    pub promo: Money,
    /// Can be spent and paid out.
    pub earnings: Money,
    /// What the user owes, zero or below.
    pub debt: Money,
    /// How many journals have touched the wallet.
    pub version: i64,
    /// Whether nothing may be spent; credits and the ends of holds go on.
    pub frozen: bool,
}

/// A price by the purses that pay it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Split {
    /// From the bonus.
    pub promo: Money,
    /// From top-ups.
    pub available: Money,
    /// From earnings.
    pub earnings: Money,
}

impl Balances {
    /// A wallet that no journal has touched.
    pub const EMPTY: Self = Self {
        available: Money::inr(0),
        held: Money::inr(0),
        promo: Money::inr(0),
        earnings: Money::inr(0),
        debt: Money::inr(0),
        version: 0,
        frozen: false,
    };

    /// What one purse holds.
    pub const fn of(&self, purse: Purse) -> Money {
        match purse {
            Purse::Available => self.available,
            Purse::Held => self.held,
            Purse::Promo => self.promo,
            Purse::Earnings => self.earnings,
            Purse::Debt => self.debt,
        }
    }

    /// The purses that pay a price: the bonus first, then top-ups, then earnings. `None` when they do not reach.
    pub fn split(&self, price: Money) -> Option<Split> {
        let price = price.amount();
        let promo = self.promo.amount().clamp(0, price.max(0));
        let rest = price.checked_sub(promo)?;
        let available = self.available.amount().clamp(0, rest.max(0));
        let earnings = rest.checked_sub(available)?;
        (price >= 0 && earnings <= self.earnings.amount()).then_some(Split {
            promo: Money::inr(promo),
            available: Money::inr(available),
            earnings: Money::inr(earnings),
        })
    }
}

impl Split {
    /// The whole price; `None` when it does not fit 64 bits.
    pub fn total(&self) -> Option<Money> {
        self.promo.checked_add(self.available).ok()?.checked_add(self.earnings).ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn holding(promo: i64, available: i64, earnings: i64) -> Balances {
        let [promo, available, earnings] = [promo, available, earnings].map(Money::inr);
        Balances { promo, available, earnings, held: Money::inr(500), ..Balances::EMPTY }
    }

    fn split(promo: i64, available: i64, earnings: i64) -> Split {
        let [promo, available, earnings] = [promo, available, earnings].map(Money::inr);
        Split { promo, available, earnings }
    }

    #[test]
    fn the_bonus_is_spent_first_then_top_ups_then_earnings() {
        let wallet = holding(100, 200, 300);
        assert_eq!(wallet.split(Money::inr(40)), Some(split(40, 0, 0)));
        assert_eq!(wallet.split(Money::inr(100)), Some(split(100, 0, 0)));
        assert_eq!(wallet.split(Money::inr(101)), Some(split(100, 1, 0)));
        assert_eq!(wallet.split(Money::inr(301)), Some(split(100, 200, 1)));
        assert_eq!(wallet.split(Money::inr(600)), Some(split(100, 200, 300)));
    }

    #[test]
    fn what_is_held_pays_nothing_and_a_price_below_zero_is_none() {
        assert_eq!(holding(100, 200, 300).split(Money::inr(601)), None);
        assert_eq!(holding(0, 0, 0).split(Money::inr(1)), None);
        assert_eq!(holding(0, 0, 0).split(Money::inr(0)), Some(split(0, 0, 0)));
        assert_eq!(holding(5, 5, 5).split(Money::inr(-1)), None);
    }

    #[test]
    fn every_purse_has_its_balance() {
        let wallet = Balances { debt: Money::inr(-4), ..holding(1, 2, 3) };
        assert_eq!(Purse::ALL.map(|purse| wallet.of(purse).amount()), [2, 500, 1, 3, -4]);
        assert_eq!(split(1, 2, 3).total(), Some(Money::inr(6)));
        assert_eq!(split(1, i64::MAX, 0).total(), None);
    }

    proptest! {
        #[test]
        fn a_split_is_the_price_and_no_purse_pays_more_than_it_has(
            promo in 0..1_000i64, available in 0..1_000i64, earnings in 0..1_000i64, price in 0..4_000i64,
        ) {
            let wallet = holding(promo, available, earnings);
            match wallet.split(Money::inr(price)) {
                Some(split) => {
                    prop_assert_eq!(split.total(), Some(Money::inr(price)));
                    prop_assert!((0..=promo).contains(&split.promo.amount()));
                    prop_assert!((0..=available).contains(&split.available.amount()));
                    prop_assert!((0..=earnings).contains(&split.earnings.amount()));
                }
                None => prop_assert!(price > promo + available + earnings),
            }
        }
    }
}
