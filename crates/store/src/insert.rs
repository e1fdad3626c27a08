//! Inserting unless it is there, with the same meaning on all three engines.

use sea_orm::{ConnectionTrait, DatabaseTransaction, Statement};

use crate::error::is_unique_violation;
use crate::{Engine, StoreError};

/// Runs a plain `INSERT` and tells whether the row was new; if it was not, the transaction goes on all the same.
///
/// The insert waits for a concurrent transaction that wrote the same key, so "not new" means that it is committed.
///
/// # Errors
/// Any failure but the unique violation.
pub async fn insert_if_absent(txn: &DatabaseTransaction, mut insert: Statement) -> Result<bool, StoreError> {
    // PostgreSQL gives up the whole transaction after a violation, the others undo the statement alone. MariaDB has no
    // such words: its `IGNORE` would also pass over what does not fit.
    if Engine::of(txn.get_database_backend()) == Engine::Postgres {
        insert.sql.push_str(" ON CONFLICT DO NOTHING");
    }
    match txn.execute_raw(insert).await {
        Ok(done) => Ok(done.rows_affected() == 1),
        Err(error) if is_unique_violation(&error) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
