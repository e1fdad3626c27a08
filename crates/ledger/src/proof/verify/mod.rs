//! The check of every row against every other, in one snapshot of the database and in bounded memory.

mod holds;
mod house;
mod journals;
mod seals;
mod wallets;

use std::collections::BTreeMap;
use std::fmt;

use sea_orm::{
    AccessMode, DatabaseTransaction, DbErr, IsolationLevel, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
};
use store::{Database, Engine, StoreError};

use crate::{Ledger, LedgerError};

/// Rows per page.
const PAGE: u64 = 500;

/// What is being checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// Journals with their postings, entries and seals.
    Journals,
    /// Holds, against the journals that opened and ended them.
    Holds,
    /// Wallets, replayed from their entries and postings.
    Wallets,
    /// What waits to be folded into the house accounts.
    Deltas,
}

impl Part {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Journals => "journals",
            Self::Holds => "holds",
            Self::Wallets => "wallets",
            Self::Deltas => "deltas",
        }
    }
}

/// How far the check has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What is being checked.
    pub part: Part,
    /// How many of them were found right.
    pub checked: u64,
}

/// A row that is not what the other rows say it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// Its table.
    pub table: &'static str,
    /// Its key, column by column.
    pub key: String,
    /// The column, or what is counted of it.
    pub column: &'static str,
    /// What the other rows say.
    pub expected: String,
    /// What is there.
    pub found: String,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, key, column, expected, found } = self;
        write!(f, "{table} ({key}): {column} should be {expected} and is {found}")
    }
}

/// What a check came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Journals that were found right.
    pub journals: u64,
    /// Their postings.
    pub postings: u64,
    /// Seals over them.
    pub seals: u64,
    /// The hash of the newest: kept outside the database, it shows whether seals were cut off later.
    pub newest_seal: Option<String>,
    /// Holds.
    pub holds: u64,
    /// Wallets.
    pub wallets: u64,
    /// Entries of their histories.
    pub entries: u64,
    /// House accounts.
    pub accounts: u64,
    /// Deltas that wait to be folded into them.
    pub deltas: u64,
    /// The first row that is wrong; nothing was checked after it.
    pub first_wrong: Option<Mismatch>,
}

impl Report {
    /// Whether every row is right.
    pub fn is_clean(&self) -> bool {
        self.first_wrong.is_none()
    }
}

/// Why the check ended before its end.
enum Stop {
    Wrong(Box<Mismatch>),
    Failed(StoreError),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

impl From<DbErr> for Stop {
    fn from(error: DbErr) -> Self {
        Self::Failed(error.into())
    }
}

/// A row by its table and key, as its columns are compared.
struct RowOf<'a> {
    table: &'static str,
    key: &'a str,
}

impl RowOf<'_> {
    /// Whether the column holds what it should.
    fn check<T: PartialEq + fmt::Display>(
        &self,
        column: &'static str,
        expected: T,
        found: T,
    ) -> Result<(), Stop> {
        if expected == found { Ok(()) } else { Err(self.wrong(column, expected, found)) }
    }

    fn wrong(&self, column: &'static str, expected: impl fmt::Display, found: impl fmt::Display) -> Stop {
        Stop::Wrong(Box::new(Mismatch {
            table: self.table,
            key: self.key.to_owned(),
            column,
            expected: expected.to_string(),
            found: found.to_string(),
        }))
    }
}

/// Sums by house account; wider than 64 bits, so that no row can make them overflow.
type HouseSums = BTreeMap<String, i128>;

/// A check under way.
struct Run<'a> {
    conn: &'a DatabaseTransaction,
    /// Whether each journal must move money as its template does.
    by_templates: bool,
    report: Report,
    progress: &'a mut (dyn FnMut(Progress) + Send),
}

impl Run<'_> {
    fn tell(&mut self, part: Part, checked: u64) {
        (self.progress)(Progress { part, checked });
    }

    async fn check_all(&mut self) -> Result<(), Stop> {
        let replayed = journals::check(self).await?;
        holds::check(self).await?;
        let in_wallets = wallets::check(self).await?;
        house::check(self, &replayed, in_wallets).await
    }
}

impl Ledger {
    /// Checks the whole ledger as it was at one moment, while it goes on being used: every journal has postings and
    /// is what its digest and its seal say; every wallet and house account is the replay of its postings; every
    /// history goes from one version to the next; every hold ended once at most, and `held` is the sum of the open
    /// ones; and all accounts together come to zero.
    ///
    /// Stops at the first row that is wrong and names it. `progress` is told now and then.
    ///
    /// # Errors
    /// When the database fails; a wrong row is no error but [`Report::first_wrong`].
    pub async fn verify(&self, mut progress: impl FnMut(Progress) + Send) -> Result<Report, LedgerError> {
        self.verify_all(&mut progress, false).await
    }

    /// As [`verify`](Self::verify), of books that were written by the [templates](crate::templates) alone: each journal
    /// moves one user's money, between accounts between which its kind does. A credit that was invented by somebody who
    /// may write to the tables is right in every other way.
    ///
    /// # Errors
    /// As [`verify`](Self::verify).
    pub async fn verify_by_templates(
        &self,
        mut progress: impl FnMut(Progress) + Send,
    ) -> Result<Report, LedgerError> {
        self.verify_all(&mut progress, true).await
    }

    async fn verify_all(
        &self,
        progress: &mut (dyn FnMut(Progress) + Send),
        by_templates: bool,
    ) -> Result<Report, LedgerError> {
        let snapshot = snapshot(&self.db).await?;
        let mut run = Run { conn: &snapshot, by_templates, report: Report::default(), progress };
        let outcome = run.check_all().await;
        let mut report = run.report;
        snapshot.rollback().await?;
        match outcome {
            Ok(()) => {}
            Err(Stop::Wrong(mismatch)) => report.first_wrong = Some(*mismatch),
            Err(Stop::Failed(error)) => return Err(error.into()),
        }
        Ok(report)
    }
}

/// One moment of the database, for as long as the transaction is open; it waits for nobody and nobody for it.
async fn snapshot(db: &Database) -> Result<DatabaseTransaction, StoreError> {
    let on_server = db.engine() != Engine::Sqlite;
    let options = TransactionOptions {
        isolation_level: on_server.then_some(IsolationLevel::RepeatableRead),
        access_mode: on_server.then_some(AccessMode::ReadOnly),
        // In WAL mode what the first read sees is what all see.
        sqlite_transaction_mode: (!on_server).then_some(SqliteTransactionMode::Deferred),
    };
    Ok(db.reader()?.begin_with_options(options).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_told_by_its_name() {
        let names = [Part::Journals, Part::Holds, Part::Wallets, Part::Deltas].map(Part::as_str);
        assert_eq!(names, ["journals", "holds", "wallets", "deltas"]);
    }

    #[test]
    fn a_report_with_a_wrong_row_is_not_clean() {
        let wrong = Mismatch {
            table: "ledger_seals",
            key: "n 1".to_owned(),
            column: "total",
            expected: "1".to_owned(),
            found: "2".to_owned(),
        };
        assert!(Report::default().is_clean());
        assert!(!Report { first_wrong: Some(wrong), ..Report::default() }.is_clean());
    }
}
