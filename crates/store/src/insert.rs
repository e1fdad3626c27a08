//! Inserting with the same meaning on all three engines: unless it is there, and many rows at a time.

use sea_orm::{ConnectionTrait, DatabaseTransaction, Statement};

use crate::error::is_unique_violation;
use crate::{Engine, StoreError};

/// The most rows of one statement, a power of two: what follows from telling a crowd takes few of them, and each stays
/// within what the engines take as parameters.
const ROWS: usize = 256;

/// The rows in their order, in pieces for a statement each. Their sizes are powers of two, so that connections have few
/// different statements to keep prepared.
pub fn pieces<T>(mut rest: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let size = (1_usize << rest.len().checked_ilog2()?).min(ROWS);
        let (piece, after) = rest.split_at(size);
        rest = after;
        Some(piece)
    })
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_have_the_sizes_of_few_statements_and_keep_the_order() {
        let rows: Vec<usize> = (0..553).collect();
        let sizes: Vec<_> = pieces(&rows).map(<[_]>::len).collect();
        assert_eq!(sizes, [256, 256, 32, 8, 1]);
        assert_eq!(pieces(&rows).flatten().copied().collect::<Vec<_>>(), rows);
        assert_eq!(pieces::<usize>(&[]).count(), 0);
    }
}
