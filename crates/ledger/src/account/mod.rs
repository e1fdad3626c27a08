//! Accounts: five purses for each user, kept in one row, and the house's own.

mod balances;
mod freeze;
mod lock;
mod lock_free;
pub(crate) mod rows;

use kernel::UserId;

pub use balances::{Balances, Split};

/// One of a user's accounts. A positive balance is what the marketplace owes the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purse {
    /// Can be spent; comes from top-ups.
    Available,
    /// Set aside by open holds.
    Held,
    /// A bonus: can be spent on boosts and nothing else.
    Promo,
    /// Can be spent and paid out.
    Earnings,
    /// What the user owes, below zero.
    Debt,
}

impl Purse {
    /// All of them, in the order of the wallet's columns.
    pub const ALL: [Self; 5] = [Self::Available, Self::Held, Self::Promo, Self::Earnings, Self::Debt];

    /// As the database keeps it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Held => "held",
            Self::Promo => "promo",
            Self::Earnings => "earnings",
            Self::Debt => "debt",
        }
    }

    /// The purse of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purse| purse.as_str() == name)
    }
}

/// One of the house's accounts. What the house owns, such as money in the bank, runs below zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum House {
    /// Captured by the payment provider, not settled yet.
    GatewayClearing,
    /// The current account at the bank.
    BankCurrent,
    /// The account that payouts are made from.
    BankRazorpayx,
    /// Paid out by the provider's word, not debited yet.
    PayoutsClearing,
    /// Captured, but not for any user; goes back.
    SuspenseUnmatched,
    /// Income from boosts, without tax.
    RevenueBoost,
    /// Income from payout fees, without tax.
    RevenuePayoutFee,
    /// Central tax that is owed.
    GstOutputCgst,
    /// State tax that is owed.
    GstOutputSgst,
    /// Tax between states that is owed.
    GstOutputIgst,
    /// Tax that can be claimed back.
    GstInput,
    /// The payment provider's fees, without tax.
    ExpenseGatewayFee,
    /// The payout provider's fees, without tax.
    ExpensePayoutFee,
    /// Debts that were written off.
    ExpenseBadDebt,
    /// Bonuses that were given.
    PromotionsExpense,
    /// What two members of staff corrected by hand.
    PlatformAdjustments,
}

impl House {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::GatewayClearing,
        Self::BankCurrent,
        Self::BankRazorpayx,
        Self::PayoutsClearing,
        Self::SuspenseUnmatched,
        Self::RevenueBoost,
        Self::RevenuePayoutFee,
        Self::GstOutputCgst,
        Self::GstOutputSgst,
        Self::GstOutputIgst,
        Self::GstInput,
        Self::ExpenseGatewayFee,
        Self::ExpensePayoutFee,
        Self::ExpenseBadDebt,
        Self::PromotionsExpense,
        Self::PlatformAdjustments,
    ];

    /// As the database keeps it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::GatewayClearing => "gateway:clearing",
            Self::BankCurrent => "bank:current",
            Self::BankRazorpayx => "bank:razorpayx",
            Self::PayoutsClearing => "payouts:clearing",
            Self::SuspenseUnmatched => "suspense:unmatched",
            Self::RevenueBoost => "revenue:boost",
            Self::RevenuePayoutFee => "revenue:payout_fee",
            Self::GstOutputCgst => "tax:gst_output:cgst",
            Self::GstOutputSgst => "tax:gst_output:sgst",
            Self::GstOutputIgst => "tax:gst_output:igst",
            Self::GstInput => "tax:gst_input",
            Self::ExpenseGatewayFee => "expense:gateway_fee",
            Self::ExpensePayoutFee => "expense:payout_fee",
            Self::ExpenseBadDebt => "expense:bad_debt",
            Self::PromotionsExpense => "promotions:expense",
            Self::PlatformAdjustments => "platform:adjustments",
        }
    }

    /// The account of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|house| house.as_str() == name)
    }
}

/// Where money can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Account {
    /// A user's.
    User(UserId, Purse),
    /// The house's.
    House(House),
}

impl Account {
    /// The name of its sort, as postings keep it.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::User(_, purse) => purse.as_str(),
            Self::House(house) => house.as_str(),
        }
    }

    /// Whose it is; `None` is the house.
    pub const fn user(self) -> Option<UserId> {
        match self {
            Self::User(user, _) => Some(user),
            Self::House(_) => None,
        }
    }

    /// The account that a posting names by its sort and user.
    pub(crate) fn read(kind: &str, user: Option<UserId>) -> Option<Self> {
        match user {
            Some(user) => Purse::parse(kind).map(|purse| Self::User(user, purse)),
            None => House::parse(kind).map(Self::House),
        }
    }
}

impl From<House> for Account {
    fn from(house: House) -> Self {
        Self::House(house)
    }
}

impl From<(UserId, Purse)> for Account {
    fn from((user, purse): (UserId, Purse)) -> Self {
        Self::User(user, purse)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// As many as the columns of `ledger_wallets` and the CHECK of `ledger_postings` know.
    #[test]
    fn every_account_has_a_name_of_its_own_that_reads_back() {
        let names: HashSet<_> =
            Purse::ALL.map(Purse::as_str).into_iter().chain(House::ALL.map(House::as_str)).collect();
        assert_eq!(names.len(), Purse::ALL.len() + House::ALL.len());
        assert!(names.iter().all(|name| (1..=32).contains(&name.len())));
        assert!(Purse::ALL.into_iter().all(|purse| Purse::parse(purse.as_str()) == Some(purse)));
        assert!(House::ALL.into_iter().all(|house| House::parse(house.as_str()) == Some(house)));
        assert_eq!((Purse::parse("gateway:clearing"), House::parse("held")), (None, None));
    }

    #[test]
    fn an_account_is_read_back_from_its_sort_and_user() {
        let user = UserId::from(uuid::Uuid::from_u128(7));
        for account in [Account::from((user, Purse::Held)), Account::from(House::GstInput)] {
            assert_eq!(Account::read(account.kind(), account.user()), Some(account));
        }
        assert_eq!(Account::read("gateway:clearing", Some(user)), None, "the house's account is nobody's");
        assert_eq!(Account::read("held", None), None, "a purse is somebody's");
    }
}
