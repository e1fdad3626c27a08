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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use kernel::TypedId;
    use uuid::Uuid;

    use super::*;

    fn journal() -> JournalId {
        JournalId::from(Uuid::from_u128(7))
    }

    #[test]
    fn each_error_has_its_kind_and_code() {
        use LedgerError::{
            AlreadyHeld, AlreadyReversed, HoldEnded, Invalid, KeyReused, Malformed, NoHold, NoJournal,
            NotReversible, Overflow, Store, Unanswered,
        };
        let busy = || sea_orm::DbErr::ConnectionAcquire(sea_orm::ConnAcquireErr::Timeout);
        for (error, kind, code) in [
            (Store(StoreError::UnknownEngine), ErrorKind::Internal, "internal"),
            (Store(busy().into()), ErrorKind::Unavailable, "database_unavailable"),
            (Invalid(InvalidInput::field("from", "too_late", "no")), ErrorKind::Invalid, "invalid_input"),
            (Malformed("no leg"), ErrorKind::Internal, "internal"),
            (Overflow, ErrorKind::Internal, "internal"),
            (KeyReused, ErrorKind::Conflict, "journal_key_reused"),
            (NoJournal(journal()), ErrorKind::NotFound, "journal_not_found"),
            (NotReversible(journal()), ErrorKind::Unprocessable, "journal_not_reversible"),
            (AlreadyReversed(journal()), ErrorKind::Conflict, "journal_already_reversed"),
            (NoHold, ErrorKind::NotFound, "hold_not_found"),
            (AlreadyHeld, ErrorKind::Conflict, "already_held"),
            (HoldEnded, ErrorKind::Conflict, "hold_ended"),
            (Unanswered, ErrorKind::Unavailable, "ledger_unavailable"),
        ] {
            assert_eq!((error.kind(), error.code()), (kind, code), "{error:?}");
        }
    }

    #[test]
    fn a_malformed_query_names_its_fields_and_nothing_else_has_any() {
        let error = LedgerError::from(InvalidInput::field("from", "too_late", "must be before to"));
        let fields: Vec<_> = error.fields().iter().map(|field| field.field.as_str()).collect();
        assert_eq!(fields, ["from"]);
        assert!(LedgerError::NoHold.fields().is_empty());
    }

    #[test]
    fn what_may_succeed_in_a_moment_says_when() {
        let busy = sea_orm::DbErr::ConnectionAcquire(sea_orm::ConnAcquireErr::Timeout);
        let second = Some(Duration::from_secs(1));
        assert_eq!(LedgerError::Store(busy.into()).retry_after(), second);
        assert_eq!(LedgerError::Unanswered.retry_after(), second);
        assert_eq!(LedgerError::Store(StoreError::UnknownEngine).retry_after(), None);
        assert_eq!(LedgerError::KeyReused.retry_after(), None);
    }

    #[test]
    fn the_stores_error_within_decides_on_a_second_try() {
        use store::TxnError;
        assert!(LedgerError::from(StoreError::LeaseLost).as_store().is_some());
        assert!(LedgerError::NotReversible(JournalId::from(journal().uuid())).as_store().is_none());
    }
}
