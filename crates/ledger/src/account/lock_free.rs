//! Locking the wallets of several users in one statement, on PostgreSQL alone.

use std::collections::HashMap;

use kernel::UserId;
use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult};
use store::{Engine, StoreError, array};
use uuid::Uuid;

use super::{Balances, rows};
use crate::{Ledger, LedgerError};

impl Ledger {
    /// Locks those of the users' wallets that are there and that nobody else has locked, in the order of the users' ids, and
    /// tells what they hold.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lock_free_wallets_in_txn(
        &self,
        txn: &DatabaseTransaction,
        users: &[UserId],
    ) -> Result<HashMap<UserId, Balances>, LedgerError> {
        let select = Engine::Postgres.statement(
            "SELECT user_id, available, held, promo, earnings, debt, version, frozen FROM ledger_wallets \
             WHERE user_id = ANY (CAST(? AS uuid[])) ORDER BY user_id FOR UPDATE SKIP LOCKED",
            [array(users.iter().map(Some))],
        );
        let rows = txn.query_all_raw(select).await.map_err(StoreError::from)?;
        let wallet = |row: &QueryResult| Ok((row.try_get::<Uuid>("", "user_id")?.into(), rows::read(row)?));
        Ok(rows.iter().map(wallet).collect::<Result<_, StoreError>>()?)
    }
}
