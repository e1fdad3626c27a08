//! Journals: postings that belong together, under a key that names them once.

mod alone;
mod at_once;
mod batch;
mod digest;
mod movements;
mod plain;
mod post;
mod recover;
mod reverse;
pub(crate) mod rows;
mod rules;
mod settled;
mod together;

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use kernel::{Actor, JournalId, Money};

pub(crate) use digest::payload_hash;
pub(crate) use rules::{Change, Net};
pub(crate) use settled::Settled;

use crate::{Account, LedgerError};

/// Longest key, in bytes.
const MAX_KEY: usize = 160;
/// Longest id of a reference, in bytes.
const MAX_REFERENCE: usize = 64;
/// Longest reason, in characters; the rest is cut.
const MAX_REASON: usize = 200;
/// Most legs of one journal.
const MAX_LEGS: usize = 16;

/// A movement of money: `from` goes down by the amount, `to` goes up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leg {
    /// Where it leaves.
    pub from: Account,
    /// Where it arrives.
    pub to: Account,
    /// How much, above zero.
    pub amount: Money,
}

impl Leg {
    /// A movement between two accounts.
    pub fn new(from: impl Into<Account>, to: impl Into<Account>, amount: Money) -> Self {
        Self { from: from.into(), to: to.into(), amount }
    }
}

/// Why money moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JournalKind {
    /// A payment credits a wallet.
    TopUp,
    /// What the provider kept of a payment.
    GatewayFee,
    /// A captured payment that belongs to no user.
    Unmatched,
    /// It goes back to its source.
    UnmatchedReturn,
    /// Money of a refund is set aside.
    RefundHold,
    /// The refund reached the source.
    RefundDone,
    /// The refund failed.
    RefundRelease,
    /// A refund that was made at the provider.
    RefundElsewhere,
    /// A boost was bought.
    BoostCharge,
    /// A listing was featured.
    FeatureCharge,
    /// The unused part of a boost is given back.
    BoostRefund,
    /// A bonus was granted.
    Bonus,
    /// A debt was paid out of the wallet.
    Recovery,
    /// The exact mirror of another journal.
    Reversal,
}

impl JournalKind {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::TopUp,
        Self::GatewayFee,
        Self::Unmatched,
        Self::UnmatchedReturn,
        Self::RefundHold,
        Self::RefundDone,
        Self::RefundRelease,
        Self::RefundElsewhere,
        Self::BoostCharge,
        Self::FeatureCharge,
        Self::BoostRefund,
        Self::Bonus,
        Self::Recovery,
        Self::Reversal,
    ];

    /// As the database keeps it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TopUp => "top_up",
            Self::GatewayFee => "gateway_fee",
            Self::Unmatched => "unmatched",
            Self::UnmatchedReturn => "unmatched_return",
            Self::RefundHold => "refund_hold",
            Self::RefundDone => "refund_done",
            Self::RefundRelease => "refund_release",
            Self::RefundElsewhere => "refund_elsewhere",
            Self::BoostCharge => "boost_charge",
            Self::FeatureCharge => "feature_charge",
            Self::BoostRefund => "boost_refund",
            Self::Bonus => "bonus",
            Self::Recovery => "recovery",
            Self::Reversal => "reversal",
        }
    }

    /// The kind of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// What a journal is about: a payment, a boost, a refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// What sort of thing, at most 30 bytes: `payment`.
    pub kind: &'static str,
    /// Its id, at most 64 bytes.
    pub id: String,
}

impl Reference {
    /// A reference to a thing.
    pub fn new(kind: &'static str, id: impl ToString) -> Self {
        Self { kind, id: id.to_string() }
    }
}

/// A journal to be posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewJournal {
    pub(crate) key: String,
    pub(crate) kind: JournalKind,
    pub(crate) ref_type: Cow<'static, str>,
    pub(crate) ref_id: String,
    pub(crate) legs: Vec<Leg>,
    pub(crate) actor_type: &'static str,
    pub(crate) actor_id: String,
    pub(crate) reason: Option<String>,
    pub(crate) event_at: Option<DateTime<Utc>>,
    pub(crate) reverses: Option<JournalId>,
    /// What the legs come to.
    pub(crate) net: Net,
}

impl NewJournal {
    /// A journal of 1 to 16 legs in one currency, under a key of at most 160 bytes that nothing else uses.
    ///
    /// # Errors
    /// [`LedgerError::Malformed`] when it is none of that, or its amounts do not add up within 64 bits.
    pub fn new(
        key: impl Into<String>,
        kind: JournalKind,
        reference: Reference,
        legs: Vec<Leg>,
    ) -> Result<Self, LedgerError> {
        Self::about(key.into(), kind, reference.kind.into(), reference.id, legs)
    }

    pub(crate) fn about(
        key: String,
        kind: JournalKind,
        ref_type: Cow<'static, str>,
        ref_id: String,
        legs: Vec<Leg>,
    ) -> Result<Self, LedgerError> {
        if key.is_empty() || key.len() > MAX_KEY {
            return Err(LedgerError::Malformed("its key must have 1 to 160 bytes"));
        }
        if ref_type.len() > 30 || ref_id.len() > MAX_REFERENCE {
            return Err(LedgerError::Malformed("its reference must have at most 30 and 64 bytes"));
        }
        rules::check_legs(&legs)?;
        Ok(Self {
            net: rules::net(&legs),
            key,
            kind,
            ref_type,
            ref_id,
            legs,
            actor_type: "system",
            actor_id: "ledger".to_owned(),
            reason: None,
            event_at: None,
            reverses: None,
        })
    }

    /// In whose name; the ledger itself, if nobody is named.
    #[must_use]
    pub fn by(mut self, actor: &Actor) -> Self {
        self.actor_type = actor.kind();
        self.actor_id = actor.name();
        self
    }

    /// Why, in a sentence of up to 200 characters.
    #[must_use]
    pub fn because(mut self, reason: &str) -> Self {
        self.reason = Some(reason.chars().take(MAX_REASON).collect());
        self
    }

    /// When it happened in the world; the moment of posting, if not told.
    #[must_use]
    pub fn at(mut self, event_at: DateTime<Utc>) -> Self {
        self.event_at = Some(event_at);
        self
    }

    /// The key that names it.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Why money moves.
    pub fn kind(&self) -> JournalKind {
        self.kind
    }

    /// The movements.
    pub fn legs(&self) -> &[Leg] {
        &self.legs
    }
}

/// What became of a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was written now.
    Posted(JournalId),
    /// The same journal had been written under its key.
    Known(JournalId),
    /// It was refused, now or before. The refusal is written in the transaction, which must be committed.
    Refused(Refusal),
}

impl Outcome {
    /// The journal, unless it was refused.
    pub fn journal(self) -> Option<JournalId> {
        match self {
            Self::Posted(journal) | Self::Known(journal) => Some(journal),
            Self::Refused(_) => None,
        }
    }
}

/// Why a wallet refused a journal. What was refused under a key stays refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// An account would pass its floor: a purse would go below zero, or a debt above.
    InsufficientFunds,
    /// The wallet is frozen, and the journal would take something out of it.
    Frozen,
}

impl Refusal {
    /// Both.
    pub const ALL: [Self; 2] = [Self::InsufficientFunds, Self::Frozen];

    /// A stable code, also what the database keeps.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InsufficientFunds => "insufficient_funds",
            Self::Frozen => "wallet_frozen",
        }
    }

    /// The refusal of a code.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|refusal| refusal.as_str() == code)
    }
}
