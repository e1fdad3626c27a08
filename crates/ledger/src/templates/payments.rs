//! Money that comes in through the payment provider, and goes back.

use kernel::{Money, RefundId, UserId};

use super::{less, some_leg};
use crate::{
    Balances, HoldPurpose, House, JournalKind, LedgerError, Leg, NewHold, NewJournal, Purse, Reference,
};

/// A captured payment credits the wallet, once for its id at the provider.
///
/// # Errors
/// When the amount is not above zero.
pub fn top_up(provider_payment_id: &str, user: UserId, amount: Money) -> Result<NewJournal, LedgerError> {
    let legs = vec![Leg::new(House::GatewayClearing, (user, Purse::Available), amount)];
    of_payment(format!("topup:{provider_payment_id}"), JournalKind::TopUp, provider_payment_id, legs)
}

/// What the provider kept of a payment: `fee` includes `tax`, which can be claimed back.
///
/// # Errors
/// When the tax is more than the fee, or both are zero.
pub fn gateway_fee(provider_payment_id: &str, fee: Money, tax: Money) -> Result<NewJournal, LedgerError> {
    let own = some_leg(House::ExpenseGatewayFee, House::GatewayClearing, less(fee, tax)?);
    let claimable = some_leg(House::GstInput, House::GatewayClearing, tax);
    let legs = own.into_iter().chain(claimable).collect();
    of_payment(format!("pgfee:{provider_payment_id}"), JournalKind::GatewayFee, provider_payment_id, legs)
}

/// A captured payment that no user may be credited with.
///
/// # Errors
/// When the amount is not above zero.
pub fn unmatched(provider_payment_id: &str, amount: Money) -> Result<NewJournal, LedgerError> {
    let legs = vec![Leg::new(House::GatewayClearing, House::SuspenseUnmatched, amount)];
    of_payment(format!("unmatched:{provider_payment_id}"), JournalKind::Unmatched, provider_payment_id, legs)
}

/// Such a payment went back to its source by a refund, named by its id at the provider.
///
/// # Errors
/// When the amount is not above zero.
pub fn unmatched_return(provider_refund_id: &str, amount: Money) -> Result<NewJournal, LedgerError> {
    let legs = vec![Leg::new(House::SuspenseUnmatched, House::GatewayClearing, amount)];
    let (key, reference) =
        (format!("unmatched:return:{provider_refund_id}"), Reference::new("refund", provider_refund_id));
    NewJournal::new(key, JournalKind::UnmatchedReturn, reference, legs)
}

/// Sets a refund's money aside until it is known to have arrived, or to have failed.
pub fn refund_hold(refund: RefundId, user: UserId, amount: Money) -> NewHold {
    let key = format!("refund:hold:{refund}");
    NewHold::new(key, user, HoldPurpose::Refund, Reference::new("refund", refund), amount)
}

/// The refund reached its source: captures the hold.
///
/// # Errors
/// When the amount is not above zero.
pub fn refund_done(refund: RefundId, user: UserId, amount: Money) -> Result<NewJournal, LedgerError> {
    let legs = vec![Leg::new((user, Purse::Held), House::GatewayClearing, amount)];
    let reference = Reference::new("refund", refund);
    NewJournal::new(format!("refund:done:{refund}"), JournalKind::RefundDone, reference, legs)
}

/// The key under which a failed refund's hold is released.
pub fn refund_release_key(refund: RefundId) -> String {
    format!("refund:fail:{refund}")
}

/// A refund that was made at the provider without asking us. It has happened, so the wallet cannot refuse it: what it
/// does not have becomes a debt, and so does all of it when the wallet is frozen. `wallet` is what it holds, locked.
///
/// # Errors
/// When the amount is not above zero.
pub fn refund_elsewhere(
    provider_refund_id: &str,
    user: UserId,
    wallet: &Balances,
    amount: Money,
) -> Result<NewJournal, LedgerError> {
    let has = if wallet.frozen { 0 } else { wallet.available.amount() };
    let paid = Money::inr(has.min(amount.amount()));
    let owed = less(amount, paid)?;
    let paid = some_leg((user, Purse::Available), House::GatewayClearing, paid);
    let owed = some_leg((user, Purse::Debt), House::GatewayClearing, owed);
    let (key, reference) =
        (format!("refund:ext:{provider_refund_id}"), Reference::new("refund", provider_refund_id));
    NewJournal::new(key, JournalKind::RefundElsewhere, reference, paid.into_iter().chain(owed).collect())
}

fn of_payment(key: String, kind: JournalKind, id: &str, legs: Vec<Leg>) -> Result<NewJournal, LedgerError> {
    NewJournal::new(key, kind, Reference::new("payment", id), legs)
}
