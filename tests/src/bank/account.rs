//! A client's own account of their money, kept apart from the marketplace's: what was acknowledged, and nothing else.

use anyhow::ensure;
use kernel::Money;

use super::desk::Wallet;

/// A top-up that was paid at Razorpay, so it is credited sooner or later.
#[derive(Debug, Clone)]
pub(super) struct Paid {
    pub(super) order: String,
    pub(super) provider_payment: String,
    pub(super) paise: i64,
    /// The marketplace's id of the payment, once it has acknowledged the credit.
    pub(super) credited: Option<String>,
}

/// A boost.
#[derive(Debug, Clone)]
pub(super) struct Bought {
    pub(super) id: String,
    pub(super) paise: i64,
}

/// A refund that was asked for.
#[derive(Debug, Clone)]
pub(super) struct Returned {
    pub(super) id: String,
    pub(super) provider_payment: String,
    pub(super) paise: i64,
    /// Whether the bank refused it: then the money comes back.
    pub(super) fails: bool,
}

/// Everything that was acknowledged to one client.
#[derive(Debug, Clone, Default)]
pub struct Account {
    pub(super) paid: Vec<Paid>,
    pub(super) bought: Vec<Bought>,
    pub(super) returned: Vec<Returned>,
    pub(super) refused: usize,
}

impl Account {
    /// Top-ups that were paid.
    pub fn payments(&self) -> usize {
        self.paid.len()
    }

    /// Boosts that were bought.
    pub fn boosts(&self) -> usize {
        self.bought.len()
    }

    /// Refunds that were made.
    pub fn refunds(&self) -> usize {
        self.returned.len()
    }

    /// Boosts and refunds that the wallet did not reach for.
    pub fn refusals(&self) -> usize {
        self.refused
    }

    /// What is certainly available: credits that were acknowledged, less everything that was ever taken or set aside.
    pub(super) fn least(&self) -> i64 {
        let credited: i64 =
            self.paid.iter().filter(|paid| paid.credited.is_some()).map(|paid| paid.paise).sum();
        let asked: i64 = self.returned.iter().map(|refund| refund.paise).sum();
        credited - self.spent() - asked
    }

    /// What may be in the wallet at most, held money included.
    fn most(&self) -> i64 {
        self.paid.iter().map(|paid| paid.paise).sum::<i64>() - self.spent()
    }

    /// What is available once every payment is credited and every refund has ended.
    pub(super) fn in_the_end(&self) -> i64 {
        let gone: i64 = self.returned.iter().filter(|refund| !refund.fails).map(|refund| refund.paise).sum();
        self.most() - gone
    }

    fn spent(&self) -> i64 {
        self.bought.iter().map(|boost| boost.paise).sum()
    }

    /// How much of a payment no refund was asked for.
    pub(super) fn left_of(&self, paid: &Paid) -> i64 {
        let refunds = self.returned.iter().filter(|refund| refund.provider_payment == paid.provider_payment);
        paid.paise - refunds.map(|refund| refund.paise).sum::<i64>()
    }

    /// Whether a wallet is one that these operations can have made.
    ///
    /// # Errors
    /// With what is wrong.
    pub(super) fn explains(&self, wallet: &Wallet) -> anyhow::Result<()> {
        let none = Money::inr(0);
        ensure!(
            (wallet.promo, wallet.earnings, wallet.debt) == (none, none, none),
            "a wallet that only topped up and boosted shows {wallet:?}"
        );
        let (available, held) = (wallet.available.amount(), wallet.held.amount());
        let asked: i64 = self.returned.iter().map(|refund| refund.paise).sum();
        ensure!(available >= 0 && (0..=asked).contains(&held), "impossible balances: {wallet:?}");
        ensure!(
            available >= self.least() && available + held <= self.most(),
            "the wallet shows {available} and {held} held, not from {} to {}",
            self.least(),
            self.most()
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wallet(available: i64, held: i64) -> Wallet {
        let none = Money::inr(0);
        Wallet {
            available: Money::inr(available),
            held: Money::inr(held),
            promo: none,
            earnings: none,
            debt: none,
        }
    }

    #[test]
    fn an_account_explains_what_its_operations_can_have_made_and_nothing_else() {
        let paid = |paise, credited: Option<&str>| Paid {
            order: "order".to_owned(),
            provider_payment: format!("pay_{paise}"),
            paise,
            credited: credited.map(str::to_owned),
        };
        let account = Account {
            paid: vec![paid(50_000, Some("one")), paid(7_000, None)],
            bought: vec![Bought { id: "boost".to_owned(), paise: 9_900 }],
            returned: vec![Returned {
                id: "refund".to_owned(),
                provider_payment: "pay_50000".to_owned(),
                paise: 10_000,
                fails: true,
            }],
            refused: 0,
        };
        assert_eq!((account.least(), account.most(), account.in_the_end()), (30_100, 47_100, 47_100));
        assert_eq!(account.paid.first().map(|paid| account.left_of(paid)), Some(40_000));
        for (available, held) in [(30_100, 10_000), (37_100, 10_000), (40_100, 0), (30_100, 0)] {
            account.explains(&wallet(available, held)).unwrap();
        }
        for (available, held) in [(30_099, 10_000), (47_101, 0), (40_000, 10_001), (50_000, -2_900)] {
            assert!(account.explains(&wallet(available, held)).is_err(), "{available} and {held}");
        }
    }
}
