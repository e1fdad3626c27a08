//! Paying a debt out of what a wallet has.

use kernel::{JournalId, Money, UserId};
use sea_orm::DatabaseTransaction;

use super::{JournalKind, Leg, NewJournal, Reference, rows};
use crate::{Ledger, LedgerError, Purse};

impl Ledger {
    /// Pays as much of the user's debt as `available` reaches; call it after a credit. `cause` names what made it
    /// possible, such as the payment's id, and recovers at most once. `None` when there is nothing to recover, or the
    /// wallet is frozen.
    ///
    /// # Errors
    /// As [`post_in_txn`](Self::post_in_txn).
    pub async fn recover_debt_in_txn(
        &self,
        txn: &DatabaseTransaction,
        user: UserId,
        cause: &str,
    ) -> Result<Option<JournalId>, LedgerError> {
        let wallet = self.lock_wallet_in_txn(txn, user).await?;
        let owed = Money::inr(0).checked_sub(wallet.debt).ok().ok_or(LedgerError::Overflow)?;
        let amount = Money::inr(wallet.available.amount().min(owed.amount()));
        let key = format!("recover:{cause}");
        if let Some(journal) = rows::journal_of_key(txn, &key).await? {
            return Ok(Some(journal));
        }
        if amount.amount() == 0 || wallet.frozen {
            return Ok(None);
        }
        let legs = vec![Leg::new((user, Purse::Available), (user, Purse::Debt), amount)];
        let journal = NewJournal::new(key, JournalKind::Recovery, Reference::new("user", user), legs)?;
        Ok(self.post_in_txn(txn, &journal).await?.journal())
    }
}
