//! How calls fail, and the record of them.

use payments::{PaymentStatus, ProviderError};

use super::{Bank, Vault};

/// What was asked of the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::simulate) enum Verb {
    /// An order to be made.
    Order,
    /// A payment to be captured.
    Capture,
    /// A payment to be given back.
    Refund,
    /// A look at a payment.
    Look,
    /// A look at a payment's refunds.
    LookAtRefunds,
    /// A look at an order, or at the payments of one.
    LookAtOrder,
}

/// How a call was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::simulate) enum Answer {
    /// Truly.
    True,
    /// A payment, truly: how it stood then, and whether all of it had been given back.
    Payment(PaymentStatus, bool),
    /// With a refusal that follows from the truth.
    Refused,
    /// Not as the truth is: refused for no reason, lost, or never received.
    Faulty,
}

/// A call and its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::simulate) struct Call {
    pub(in crate::simulate) verb: Verb,
    pub(in crate::simulate) answer: Answer,
}

/// How a call goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    None,
    Refused,
    NotSent,
    Busy,
    Misconfigured,
    LostBefore,
    LostAfter,
}

impl Fault {
    pub(super) fn error(self) -> Option<ProviderError> {
        match self {
            Self::None => None,
            Self::Refused => Some(refusal("SERVER_MOOD")),
            Self::NotSent => Some(ProviderError::Unavailable { retry_after: None }),
            Self::Busy => Some(ProviderError::Busy),
            Self::Misconfigured => Some(ProviderError::Misconfigured { status: 401 }),
            Self::LostBefore | Self::LostAfter => Some(ProviderError::Unknown),
        }
    }
}

/// The refusal of a request that is wrong.
pub(super) fn refusal(code: &str) -> ProviderError {
    ProviderError::Refused { status: 400, code: code.to_owned(), reason: None }
}

impl Vault {
    /// Draws how the next call goes: wrong once in seven times while the provider is moody.
    pub(super) fn draw_fault(&mut self, verb: Verb) -> Fault {
        if !self.is_moody || self.dice.below(7) != 0 {
            return Fault::None;
        }
        let acts = matches!(verb, Verb::Order | Verb::Capture | Verb::Refund);
        match self.dice.below(8) {
            0 | 1 => Fault::LostBefore,
            2..=4 => Fault::LostAfter,
            5 => Fault::NotSent,
            // A look that is refused says that there is no such thing, so looks are refused by the truth alone.
            6 if acts => Fault::Refused,
            6 => Fault::Misconfigured,
            _ => Fault::Busy,
        }
    }

    /// Draws whether the next call stays open.
    pub(super) fn draw_park(&mut self) -> bool {
        self.may_park && self.dice.below(6) == 0
    }
}

impl Bank {
    /// Leaves the call open: whoever drives the flow sees it and goes on with another. The next time this flow is
    /// driven, the answer is there.
    pub(super) async fn park(&self) {
        let mut was_polled = false;
        std::future::poll_fn(|_| {
            if was_polled {
                return std::task::Poll::Ready(());
            }
            was_polled = true;
            self.vault().is_parked = true;
            std::task::Poll::Pending
        })
        .await;
    }
}
