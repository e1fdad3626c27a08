//! Undoing a journal by its exact mirror.

use kernel::{Actor, JournalId};
use sea_orm::DatabaseTransaction;

use super::{JournalKind, Leg, NewJournal, Outcome, rows};
use crate::{Account, Ledger, LedgerError, Purse};

impl Ledger {
    /// Posts the mirror of a journal, leg for leg, once. It can be refused as any other journal can, and stays refused
    /// then: what was spent since is not there to be taken back.
    ///
    /// # Errors
    /// [`LedgerError::NotReversible`] for a reversal, and for a journal that opened or ended a hold, which has an end of
    /// its own; [`LedgerError::AlreadyReversed`] when it was reversed for another reason; [`LedgerError::NoJournal`]; or
    /// as [`post_in_txn`](Self::post_in_txn).
    pub async fn reverse_in_txn(
        &self,
        txn: &DatabaseTransaction,
        journal: JournalId,
        actor: &Actor,
        reason: &str,
    ) -> Result<Outcome, LedgerError> {
        let original = rows::find_original(txn, journal).await?.ok_or(LedgerError::NoJournal(journal))?;
        let legs = rows::legs(txn, journal).await?;
        let is_held = |account| matches!(account, Account::User(_, Purse::Held));
        if original.is_reversal || legs.iter().any(|leg| is_held(leg.from) || is_held(leg.to)) {
            return Err(LedgerError::NotReversible(journal));
        }
        let mirror = legs.iter().map(|leg| Leg { from: leg.to, to: leg.from, amount: leg.amount }).collect();
        let (ref_type, ref_id) = (original.ref_type.into(), original.ref_id);
        let key = format!("rev:{journal}");
        let mut reversal = NewJournal::about(key, JournalKind::Reversal, ref_type, ref_id, mirror)?
            .by(actor)
            .because(reason);
        reversal.reverses = Some(journal);
        match self.post_in_txn(txn, &reversal).await {
            Err(LedgerError::KeyReused) => Err(LedgerError::AlreadyReversed(journal)),
            other => other,
        }
    }
}
