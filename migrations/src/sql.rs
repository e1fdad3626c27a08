//! One schema for three engines: SQL text in which the types that differ are named in braces.
//!
//! | token | SQLite | PostgreSQL | MariaDB |
//! |---|---|---|---|
//! | `{id}` | BLOB | UUID | BINARY(16) |
//! | `{instant}` | TEXT | TIMESTAMPTZ | DATETIME(6) |
//! | `{json}` | TEXT | JSONB | JSON |
//! | `{text}` | TEXT | TEXT | MEDIUMTEXT |
//! | `{bytes}` | BLOB | BYTEA | LONGBLOB |
//! | `{position}` | INTEGER PRIMARY KEY AUTOINCREMENT | BIGSERIAL PRIMARY KEY | BIGINT AUTO_INCREMENT PRIMARY KEY |
//!
//! Every MariaDB table is utf8mb4 with the binary collation, so that keys are case-sensitive there too.

use sea_orm::{ConnectionTrait, DbErr, RuntimeErr, sqlx};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};
use store::Engine;

/// One step of a migration.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Step {
    /// A table: its name and what stands between the brackets.
    Table(&'static str, &'static str),
    /// One more column of a table: its name and type.
    Column(&'static str, &'static str),
    /// An index: its name, its table, and its columns.
    Index(&'static str, &'static str, &'static str),
    /// An index over some rows only; MariaDB, which has no such thing, indexes all of them.
    IndexWhere(&'static str, &'static str, &'static str, &'static str),
    /// Triggers that refuse to change or remove a row of the table, whoever asks. PostgreSQL's function for it comes
    /// with the store's tables.
    AppendOnly(&'static str),
    /// Statements that only one engine has; each list may be empty.
    Each {
        /// For SQLite.
        sqlite: &'static [&'static str],
        /// For PostgreSQL.
        postgres: &'static [&'static str],
        /// For MariaDB.
        mariadb: &'static [&'static str],
    },
}

/// A named list of steps.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SqlMigration {
    name: &'static str,
    steps: &'static [Step],
}

impl SqlMigration {
    pub(crate) const fn new(name: &'static str, steps: &'static [Step]) -> Self {
        Self { name, steps }
    }

    /// Everything it runs on an engine.
    pub(crate) fn text(&self, engine: Engine) -> String {
        self.steps.iter().flat_map(|step| step.render(engine)).collect::<Vec<_>>().join(";\n")
    }
}

impl MigrationName for SqlMigration {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for SqlMigration {
    #[expect(elided_lifetimes_in_paths, reason = "async_trait needs the trait's own spelling")]
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let engine = Engine::of(manager.get_database_backend());
        for step in self.steps {
            for sql in step.render(engine) {
                match manager.get_connection().execute_unprepared(&sql).await {
                    Err(error) if is_there_already(&error) => {}
                    Err(error) => return Err(error),
                    Ok(_) => {}
                }
            }
        }
        Ok(())
    }
}

impl Step {
    fn render(self, engine: Engine) -> Vec<String> {
        // MySQL has no IF NOT EXISTS for indexes and columns, nor has SQLite for columns; what is there already is
        // passed over instead.
        let if_absent = if engine == Engine::MariaDb { "" } else { "IF NOT EXISTS " };
        match self {
            Self::Table(name, columns) => {
                let suffix = match engine {
                    Engine::MariaDb => " ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin",
                    Engine::Sqlite | Engine::Postgres => "",
                };
                vec![format!("CREATE TABLE IF NOT EXISTS {name} ({}){suffix}", types(columns, engine))]
            }
            Self::Column(table, column) => {
                let if_absent = if engine == Engine::Postgres { "IF NOT EXISTS " } else { "" };
                vec![format!("ALTER TABLE {table} ADD COLUMN {if_absent}{}", types(column, engine))]
            }
            Self::Index(name, table, columns) => {
                vec![format!("CREATE INDEX {if_absent}{name} ON {table} ({columns})")]
            }
            Self::IndexWhere(name, table, columns, condition) => {
                let filter =
                    if engine == Engine::MariaDb { String::new() } else { format!(" WHERE {condition}") };
                vec![format!("CREATE INDEX {if_absent}{name} ON {table} ({columns}){filter}")]
            }
            Self::AppendOnly(table) => append_only(table, engine),
            Self::Each { sqlite, postgres, mariadb } => {
                let statements = match engine {
                    Engine::Sqlite => sqlite,
                    Engine::Postgres => postgres,
                    Engine::MariaDb => mariadb,
                };
                statements.iter().map(|sql| types(sql, engine)).collect()
            }
        }
    }
}

fn append_only(table: &str, engine: Engine) -> Vec<String> {
    let on_row = |action: &str| {
        let trigger = format!("CREATE TRIGGER IF NOT EXISTS {table}_no_{action} BEFORE {action} ON {table}");
        if engine == Engine::Sqlite {
            format!("{trigger} BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END")
        } else {
            format!(
                "{trigger} FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '{table} is append-only'"
            )
        }
    };
    if engine != Engine::Postgres {
        return ["update", "delete"].map(on_row).to_vec();
    }
    vec![
        format!(
            "CREATE OR REPLACE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} \
             FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        ),
        format!(
            "CREATE OR REPLACE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} \
             FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        ),
    ]
}

fn types(sql: &str, engine: Engine) -> String {
    let names = match engine {
        Engine::Sqlite => ["BLOB", "TEXT", "TEXT", "TEXT", "BLOB", "INTEGER PRIMARY KEY AUTOINCREMENT"],
        Engine::Postgres => ["UUID", "TIMESTAMPTZ", "JSONB", "TEXT", "BYTEA", "BIGSERIAL PRIMARY KEY"],
        Engine::MariaDb => [
            "BINARY(16)",
            "DATETIME(6)",
            "JSON",
            "MEDIUMTEXT",
            "LONGBLOB",
            "BIGINT AUTO_INCREMENT PRIMARY KEY",
        ],
    };
    let tokens = ["{id}", "{instant}", "{json}", "{text}", "{bytes}", "{position}"];
    tokens.iter().zip(names).fold(sql.to_owned(), |sql, (token, name)| sql.replace(token, name))
}

/// Whether an index or a column of that name exists, from a run that was interrupted: MySQL's errors 1061 and 1060;
/// SQLite tells it in words alone.
fn is_there_already(error: &DbErr) -> bool {
    let (DbErr::Exec(cause) | DbErr::Query(cause)) = error else {
        return false;
    };
    let RuntimeErr::SqlxError(error) = cause else {
        return false;
    };
    let sqlx::Error::Database(inner) = error.as_ref() else {
        return false;
    };
    if let Some(mysql) = inner.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>() {
        return matches!(mysql.number(), 1060 | 1061);
    }
    inner.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some()
        && inner.message().starts_with("duplicate column name")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_written_for_each_engine() {
        let step = Step::Table("t", "id {id} PRIMARY KEY, at {instant}");
        assert_eq!(
            step.render(Engine::Sqlite),
            ["CREATE TABLE IF NOT EXISTS t (id BLOB PRIMARY KEY, at TEXT)"]
        );
        assert_eq!(
            step.render(Engine::Postgres),
            ["CREATE TABLE IF NOT EXISTS t (id UUID PRIMARY KEY, at TIMESTAMPTZ)"]
        );
        assert!(step.render(Engine::MariaDb).concat().ends_with("COLLATE=utf8mb4_bin"));
    }

    #[test]
    fn a_column_is_added_once() {
        let step = Step::Column("t", "at {instant} NULL");
        assert_eq!(
            step.render(Engine::Postgres),
            ["ALTER TABLE t ADD COLUMN IF NOT EXISTS at TIMESTAMPTZ NULL"]
        );
        assert_eq!(step.render(Engine::MariaDb), ["ALTER TABLE t ADD COLUMN at DATETIME(6) NULL"]);
    }

    #[test]
    fn a_partial_index_covers_everything_on_mariadb() {
        let step = Step::IndexWhere("ix", "t", "a", "b IS NULL");
        assert!(step.render(Engine::Postgres).concat().ends_with("WHERE b IS NULL"));
        assert_eq!(step.render(Engine::MariaDb), ["CREATE INDEX ix ON t (a)"]);
    }
}
