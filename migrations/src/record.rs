//! The database's own record of the migrations that were run on it, for users who may read it and not make it.

use std::collections::HashSet;

use ::store::{Database, Engine, StoreError};
use sea_orm::ConnectionTrait;

/// The names of the migrations that were run; none on a database that was never migrated.
pub(crate) async fn names(db: &Database) -> Result<HashSet<String>, StoreError> {
    let reader = db.reader()?;
    let tables = match db.engine() {
        Engine::Sqlite => "SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'seaql_migrations'",
        Engine::Postgres => {
            "SELECT table_name FROM information_schema.tables \
             WHERE table_schema = CURRENT_SCHEMA() AND table_name = 'seaql_migrations'"
        }
        Engine::MariaDb => {
            "SELECT table_name FROM information_schema.tables \
             WHERE table_schema = DATABASE() AND table_name = 'seaql_migrations'"
        }
    };
    if reader.query_one_raw(db.engine().statement(tables, [])).await?.is_none() {
        return Ok(HashSet::new());
    }
    let select = db.engine().statement("SELECT version FROM seaql_migrations", []);
    let rows = reader.query_all_raw(select).await?;
    rows.iter().map(|row| Ok(row.try_get("", "version")?)).collect()
}
