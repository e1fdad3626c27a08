//! Setting money aside.

use kernel::HoldId;
use sea_orm::DatabaseTransaction;
use store::StoreError;

use super::{HoldOutcome, NewHold, rows};
use crate::{Ledger, LedgerError, Leg, NewJournal, Outcome, Purse};

impl Ledger {
    /// Moves the money into the user's `held` and writes the hold, once for its key and its reference.
    ///
    /// # Errors
    /// [`LedgerError::AlreadyHeld`] when another key holds money for the same reference, or as
    /// [`post_in_txn`](Self::post_in_txn); the transaction must then be rolled back.
    pub async fn open_hold_in_txn(
        &self,
        txn: &DatabaseTransaction,
        new: &NewHold,
    ) -> Result<HoldOutcome, LedgerError> {
        match self.post_in_txn(txn, &journal_of(new)?).await? {
            Outcome::Posted(journal) => {
                let id: HoldId = self.ambient.new_id();
                let amount = new.from_available.checked_add(new.from_earnings).ok();
                let amount = amount.ok_or(LedgerError::Overflow)?;
                if !rows::insert(txn, id, new, amount, journal).await? {
                    return Err(LedgerError::AlreadyHeld);
                }
                Ok(HoldOutcome::Posted(id, journal))
            }
            Outcome::Known(journal) => {
                let id = rows::opened_by(txn, journal).await?;
                let id =
                    id.ok_or_else(|| StoreError::Corrupt(format!("journal {journal} opened no hold")))?;
                Ok(HoldOutcome::Known(id, journal))
            }
            Outcome::Refused(refusal) => Ok(HoldOutcome::Refused(refusal)),
        }
    }
}

fn journal_of(new: &NewHold) -> Result<NewJournal, LedgerError> {
    let legs = [(Purse::Available, new.from_available), (Purse::Earnings, new.from_earnings)]
        .into_iter()
        .filter(|(_, amount)| amount.amount() != 0)
        .map(|(purse, amount)| Leg::new((new.user, purse), (new.user, Purse::Held), amount))
        .collect();
    let journal = NewJournal::new(new.key.as_str(), new.purpose.opening(), new.reference.clone(), legs)?;
    Ok(match &new.actor {
        Some(actor) => journal.by(actor),
        None => journal,
    })
}
