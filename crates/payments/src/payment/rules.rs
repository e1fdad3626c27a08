//! What a look at a payment means: its rank only rises, and its money has one outcome.

use kernel::Money;

use super::{Mismatch, PaymentOutcome, PaymentStatus};
use crate::Charge;

impl PaymentStatus {
    /// Where it stands. Looks may come in any order: one that stands lower than what is known is an old one. A failed
    /// payment may still be authorised, so failing stands below.
    pub fn rank(self) -> i16 {
        match self {
            Self::Created => 0,
            Self::Failed => 1,
            Self::Authorized => 2,
            Self::Captured => 3,
            Self::Refunded => 4,
        }
    }

    /// The higher of the two.
    pub(crate) fn rise(self, seen: Self) -> Self {
        if seen.rank() > self.rank() { seen } else { self }
    }
}

/// What matters of the order that a payment pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OrderTerms {
    pub(crate) amount: Money,
    /// Whether a payment of it was credited.
    pub(crate) is_paid: bool,
}

/// Whether a charge is what the order asks for.
pub(crate) fn judge(charge: &Charge, names_order: bool, order: Option<&OrderTerms>) -> Result<(), Mismatch> {
    let Some(order) = order else {
        return Err(if names_order { Mismatch::ForeignOrder } else { Mismatch::NoOrder });
    };
    match charge.inr_money() {
        None => Err(Mismatch::Currency),
        Some(amount) if amount != order.amount => Err(Mismatch::Amount),
        Some(_) if order.is_paid => Err(Mismatch::SecondCapture),
        Some(_) => Ok(()),
    }
}

/// What the payment's money comes to by this look, if it has come to nothing yet.
///
/// Only what the provider says is captured now is credited; what went back wholly before is not.
pub(crate) fn settle(
    seen: PaymentStatus,
    known: Option<PaymentOutcome>,
    is_wholly_refunded: bool,
    verdict: Result<(), Mismatch>,
) -> Option<PaymentOutcome> {
    match (known, seen) {
        (Some(_), _) => None,
        (None, PaymentStatus::Captured | PaymentStatus::Refunded) if is_wholly_refunded => {
            Some(PaymentOutcome::Returned)
        }
        (None, PaymentStatus::Captured) => {
            Some(if verdict.is_ok() { PaymentOutcome::Credited } else { PaymentOutcome::Unmatched })
        }
        (None, _) => None,
    }
}

/// The provider's fee in paise and the tax within it, if both make sense.
pub(crate) fn fee(charge: &Charge, fee: Option<i64>, tax: Option<i64>) -> Option<(i64, i64)> {
    charge.inr_money()?;
    let (fee, tax) = (fee?, tax.unwrap_or(0));
    (tax >= 0 && tax <= fee).then_some((fee, tax))
}

#[cfg(test)]
mod tests;
