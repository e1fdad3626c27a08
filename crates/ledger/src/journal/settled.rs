//! What became of a journal, the reuse of its key among the answers: in a batch it must not fail the others.

use kernel::JournalId;

use super::{Outcome, Refusal};
use crate::LedgerError;

/// What became of a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settled {
    /// It was written now.
    Posted(JournalId),
    /// It had been written before.
    Known(JournalId),
    /// It was refused, now or before.
    Refused(Refusal),
    /// Its key belongs to something else.
    Reused,
}

impl Settled {
    /// As callers are told.
    pub(crate) fn outcome(self) -> Result<Outcome, LedgerError> {
        match self {
            Self::Posted(journal) => Ok(Outcome::Posted(journal)),
            Self::Known(journal) => Ok(Outcome::Known(journal)),
            Self::Refused(refusal) => Ok(Outcome::Refused(refusal)),
            Self::Reused => Err(LedgerError::KeyReused),
        }
    }
}
