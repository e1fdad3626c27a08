//! Holds: money set aside under a name until it is captured or released, once.

mod open;
mod resolve;
mod rows;

use kernel::{Actor, HoldId, JournalId, Money, UserId};

use crate::{JournalKind, Reference, Refusal};

/// What money is set aside for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HoldPurpose {
    /// A refund on its way to the source.
    Refund,
}

impl HoldPurpose {
    /// All of them.
    pub const ALL: [Self; 1] = [Self::Refund];

    /// As the database keeps it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refund => "refund",
        }
    }

    /// The purpose of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.as_str() == name)
    }

    /// The kind of the journal that sets the money aside.
    const fn opening(self) -> JournalKind {
        match self {
            Self::Refund => JournalKind::RefundHold,
        }
    }

    /// The kind of the journal that gives it back.
    const fn release(self) -> JournalKind {
        match self {
            Self::Refund => JournalKind::RefundRelease,
        }
    }
}

/// Money to be set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewHold {
    /// The key of the journal that sets it aside.
    pub key: String,
    /// Whose money.
    pub user: UserId,
    /// What for.
    pub purpose: HoldPurpose,
    /// What it is about; one hold exists for one thing.
    pub reference: Reference,
    /// What is taken from `available`.
    pub from_available: Money,
    /// What is taken from `earnings`.
    pub from_earnings: Money,
    /// In whose name; the ledger itself, if nobody is named.
    pub actor: Option<Actor>,
}

impl NewHold {
    /// A hold on what is available.
    pub fn new(
        key: impl Into<String>,
        user: UserId,
        purpose: HoldPurpose,
        reference: Reference,
        amount: Money,
    ) -> Self {
        Self {
            key: key.into(),
            user,
            purpose,
            reference,
            from_available: amount,
            from_earnings: Money::inr(0),
            actor: None,
        }
    }

    /// In whose name.
    #[must_use]
    pub fn by(mut self, actor: &Actor) -> Self {
        self.actor = Some(*actor);
        self
    }
}

/// What became of a hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldOutcome {
    /// The money was set aside now.
    Posted(HoldId, JournalId),
    /// It had been set aside under this key; the hold may have ended since.
    Known(HoldId, JournalId),
    /// It was refused, now or before. The refusal is written in the transaction, which must be committed.
    Refused(Refusal),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_purpose_is_known_by_its_name_again() {
        assert_eq!(HoldPurpose::Refund.as_str(), "refund");
        assert_eq!(HoldPurpose::parse("refund"), Some(HoldPurpose::Refund));
        assert_eq!(HoldPurpose::parse(""), None);
    }
}
