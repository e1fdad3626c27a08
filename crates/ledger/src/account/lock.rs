//! Holding a wallet still while a flow decides what to post.

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
}
