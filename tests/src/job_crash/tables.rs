//! What the workers leave behind: every try, every effect, every finish that the fence refused.
//!
//! None of the tables has a key, so nothing but the fence keeps an effect from being there twice.

use sea_orm::{ConnectionTrait, QueryResult};
use store::{Database, Engine, StoreError};
use uuid::Uuid;

/// A table that workers write to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Table {
    /// A try began; committed at once.
    Runs,
    /// A job's effect; committed with the job's end.
    Effects,
    /// A try that came to its end after its lease had been lost.
    Refusals,
}

impl Table {
    fn name(self) -> &'static str {
        match self {
            Self::Runs => "job_runs",
            Self::Effects => "job_effects",
            Self::Refusals => "job_refusals",
        }
    }
}

/// One try of one job by one worker process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Try {
    pub(crate) job: Uuid,
    pub(crate) attempt: i32,
    pub(crate) worker: i32,
}

impl Try {
    pub(crate) async fn write(self, db: &impl ConnectionTrait, table: Table) -> Result<(), StoreError> {
        let sql = format!("INSERT INTO {} (job_id, attempt, worker) VALUES (?, ?, ?)", table.name());
        let values = [self.job.into(), self.attempt.into(), self.worker.into()];
        let insert = Engine::of(db.get_database_backend()).statement(&sql, values);
        Ok(db.execute_raw(insert).await.map(drop)?)
    }

    fn read(row: &QueryResult) -> Result<Self, StoreError> {
        Ok(Self {
            job: row.try_get("", "job_id")?,
            attempt: row.try_get("", "attempt")?,
            worker: row.try_get("", "worker")?,
        })
    }
}

/// Makes the three tables.
///
/// # Errors
/// When the database refuses.
pub async fn create_tables(db: &Database) -> Result<(), StoreError> {
    let id = match db.engine() {
        Engine::Sqlite => "BLOB",
        Engine::Postgres => "UUID",
        Engine::MariaDb => "BINARY(16)",
    };
    for table in [Table::Runs, Table::Effects, Table::Refusals] {
        let sql = format!(
            "CREATE TABLE {} (job_id {id} NOT NULL, attempt INTEGER NOT NULL, worker INTEGER NOT NULL)",
            table.name()
        );
        db.schema_connection().execute_unprepared(&sql).await?;
    }
    Ok(())
}

/// Everything in a table.
pub(crate) async fn tries(db: &Database, table: Table) -> Result<Vec<Try>, StoreError> {
    let sql = format!("SELECT job_id, attempt, worker FROM {}", table.name());
    let rows = db.reader()?.query_all_raw(db.engine().statement(&sql, [])).await?;
    rows.iter().map(Try::read).collect()
}

/// How every job stands: its id, its state, its last attempt.
pub(crate) async fn jobs(db: &Database) -> Result<Vec<(Uuid, String, i32)>, StoreError> {
    let select = db.engine().statement("SELECT id, state, attempt FROM jobs", []);
    let rows = db.reader()?.query_all_raw(select).await?;
    rows.iter()
        .map(|row| Ok((row.try_get("", "id")?, row.try_get("", "state")?, row.try_get("", "attempt")?)))
        .collect()
}

/// How many jobs are still to be done.
///
/// # Errors
/// When the database fails.
pub async fn unfinished_jobs(db: &Database) -> Result<i64, StoreError> {
    let count = db.engine().statement("SELECT COUNT(*) AS n FROM jobs WHERE due_at IS NOT NULL", []);
    let row = db.reader()?.query_one_raw(count).await?;
    row.map_or(Ok(0), |row| Ok(row.try_get("", "n")?))
}
