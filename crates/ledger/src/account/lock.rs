//! What a wallet holds while a flow decides what to post: held still, or as it is at a glance.

use kernel::UserId;
use sea_orm::DatabaseTransaction;

use super::{Balances, rows};
use crate::{Ledger, LedgerError};

impl Ledger {
    /// Locks the user's wallet until the transaction ends and tells what it holds; makes an empty one where there is
    /// none. Whoever locks several does so in the order of the users' ids, as posting does.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lock_wallet_in_txn(
        &self,
        txn: &DatabaseTransaction,
        user: UserId,
    ) -> Result<Balances, LedgerError> {
        Ok(rows::lock(txn, user, self.ambient.now()).await?)
    }

    /// What the user's wallet holds at this moment, if there is one. Nothing holds it still: whoever posts by it says by its
    /// version what they have seen.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn glance(&self, user: UserId) -> Result<Option<Balances>, LedgerError> {
        Ok(rows::find(self.db.reader()?, user, "").await?)
    }
}
