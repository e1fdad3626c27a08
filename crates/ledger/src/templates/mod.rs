//! What each event of the business means to the accounts. Pure: facts in, a journal out.
//!
//! | template | key | movement |
//! |---|---|---|
//! | [`top_up`] | `topup:{payment}` | gateway:clearing → available |
//! | [`gateway_fee`] | `pgfee:{payment}` | expense:gateway_fee, tax:gst_input → gateway:clearing |
//! | [`unmatched`] | `unmatched:{payment}` | gateway:clearing → suspense:unmatched |
//! | [`unmatched_return`] | `unmatched:return:{refund}` | suspense:unmatched → gateway:clearing |
//! | [`refund_hold`] | `refund:hold:{refund}` | available → held |
//! | [`refund_done`] | `refund:done:{refund}` | held → gateway:clearing |
//! | a release | `refund:fail:{refund}` | held → available |
//! | [`refund_elsewhere`] | `refund:ext:{refund}` | available, then debt → gateway:clearing |
//! | [`boost_charge`] | `boost:{boost}` | promo, available, earnings → revenue:boost, tax:gst_output |
//! | [`boost_refund`] | `boostrefund:{boost}` | the same backwards, for a part |
//! | [`bonus`] | `bonus:{grant}` | promotions:expense → promo |

mod boosts;
mod payments;

use kernel::{Money, UserId};

pub use boosts::{boost_charge, boost_refund};
pub use payments::{
    gateway_fee, refund_done, refund_elsewhere, refund_hold, refund_release_key, top_up, unmatched,
    unmatched_return,
};

use crate::{Account, House, JournalKind, LedgerError, Leg, NewJournal, Purse, Reference};

/// A bonus that was granted to the user, to be spent on boosts.
///
/// # Errors
/// When the amount is not above zero.
pub fn bonus(grant: &str, user: UserId, amount: Money) -> Result<NewJournal, LedgerError> {
    let legs = vec![Leg::new(House::PromotionsExpense, (user, Purse::Promo), amount)];
    NewJournal::new(format!("bonus:{grant}"), JournalKind::Bonus, Reference::new("grant", grant), legs)
}

/// The leg, unless it moves nothing.
fn some_leg(from: impl Into<Account>, to: impl Into<Account>, amount: Money) -> Option<Leg> {
    (amount.amount() != 0).then(|| Leg::new(from, to, amount))
}

fn less(amount: Money, by: Money) -> Result<Money, LedgerError> {
    amount.checked_sub(by).ok().ok_or(LedgerError::Overflow)
}

#[cfg(test)]
mod tests;
