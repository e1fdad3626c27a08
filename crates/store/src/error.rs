//! What can go wrong at the database, and which of it a second try may cure.

use std::time::Duration;

use kernel::{DomainError, ErrorKind};
use sea_orm::sqlx::error::DatabaseError;
use sea_orm::{DbErr, RuntimeErr, SqlErr, sqlx};
use thiserror::Error;

/// A failure of the database or of a rule that this crate keeps.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The database refused or failed.
    #[error("the database failed: {0}")]
    Database(#[source] DbErr),
    /// The URL's scheme is none of the three engines'.
    #[error("the database URL must begin with sqlite://, postgres:// or mysql://")]
    UnknownEngine,
    /// Something inside a transaction asked for a second connection.
    #[error("a second connection was asked for inside a transaction")]
    SecondConnection,
    /// The MariaDB or MySQL database is not utf8mb4 and would refuse or mangle text.
    #[error("the database's character set is {0}: create it with CHARACTER SET utf8mb4")]
    CharacterSet(String),
    /// The job, event or key was taken by somebody else after the lease ran out.
    #[error("the lease was lost: somebody else has taken over")]
    LeaseLost,
    /// Somebody else wrote the same at the same moment; the next try finds it.
    #[error("somebody else wrote the same at the same moment")]
    Overtaken,
    /// A stored value cannot be read back.
    #[error("a stored value cannot be read: {0}")]
    Corrupt(String),
}

/// An error that can come out of a transaction's closure; `in_txn` looks into it to decide on a second try.
/// Implement it with [`store_errors!`](crate::store_errors).
pub trait TxnError: From<StoreError> {
    /// The store's error within, if that is what it is.
    fn as_store(&self) -> Option<&StoreError>;
}

impl TxnError for StoreError {
    fn as_store(&self) -> Option<&StoreError> {
        Some(self)
    }
}

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        Self::Database(error)
    }
}

/// Lets a domain's error enum with a variant `Store(#[from] StoreError)` be used with `?` on sea-orm calls and
/// come out of [`Database::in_txn`](crate::Database::in_txn).
#[macro_export]
macro_rules! store_errors {
    ($error:ident) => {
        impl From<sea_orm::DbErr> for $error {
            fn from(error: sea_orm::DbErr) -> Self {
                Self::Store($crate::StoreError::from(error))
            }
        }

        impl $crate::TxnError for $error {
            fn as_store(&self) -> Option<&$crate::StoreError> {
                match self {
                    Self::Store(error) => Some(error),
                    _ => None,
                }
            }
        }
    };
}

impl StoreError {
    /// Whether running the whole transaction again may succeed: a deadlock, a serialisation failure, a lock
    /// wait that timed out, a busy SQLite database, or a row that somebody else was quicker to write.
    pub fn is_transient(&self) -> bool {
        if matches!(self, Self::Overtaken) {
            return true;
        }
        let Some(error) = self.database_error() else {
            return false;
        };
        if let Some(pg) = error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>() {
            return matches!(pg.code(), "40001" | "40P01" | "55P03");
        }
        if let Some(my) = error.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>() {
            return matches!(my.number(), 1205 | 1213);
        }
        // SQLite's extended codes keep the primary one in the low byte: 5 is BUSY, 6 is LOCKED.
        error
            .code()
            .and_then(|code| code.parse::<u32>().ok())
            .is_some_and(|code| matches!(code & 0xff, 5 | 6))
            && error.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some()
    }

    /// Whether a unique key refused the row.
    pub fn is_unique_violation(&self) -> bool {
        matches!(self, Self::Database(error) if is_unique_violation(error))
    }

    /// Whether the server cut a statement that ran for too long: PostgreSQL's `query_canceled`, MariaDB's
    /// `ER_STATEMENT_TIMEOUT`. Running it again would take as long.
    fn is_cut_off(&self) -> bool {
        let Some(error) = self.database_error() else {
            return false;
        };
        if let Some(pg) = error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>() {
            return pg.code() == "57014";
        }
        error.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>().is_some_and(|my| my.number() == 1969)
    }

    fn database_error(&self) -> Option<&dyn DatabaseError> {
        let Self::Database(DbErr::Conn(cause) | DbErr::Exec(cause) | DbErr::Query(cause)) = self else {
            return None;
        };
        match cause {
            RuntimeErr::SqlxError(error) => match error.as_ref() {
                sqlx::Error::Database(inner) => Some(inner.as_ref()),
                _ => None,
            },
            RuntimeErr::Internal(_) => None,
        }
    }

    /// Whether the database could not be reached or had no connection free in time.
    fn is_unavailable(&self) -> bool {
        match self {
            Self::Database(DbErr::ConnectionAcquire(_)) => true,
            Self::Database(
                DbErr::Conn(RuntimeErr::SqlxError(e))
                | DbErr::Exec(RuntimeErr::SqlxError(e))
                | DbErr::Query(RuntimeErr::SqlxError(e)),
            ) => {
                matches!(e.as_ref(), sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed)
            }
            _ => false,
        }
    }
}

/// Whether a unique key refused the row.
pub(crate) fn is_unique_violation(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
}

impl DomainError for StoreError {
    fn kind(&self) -> ErrorKind {
        if self.is_unavailable() || self.is_transient() || self.is_cut_off() {
            ErrorKind::Unavailable
        } else {
            ErrorKind::Internal
        }
    }

    fn code(&self) -> &'static str {
        if self.kind() == ErrorKind::Unavailable { "database_unavailable" } else { "internal" }
    }

    fn retry_after(&self) -> Option<Duration> {
        (self.kind() == ErrorKind::Unavailable).then_some(Duration::from_secs(1))
    }
}
