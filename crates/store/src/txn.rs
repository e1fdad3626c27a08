//! The one way to write: a closure that runs in a transaction, and runs again when the engine asks for it.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, QueryResult, SqliteTransactionMode, Statement, TransactionOptions,
    TransactionTrait,
};

use crate::{Database, Engine, OneStatement, StoreError, TxnError};

/// After this long nothing is tried again: whoever waits has waited for a row's lock twice, in vain.
const PATIENCE: Duration = Duration::from_secs(6);

tokio::task_local! {
    /// Set while this task is inside `in_txn`; true once the transaction has written work for a worker.
    static OPEN: AtomicBool;
}

/// Whether this task is inside a transaction.
pub(crate) fn is_open() -> bool {
    OPEN.try_with(|_| ()).is_ok()
}

/// Notes that the open transaction wrote a job or an event, so that its commit wakes the workers.
pub(crate) fn wake_at_commit() {
    // Outside a transaction there is no commit to wait for, and the workers' own polling finds the row.
    let _ = OPEN.try_with(|work_written| work_written.store(true, Ordering::Relaxed));
}

impl Database {
    /// Runs the closure in one transaction and commits when it returns `Ok`.
    ///
    /// When the engine reports a deadlock, a serialisation failure or a busy database, the whole closure runs
    /// again, up to eight times and for six seconds with growing pauses, so it must not act outside the database. It
    /// is cloned for each try; that costs a few pointers, as closures borrow what they use.
    ///
    /// # Errors
    /// The closure's own, after a rollback; or the store's, when beginning or committing fails.
    /// [`StoreError::SecondConnection`] when a transaction is already open in this task.
    pub async fn in_txn<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: for<'c> AsyncFnOnce(&'c DatabaseTransaction) -> Result<T, E> + Clone,
        E: TxnError,
    {
        if is_open() {
            return Err(StoreError::SecondConnection.into());
        }
        let mut tries = Tries::begin();
        loop {
            match self.try_txn(work.clone()).await {
                Err(error) if tries.again_after(error.as_store()).await => {}
                result => return result,
            }
        }
    }

    /// Runs one statement that is a transaction in itself, in one round trip, and gives its rows. It is tried again as
    /// [`in_txn`](Self::in_txn) does. Whoever writes jobs or events uses [`at_once`](Self::at_once), which wakes the
    /// workers.
    ///
    /// # Errors
    /// When the database fails; [`StoreError::SecondConnection`] when a transaction is open in this task.
    pub async fn in_one_statement(&self, statement: &Statement) -> Result<Vec<QueryResult>, StoreError> {
        if is_open() {
            return Err(StoreError::SecondConnection);
        }
        let mut tries = Tries::begin();
        loop {
            match self.writer.query_all_raw(statement.clone()).await.map_err(StoreError::from) {
                Err(error) if tries.again_after(Some(&error)).await => {}
                result => return result,
            }
        }
    }

    /// Makes the writes in one round trip, as [`in_one_statement`](Self::in_one_statement), and tells whether the write
    /// of that name was made: if it has no row, those that read from it have none either.
    ///
    /// # Errors
    /// As [`in_one_statement`](Self::in_one_statement); nothing was written then.
    pub async fn at_once(&self, writes: &OneStatement, name: &str) -> Result<bool, StoreError> {
        let is_made = !self.in_one_statement(&writes.answering(name)).await?.is_empty();
        if is_made && writes.wakes() {
            self.ring();
        }
        Ok(is_made)
    }

    async fn try_txn<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: for<'c> AsyncFnOnce(&'c DatabaseTransaction) -> Result<T, E> + Clone,
        E: TxnError,
    {
        let txn = self.writer.begin_with_options(self.txn_options()).await.map_err(StoreError::from)?;
        let (result, work_written) = scoped(work(&txn)).await;
        match result {
            Ok(value) => {
                txn.commit().await.map_err(StoreError::from)?;
                if work_written {
                    self.ring();
                }
                Ok(value)
            }
            Err(error) => {
                // The closure's error is what the caller needs; a connection that cannot roll back is dropped by
                // the pool, which rolls back too.
                if let Err(rollback) = txn.rollback().await {
                    tracing::warn!(error = %rollback, "a rollback failed");
                }
                Err(error)
            }
        }
    }

    fn txn_options(&self) -> TransactionOptions {
        TransactionOptions {
            // READ COMMITTED is the session's default on both servers; see `database.rs`.
            isolation_level: None,
            access_mode: None,
            // A deferred transaction that reads and then writes fails at once when another one wrote meanwhile.
            sqlite_transaction_mode: (self.engine() == Engine::Sqlite)
                .then_some(SqliteTransactionMode::Immediate),
        }
    }
}

/// How often a transaction is tried, and for how long.
struct Tries {
    pauses: ExponentialBackoff,
    begin: Instant,
}

impl Tries {
    fn begin() -> Self {
        let pauses = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(2))
            .with_max_delay(Duration::from_millis(250))
            .with_max_times(8)
            .with_jitter()
            .build();
        Self { pauses, begin: Instant::now() }
    }

    /// Pauses and says yes, when a second try may cure the failure and there is one left.
    async fn again_after(&mut self, error: Option<&StoreError>) -> bool {
        if !error.is_some_and(StoreError::is_transient) {
            return false;
        }
        match self.pauses.next() {
            Some(pause) if self.begin.elapsed() < PATIENCE => {
                metrics::counter!("db_transaction_retries_total").increment(1);
                tokio::time::sleep(pause).await;
                true
            }
            _ => false,
        }
    }
}

/// Runs the future marked as inside a transaction; tells whether it wrote work for a worker.
async fn scoped<T>(work: impl Future<Output = T>) -> (T, bool) {
    OPEN.scope(AtomicBool::new(false), async {
        let value = work.await;
        let work_written = OPEN.with(|flag| flag.load(Ordering::Relaxed));
        (value, work_written)
    })
    .await
}
