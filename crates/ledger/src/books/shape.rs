//! Which rows of a wallet's history a journal shows.

use kernel::ParseError;
use serde::{Deserialize, Serialize};

use crate::account::House;
use crate::journal::JournalKind;

/// What a row of a wallet's history says.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TransactionType {
    /// Money was paid in.
    CreditTopup,
    /// What a boost had cost came back.
    CreditRefund,
    /// Promotional credit was given.
    CreditBonus,
    /// A correction in the user's favour.
    CreditAdjustment,
    /// A boost was bought.
    DebitBoost,
    /// A featured place was bought.
    DebitFeature,
    /// Money was paid out.
    DebitPayout,
    /// What a payout cost.
    DebitFee,
    /// A payment went back to where it came from.
    DebitRefund,
    /// A correction to the user's disadvantage.
    DebitAdjustment,
    /// A dispute over a payment was lost.
    DebitDispute,
    /// Promotional credit ran out.
    DebitExpiry,
    /// What the user owed was taken from what came in.
    DebitRecovery,
    /// Money was set aside.
    Hold,
    /// Money that had been set aside is free again.
    Release,
}

impl TransactionType {
    /// All of them, credits first.
    pub const ALL: [Self; 15] = [
        Self::CreditTopup,
        Self::CreditRefund,
        Self::CreditBonus,
        Self::CreditAdjustment,
        Self::DebitBoost,
        Self::DebitFeature,
        Self::DebitPayout,
        Self::DebitFee,
        Self::DebitRefund,
        Self::DebitAdjustment,
        Self::DebitDispute,
        Self::DebitExpiry,
        Self::DebitRecovery,
        Self::Hold,
        Self::Release,
    ];

    /// The type as it is written on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CreditTopup => "CREDIT_TOPUP",
            Self::CreditRefund => "CREDIT_REFUND",
            Self::CreditBonus => "CREDIT_BONUS",
            Self::CreditAdjustment => "CREDIT_ADJUSTMENT",
            Self::DebitBoost => "DEBIT_BOOST",
            Self::DebitFeature => "DEBIT_FEATURE",
            Self::DebitPayout => "DEBIT_PAYOUT",
            Self::DebitFee => "DEBIT_FEE",
            Self::DebitRefund => "DEBIT_REFUND",
            Self::DebitAdjustment => "DEBIT_ADJUSTMENT",
            Self::DebitDispute => "DEBIT_DISPUTE",
            Self::DebitExpiry => "DEBIT_EXPIRY",
            Self::DebitRecovery => "DEBIT_RECOVERY",
            Self::Hold => "HOLD",
            Self::Release => "RELEASE",
        }
    }
}

impl std::str::FromStr for TransactionType {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let found = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        found.ok_or_else(|| {
            let all = Self::ALL.map(Self::as_str).join(", ");
            ParseError::new("unknown_type", format!("must be one of {all}"))
        })
    }
}

/// Which way a journal moved the wallet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// All purses together rose, or stayed and more of it can be spent.
    Gain,
    /// Anything else.
    Loss,
}

impl Direction {
    pub(super) const ALL: [Self; 2] = [Self::Gain, Self::Loss];

    /// As the statements in `rows.rs` name it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Gain => "gain",
            Self::Loss => "loss",
        }
    }

    pub(super) fn find(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|direction| direction.as_str() == text)
    }
}

/// One row that a journal shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    /// What it says.
    pub(super) says: TransactionType,
    /// The house accounts whose legs are told by it; an empty list takes every leg that no part before it took.
    pub(super) with: &'static [House],
}

impl Part {
    /// Whether a leg between the user and the other account is told by this part.
    fn takes(&self, other: Option<House>) -> bool {
        self.with.is_empty() || other.is_some_and(|other| self.with.contains(&other))
    }
}

/// The part, by its number, that a leg between the user and the other account belongs to.
pub(super) fn part_of(parts: &[Part], other: Option<House>) -> Option<usize> {
    parts.iter().position(|part| part.takes(other))
}

/// The rows that a journal shows, in the order in which they happened. Every journal of the kind and direction has
/// legs for each of them, so that a page can be counted without reading the legs.
pub(super) fn parts(kind: JournalKind, direction: Direction) -> &'static [Part] {
    use TransactionType as T;
    const fn whole(says: TransactionType) -> Part {
        Part { says, with: &[] }
    }
    match (kind, direction) {
        // No wallet takes part.
        (JournalKind::GatewayFee | JournalKind::Unmatched | JournalKind::UnmatchedReturn, _) => &[],
        (JournalKind::TopUp, _) => const { &[whole(T::CreditTopup)] },
        (JournalKind::RefundHold, _) => const { &[whole(T::Hold)] },
        (JournalKind::RefundRelease, _) => const { &[whole(T::Release)] },
        (JournalKind::RefundDone | JournalKind::RefundElsewhere, _) => const { &[whole(T::DebitRefund)] },
        (JournalKind::BoostCharge, _) => const { &[whole(T::DebitBoost)] },
        (JournalKind::FeatureCharge, _) => const { &[whole(T::DebitFeature)] },
        (JournalKind::BoostRefund, _) => const { &[whole(T::CreditRefund)] },
        (JournalKind::Bonus, _) => const { &[whole(T::CreditBonus)] },
        (JournalKind::Recovery, _) => const { &[whole(T::DebitRecovery)] },
        (JournalKind::Reversal, Direction::Gain) => const { &[whole(T::CreditAdjustment)] },
        (JournalKind::Reversal, Direction::Loss) => const { &[whole(T::DebitAdjustment)] },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_reads_back_from_its_name() {
        for kind in TransactionType::ALL {
            assert_eq!(kind.as_str().parse::<TransactionType>().unwrap(), kind);
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        assert_eq!("credit_topup".parse::<TransactionType>().unwrap_err().code, "unknown_type");
    }

    #[test]
    fn each_leg_belongs_to_exactly_one_row() {
        // A completed payout: net to the bank, fee and tax kept.
        let payout = [
            Part { says: TransactionType::DebitPayout, with: &[House::PayoutsClearing] },
            Part { says: TransactionType::DebitFee, with: &[] },
        ];
        assert_eq!(part_of(&payout, Some(House::PayoutsClearing)), Some(0));
        assert_eq!(part_of(&payout, Some(House::RevenuePayoutFee)), Some(1));
        assert_eq!(part_of(&payout, None), Some(1));
    }

    #[test]
    fn the_last_row_of_a_journal_takes_every_leg_that_is_left() {
        for kind in JournalKind::ALL {
            for direction in Direction::ALL {
                let parts = parts(kind, direction);
                assert!(parts.last().is_none_or(|last| last.with.is_empty()), "{kind:?}");
                assert!(parts.iter().rev().skip(1).all(|part| !part.with.is_empty()), "{kind:?}");
            }
        }
    }
}
