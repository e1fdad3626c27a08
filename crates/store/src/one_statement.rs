//! Several writes that go to PostgreSQL as one statement: one round trip, and a transaction in itself.
//!
//! Each write is a common table expression, and the later ones read from the earlier ones, so that they happen together or
//! not at all. All of them see the database as it was when the statement began; a row that is locked or updated is
//! looked at anew when its lock had to be waited for.

use sea_orm::{ConnectionTrait, DatabaseTransaction, Statement, Value};

use crate::{Engine, StoreError, txn};

/// Writes under names, to be made together.
#[derive(Debug, Clone, Default)]
pub struct OneStatement {
    sql: String,
    values: Vec<Value>,
    wakes: bool,
}

impl OneStatement {
    /// Adds a write, or a look with a lock, under a name that later ones may read from. The SQL has `?` for its values.
    #[must_use]
    pub fn with(mut self, name: &str, sql: &str, values: impl IntoIterator<Item = Value>) -> Self {
        let before = if self.sql.is_empty() { "WITH " } else { ", " };
        self.sql.extend([before, name, " AS (", sql, ")"]);
        self.values.extend(values);
        self
    }

    /// Makes the writes in the caller's transaction.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn write_in_txn(self, txn: &DatabaseTransaction) -> Result<(), StoreError> {
        txn.execute_raw(Engine::Postgres.statement(&format!("{} SELECT 1", self.sql), self.values)).await?;
        if self.wakes {
            txn::wake_at_commit();
        }
        Ok(())
    }

    /// Says that jobs or events are among the writes, so that workers are woken.
    pub(crate) fn waking(self) -> Self {
        Self { wakes: true, ..self }
    }

    /// Whether workers are to be woken.
    pub(crate) fn wakes(&self) -> bool {
        self.wakes
    }

    /// The statement, which answers with the rows of that name.
    pub fn answering(&self, name: &str) -> Statement {
        Engine::Postgres.statement(&format!("{} SELECT * FROM {name}", self.sql), self.values.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_writes_are_expressions_of_one_statement_and_keep_their_values_in_order() {
        let writes = OneStatement::default()
            .with("a", "INSERT INTO t VALUES (?) RETURNING n", [1.into()])
            .with("b", "INSERT INTO u SELECT n, ? FROM a", [2.into()]);
        let statement = writes.answering("a");
        let sql = "WITH a AS (INSERT INTO t VALUES ($1) RETURNING n), b AS (INSERT INTO u SELECT n, $2 FROM a) SELECT * FROM a";
        assert_eq!(statement.sql, sql);
        assert_eq!(statement.values.unwrap().0, [1.into(), 2.into()]);
        assert!(!writes.wakes() && writes.waking().wakes());
    }
}
