//! Insert unless it is there: the one form that means the same on all three engines.

use sea_orm::{ConnectionTrait, DatabaseTransaction, Statement, TransactionTrait};

use crate::StoreError;
use crate::error::is_unique_violation;

/// Runs a plain `INSERT` behind a savepoint and tells whether the row was new.
///
/// A unique violation leaves the transaction usable: without the savepoint PostgreSQL would refuse everything
/// after it, and `ON CONFLICT` means other things on MariaDB. The insert waits for a concurrent transaction that
/// wrote the same key, so "not new" means that it is committed.
///
/// # Errors
/// Any failure but the unique violation.
pub async fn insert_if_absent(txn: &DatabaseTransaction, insert: Statement) -> Result<bool, StoreError> {
    let savepoint = txn.begin().await?;
    match savepoint.execute_raw(insert).await {
        Ok(_) => {
            savepoint.commit().await?;
            Ok(true)
        }
        Err(error) if is_unique_violation(&error) => {
            savepoint.rollback().await?;
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}
