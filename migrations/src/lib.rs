//! The schema: one module per domain, forward only, run under a lock by `gateway migrate` and at start.
//!
//! A migration is never edited once it has shipped: the next one expands the schema, and a later one contracts it
//! when no running version needs the old form. Statements can be run again after an interrupted run, because
//! MariaDB commits each DDL statement on its own.

mod catalog;
mod identity;
mod ledger;
mod lock;
mod moderation;
mod notify;
mod payments;
mod platform;
mod record;
mod sql;
mod store;

use std::hash::{DefaultHasher, Hash, Hasher};

use ::store::{Database, DatabaseConfig, Engine, StoreError};
use sea_orm_migration::{MigrationName, MigrationTrait, MigratorTraitSelf};
use thiserror::Error;

use crate::sql::SqlMigration;

/// Which part of the schema to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// All of it.
    All,
    /// The store's tables and one domain's, to test the domain alone.
    Domain(Domain),
    /// The store's tables alone.
    Store,
}

/// A domain with tables of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Domain {
    /// People, logins and second factors.
    Identity,
    /// Categories, listings and photos.
    Catalog,
    /// Wallets, journals and seals.
    Ledger,
    /// Orders, payments, refunds and webhooks.
    Payments,
    /// Review decisions.
    Moderation,
    /// What people are told.
    Notify,
    /// Settings.
    Platform,
}

/// Why the schema could not be brought up to date.
#[derive(Debug, Error)]
pub enum MigrateError {
    /// The database could not be reached or refused a statement.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The lock file beside an SQLite database could not be taken.
    #[error("the lock file {path} could not be taken: {source}")]
    LockFile {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// Another process held the lock for too long.
    #[error(
        "another process has been migrating this database for over a minute: see what it is doing, then try again"
    )]
    LockTimeout,
}

impl From<sea_orm::DbErr> for MigrateError {
    fn from(error: sea_orm::DbErr) -> Self {
        Self::Store(error.into())
    }
}

struct Migrator(Scope);

impl Migrator {
    fn parts(&self) -> Vec<SqlMigration> {
        let domains = [
            (Domain::Identity, identity::MIGRATIONS),
            (Domain::Catalog, catalog::MIGRATIONS),
            (Domain::Ledger, ledger::MIGRATIONS),
            (Domain::Payments, payments::MIGRATIONS),
            (Domain::Moderation, moderation::MIGRATIONS),
            (Domain::Notify, notify::MIGRATIONS),
            (Domain::Platform, platform::MIGRATIONS),
        ];
        let mut parts = store::MIGRATIONS.to_vec();
        for (domain, migrations) in domains {
            if self.0 == Scope::All || self.0 == Scope::Domain(domain) {
                parts.extend_from_slice(migrations);
            }
        }
        parts
    }
}

impl MigratorTraitSelf for Migrator {
    fn migrations(&self) -> Vec<Box<dyn MigrationTrait>> {
        let boxed = |part| -> Box<dyn MigrationTrait> { Box::new(part) };
        self.parts().into_iter().map(boxed).collect()
    }
}

/// Brings the schema up to date; safe to call from several processes at once, each waits for its turn.
///
/// # Errors
/// When the database cannot be reached, a statement fails, or the lock is not to be had.
pub async fn migrate(config: &DatabaseConfig, scope: Scope) -> Result<(), MigrateError> {
    // An index on a large table takes as long as it takes, and so does the wait for the lock.
    let config = DatabaseConfig { max_connections: 1, statement_timeout: None, ..config.clone() };
    let guard = lock::take(&config).await?;
    let db = Database::connect(&config).await?;
    let migrated = Migrator(scope).up(db.schema_connection(), None).await;
    db.close().await?;
    guard.release().await?;
    Ok(migrated?)
}

/// Whether every migration of this version has been run. It only reads, so a user without rights on the schema may ask.
///
/// # Errors
/// When the database cannot be reached.
pub async fn is_current(db: &Database) -> Result<bool, StoreError> {
    let run = record::names(db).await?;
    Ok(Migrator(Scope::All).parts().iter().all(|migration| run.contains(migration.name())))
}

/// A digest of everything a scope runs on an engine, so that a prepared test database can be told from an old one.
pub fn fingerprint(scope: Scope, engine: Engine) -> String {
    let mut hasher = DefaultHasher::new();
    for migration in Migrator(scope).parts() {
        migration.text(engine).hash(&mut hasher);
    }
    format!("{:016x}", hasher.finish())
}
