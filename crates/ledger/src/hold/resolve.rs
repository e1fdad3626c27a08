//! The two ends of a hold: captured, the money leaves; released, it goes back where it came from.

use kernel::HoldId;
use sea_orm::DatabaseTransaction;

use super::rows::{self, Hold};
use crate::{Account, Ledger, LedgerError, Leg, NewJournal, Outcome, Purse};

impl Ledger {
    /// Ends the hold by a journal that takes exactly its amount out of the user's `held`.
    ///
    /// # Errors
    /// [`LedgerError::HoldEnded`] when another journal ended it; [`LedgerError::NoHold`]; [`LedgerError::Malformed`]
    /// when the journal takes another amount; or as [`post_in_txn`](Self::post_in_txn). The transaction must then be
    /// rolled back.
    pub async fn capture_hold_in_txn(
        &self,
        txn: &DatabaseTransaction,
        id: HoldId,
        journal: &NewJournal,
    ) -> Result<Outcome, LedgerError> {
        let hold = self.lock_hold(txn, id).await?;
        check_capture(&hold, journal)?;
        self.resolve(txn, id, &hold, "captured", journal).await
    }

    /// Ends the hold and gives the money back to the purses it came from, under the key.
    ///
    /// # Errors
    /// As [`capture_hold_in_txn`](Self::capture_hold_in_txn).
    pub async fn release_hold_in_txn(
        &self,
        txn: &DatabaseTransaction,
        id: HoldId,
        key: &str,
    ) -> Result<Outcome, LedgerError> {
        let hold = self.lock_hold(txn, id).await?;
        let journal = release_of(&hold, key)?;
        self.resolve(txn, id, &hold, "released", &journal).await
    }

    /// Locks the wallet first, as everybody does, and then the hold.
    async fn lock_hold(&self, txn: &DatabaseTransaction, id: HoldId) -> Result<Hold, LedgerError> {
        let user = rows::owner(txn, id).await?.ok_or(LedgerError::NoHold)?;
        self.lock_wallet_in_txn(txn, user).await?;
        rows::lock(txn, id).await?.ok_or(LedgerError::NoHold)
    }

    async fn resolve(
        &self,
        txn: &DatabaseTransaction,
        id: HoldId,
        hold: &Hold,
        status: &'static str,
        journal: &NewJournal,
    ) -> Result<Outcome, LedgerError> {
        // An ended hold is asked for no money: its end is looked up, and a journal that is new is never posted.
        if !hold.is_open {
            return self.known_end(txn, id, journal).await;
        }
        let outcome = self.post_in_txn(txn, journal).await?;
        match outcome {
            Outcome::Posted(posted) if !rows::resolve(txn, id, status, posted).await? => {
                Err(LedgerError::HoldEnded)
            }
            // The key named a journal while the hold was open: it was not this hold's end.
            Outcome::Known(_) => Err(LedgerError::KeyReused),
            Outcome::Posted(_) | Outcome::Refused(_) => Ok(outcome),
        }
    }

    async fn known_end(
        &self,
        txn: &DatabaseTransaction,
        id: HoldId,
        journal: &NewJournal,
    ) -> Result<Outcome, LedgerError> {
        match self.find_in_txn(txn, journal).await? {
            Some(Outcome::Known(known)) if rows::is_resolved_by(txn, id, known).await? => {
                Ok(Outcome::Known(known))
            }
            _ => Err(LedgerError::HoldEnded),
        }
    }
}

/// The journal that gives the money back.
fn release_of(hold: &Hold, key: &str) -> Result<NewJournal, LedgerError> {
    let legs = [(Purse::Available, hold.from_available), (Purse::Earnings, hold.from_earnings)]
        .into_iter()
        .filter(|(_, amount)| amount.amount() != 0)
        .map(|(purse, amount)| Leg::new((hold.user, Purse::Held), (hold.user, purse), amount))
        .collect();
    let (ref_type, ref_id) = (hold.ref_type.clone().into(), hold.ref_id.clone());
    NewJournal::about(key.to_owned(), hold.purpose.release(), ref_type, ref_id, legs)
}

/// Whether the journal takes what is held, all of it, from nobody else's `held`, and gives none of it back.
fn check_capture(hold: &Hold, journal: &NewJournal) -> Result<(), LedgerError> {
    let held = Account::User(hold.user, Purse::Held);
    let amount = hold.from_available.checked_add(hold.from_earnings).ok().ok_or(LedgerError::Overflow)?;
    let is_held = |account| matches!(account, Account::User(_, Purse::Held));
    let taken: i64 = journal.legs.iter().filter(|leg| leg.from == held).map(|leg| leg.amount.amount()).sum();
    let is_strange = |leg: &Leg| is_held(leg.to) || (is_held(leg.from) && leg.from != held);
    if taken != amount.amount() || journal.legs.iter().any(is_strange) {
        return Err(LedgerError::Malformed("it does not capture exactly what is held"));
    }
    Ok(())
}
