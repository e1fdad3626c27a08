//! What can go wrong in the ledger. What a wallet refuses is no error: see [`Refusal`](crate::Refusal).

use kernel::{DomainError, ErrorKind, FieldError, InvalidInput, JournalId};
use store::StoreError;
use thiserror::Error;

/// Something could not be posted or read; nothing was changed.
#[derive(Debug, Error)]
pub enum LedgerError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A query of a reader is not well formed.
    #[error(transparent)]
    Invalid(#[from] InvalidInput),
    /// The journal is not well formed: a fault of the code that made it.
    #[error("a journal is malformed: {0}")]
    Malformed(&'static str),
    /// The key belongs to a journal, or to a refusal, of another content.
    #[error("this key was used for another journal")]
    KeyReused,
    /// A balance would not fit 64 bits.
    #[error("a balance would be out of range")]
    Overflow,
    /// There is no such journal.
    #[error("there is no journal {0}")]
    NoJournal(JournalId),
    /// A reversal, or a journal that opened or ended a hold.
    #[error("journal {0} cannot be reversed")]
    NotReversible(JournalId),
    /// The journal was reversed before, for another reason.
    #[error("journal {0} has been reversed")]
    AlreadyReversed(JournalId),
    /// There is no such hold.
    #[error("there is no such hold")]
    NoHold,
    /// A hold exists for the same thing.
    #[error("money is already held for this")]
    AlreadyHeld,
    /// The hold was captured or released before.
    #[error("the hold has ended")]
    HoldEnded,
    /// Nobody knows whether the journal was posted: the same key asked again tells.
    #[error("the ledger did not answer in time: try again with the same key")]
    Unanswered,
}

store::store_errors!(LedgerError);

impl DomainError for LedgerError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Store(error) => error.kind(),
            Self::Invalid(error) => error.kind(),
            Self::KeyReused | Self::AlreadyReversed(_) | Self::AlreadyHeld | Self::HoldEnded => {
                ErrorKind::Conflict
            }
            Self::NotReversible(_) => ErrorKind::Unprocessable,
            Self::NoJournal(_) | Self::NoHold => ErrorKind::NotFound,
            Self::Unanswered => ErrorKind::Unavailable,
            Self::Malformed(_) | Self::Overflow => ErrorKind::Internal,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Store(error) => error.code(),
            Self::Invalid(error) => error.code(),
            Self::Malformed(_) | Self::Overflow => "internal",
            Self::KeyReused => "journal_key_reused",
            Self::NoJournal(_) => "journal_not_found",
            Self::NotReversible(_) => "journal_not_reversible",
            Self::AlreadyReversed(_) => "journal_already_reversed",
            Self::NoHold => "hold_not_found",
            Self::AlreadyHeld => "already_held",
            Self::HoldEnded => "hold_ended",
            Self::Unanswered => "ledger_unavailable",
        }
    }

    fn fields(&self) -> &[FieldError] {
        match self {
            Self::Invalid(error) => error.fields(),
            _ => &[],
        }
    }

    fn retry_after(&self) -> Option<std::time::Duration> {
        match self {
            Self::Store(error) => error.retry_after(),
            Self::Unanswered => Some(std::time::Duration::from_secs(1)),
            _ => None,
        }
    }
}
