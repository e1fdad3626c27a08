//! The three engines, and the few ways in which SQL for them differs.

use std::fmt;

use sea_orm::{DbBackend, Statement, Value};

/// A database engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Engine {
    /// SQLite, embedded.
    Sqlite,
    /// PostgreSQL.
    Postgres,
    /// MariaDB, or MySQL, which speaks the same protocol.
    MariaDb,
}

impl Engine {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Sqlite, Self::Postgres, Self::MariaDb];

    /// The engine of a backend of sea-orm.
    pub fn of(backend: DbBackend) -> Self {
        match backend {
            DbBackend::Postgres => Self::Postgres,
            DbBackend::MySql => Self::MariaDb,
            _ => Self::Sqlite,
        }
    }

    /// The engine that a database URL names by its scheme.
    pub fn of_url(url: &str) -> Option<Self> {
        let scheme = url.split_once(':').map(|(scheme, _)| scheme)?;
        match scheme {
            "sqlite" => Some(Self::Sqlite),
            "postgres" | "postgresql" => Some(Self::Postgres),
            "mysql" | "mariadb" => Some(Self::MariaDb),
            _ => None,
        }
    }

    /// The backend of sea-orm.
    pub fn backend(self) -> DbBackend {
        match self {
            Self::Sqlite => DbBackend::Sqlite,
            Self::Postgres => DbBackend::Postgres,
            Self::MariaDb => DbBackend::MySql,
        }
    }

    /// A statement written with `?` for its values, whatever the engine calls them. The SQL must not hold a `?` in
    /// a literal or an operator.
    pub fn statement(self, sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
        let sql = match self {
            Self::Sqlite | Self::MariaDb => sql.to_owned(),
            Self::Postgres => numbered(sql),
        };
        Statement::from_sql_and_values(self.backend(), sql, values)
    }

    /// What ends a `SELECT` to lock its rows; SQLite locks the whole database when the transaction begins.
    pub fn for_update(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres | Self::MariaDb => " FOR UPDATE",
        }
    }

    /// The same, passing over rows that somebody else has locked.
    pub fn for_update_skip_locked(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres | Self::MariaDb => " FOR UPDATE SKIP LOCKED",
        }
    }

    /// `?, ?, ?` for a list of `n` values.
    pub fn placeholders(n: usize) -> String {
        vec!["?"; n].join(", ")
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
            Self::MariaDb => "mariadb",
        })
    }
}

/// `?` becomes `$1`, `$2`, …
fn numbered(sql: &str) -> String {
    let mut out = String::with_capacity(sql.len() + 16);
    let mut parts = sql.split('?');
    if let Some(first) = parts.next() {
        out.push_str(first);
    }
    for (index, part) in parts.enumerate() {
        out.push('$');
        out.push_str(&(index + 1).to_string());
        out.push_str(part);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postgres_numbers_its_values() {
        let statement = Engine::Postgres.statement("UPDATE t SET a = ? WHERE b = ?", [1.into(), 2.into()]);
        assert_eq!(statement.sql, "UPDATE t SET a = $1 WHERE b = $2");
        assert_eq!(Engine::MariaDb.statement("a = ?", [1.into()]).sql, "a = ?");
    }

    #[test]
    fn a_url_names_its_engine() {
        assert_eq!(Engine::of_url("sqlite://x.db"), Some(Engine::Sqlite));
        assert_eq!(Engine::of_url("postgresql://h/d"), Some(Engine::Postgres));
        assert_eq!(Engine::of_url("mysql://h/d"), Some(Engine::MariaDb));
        assert_eq!(Engine::of_url("mongodb://h/d"), None);
    }
}
