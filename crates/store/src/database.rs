//! Connections: one writer and several readers on SQLite, one pool for both elsewhere.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sea_orm::sqlx::{AssertSqlSafe, Executor};
use sea_orm::{ConnectOptions, ConnectionTrait, DatabaseConnection};
use thread_local::ThreadLocal;
use tokio::sync::watch;

use crate::{Engine, StoreError, txn};

/// How to connect.
#[derive(Clone)]
pub struct DatabaseConfig {
    /// `sqlite://path`, `postgres://…` or `mysql://…`.
    pub url: String,
    /// Connections in the pool; on SQLite, readers beside the one writer.
    pub max_connections: u32,
    /// How long a caller waits for a free connection.
    pub acquire_timeout: Duration,
    /// How long a server lets one statement run; a row's lock is then waited for no longer than three seconds.
    /// `None` sets neither deadline, for changes of the schema. SQLite has no such thing: its only wait is for the
    /// one writer.
    pub statement_timeout: Option<Duration>,
}

impl DatabaseConfig {
    /// A connection with the usual pool.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            max_connections: 16,
            acquire_timeout: Duration::from_millis(1_500),
            statement_timeout: Some(STATEMENT_TIMEOUT),
        }
    }
}

/// How long a server lets one statement run, unless told otherwise.
pub const STATEMENT_TIMEOUT: Duration = Duration::from_secs(15);

/// How long a statement waits for a row that another transaction holds.
const LOCK_TIMEOUT: Duration = Duration::from_secs(3);

/// How long a server keeps a transaction that asks nothing, such as one of a process that was suspended. Journals are
/// sealed after twice that: none may commit later.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// The URL may hold a password, so it is not shown.
impl fmt::Debug for DatabaseConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DatabaseConfig")
            .field("max_connections", &self.max_connections)
            .finish_non_exhaustive()
    }
}

/// The database: a reader, a writer behind [`in_txn`](Self::in_txn), and the bell that wakes workers at commit.
/// Cheap to clone.
#[derive(Debug, Clone)]
pub struct Database {
    pub(crate) writer: DatabaseConnection,
    reader: DatabaseConnection,
    /// Readers of single threads, for those that opened their own.
    local: Arc<ThreadLocal<DatabaseConnection>>,
    config: Arc<DatabaseConfig>,
    engine: Engine,
    bell: watch::Sender<()>,
}

impl Database {
    /// Connects; on SQLite the file is created where it is missing.
    ///
    /// # Errors
    /// When the URL names no engine we know, the server does not answer, or its character set would lose text.
    pub async fn connect(config: &DatabaseConfig) -> Result<Self, StoreError> {
        let engine = Engine::of_url(&config.url).ok_or(StoreError::UnknownEngine)?;
        let (writer, reader) = match engine {
            Engine::Sqlite => {
                let writer = sea_orm::Database::connect(sqlite_options(config, 1)).await?;
                let reader =
                    sea_orm::Database::connect(sqlite_options(config, config.max_connections)).await?;
                (writer, reader)
            }
            Engine::Postgres | Engine::MariaDb => {
                let pool = sea_orm::Database::connect(server_options(config)).await?;
                (pool.clone(), pool)
            }
        };
        let (local, config) = (Arc::default(), Arc::new(config.clone()));
        let db = Self { writer, reader, local, config, engine, bell: watch::Sender::new(()) };
        db.check_character_set().await?;
        Ok(db)
    }

    /// The engine behind the URL.
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// A connection for reading outside a transaction: the thread's own, if it opened some, else one of all.
    ///
    /// # Errors
    /// [`StoreError::SecondConnection`] inside `in_txn`: read through the transaction there.
    pub fn reader(&self) -> Result<&DatabaseConnection, StoreError> {
        if txn::is_open() {
            return Err(StoreError::SecondConnection);
        }
        Ok(self.local.get().unwrap_or(&self.reader))
    }

    /// Gives the calling thread a few readers of its own. A server thread that drives its connections itself is not
    /// woken by another thread for every answer, which saves a tenth to a third of the time of a short query.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn open_thread_readers(&self, connections: u32) -> Result<(), StoreError> {
        let config = DatabaseConfig { max_connections: connections, ..self.config.as_ref().clone() };
        let readers = match self.engine {
            Engine::Sqlite => sqlite_options(&config, connections),
            Engine::Postgres | Engine::MariaDb => server_options(&config),
        };
        let readers = sea_orm::Database::connect(readers).await?;
        self.local.get_or(|| readers);
        Ok(())
    }

    /// The connection for changing the schema, outside transactions of ours. For migrations alone.
    pub fn schema_connection(&self) -> &DatabaseConnection {
        &self.writer
    }

    /// Asks the database for a sign of life.
    ///
    /// # Errors
    /// When it gives none.
    pub async fn ping(&self) -> Result<(), StoreError> {
        Ok(self.reader()?.execute_unprepared("SELECT 1").await.map(drop)?)
    }

    /// Changes whenever a transaction of this process commits that wrote a job or an event.
    pub fn bell(&self) -> watch::Receiver<()> {
        self.bell.subscribe()
    }

    pub(crate) fn ring(&self) {
        self.bell.send_replace(());
    }

    /// Closes all connections once they are idle.
    ///
    /// # Errors
    /// When a pool cannot be closed.
    pub async fn close(self) -> Result<(), StoreError> {
        let Self { writer, reader, local, engine, .. } = self;
        for readers in local.iter() {
            readers.clone().close().await?;
        }
        if engine == Engine::Sqlite {
            reader.close().await?;
        }
        Ok(writer.close().await?)
    }

    /// Text must survive on MariaDB and MySQL, whose databases may still be latin1.
    async fn check_character_set(&self) -> Result<(), StoreError> {
        if self.engine != Engine::MariaDb {
            return Ok(());
        }
        let statement = self.engine.statement("SELECT @@character_set_database AS name", []);
        let row = self.reader.query_one_raw(statement).await?;
        let name: String = row.map(|row| row.try_get("", "name")).transpose()?.unwrap_or_default();
        if name == "utf8mb4" { Ok(()) } else { Err(StoreError::CharacterSet(name)) }
    }
}

fn common_options(config: &DatabaseConfig) -> ConnectOptions {
    let mut options = ConnectOptions::new(config.url.clone());
    options
        .acquire_timeout(config.acquire_timeout)
        .connect_timeout(config.acquire_timeout)
        // A ping before each use would cost a round trip; a connection that was just used is alive.
        .test_before_acquire_if_idle_for(Duration::from_secs(5))
        // SQL text holds no secrets, but its values might: neither belongs into traces.
        .record_stmt_in_spans(false)
        .sqlx_logging(false);
    options
}

fn sqlite_options(config: &DatabaseConfig, connections: u32) -> ConnectOptions {
    let mut options = common_options(config);
    options
        .max_connections(connections)
        .min_connections(1)
        .idle_timeout(None::<Duration>)
        .max_lifetime(None::<Duration>)
        .map_sqlx_sqlite_opts(|sqlite| {
            sqlite
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                // Money is kept here: a commit that was answered must survive a power cut.
                .synchronous(SqliteSynchronous::Full)
                .foreign_keys(true)
                .busy_timeout(Duration::from_secs(5))
                // With it a REPLACE is a DELETE to the triggers that keep tables append-only.
                .pragma("recursive_triggers", "on")
                .pragma("temp_store", "memory")
                .pragma("cache_size", "-2000")
                .pragma("mmap_size", "67108864")
        });
    options
}

fn server_options(config: &DatabaseConfig) -> ConnectOptions {
    let mut options = common_options(config);
    let deadline = config.statement_timeout;
    let session = mariadb_session(deadline);
    options
        .max_connections(config.max_connections)
        .min_connections(1)
        .idle_timeout(Duration::from_secs(600))
        .max_lifetime(Duration::from_secs(1_800))
        .map_sqlx_mysql_opts(|mysql| mysql.charset("utf8mb4").timezone(Some("+00:00".to_owned())))
        // Sent with the login, so they cost no round trip.
        .map_sqlx_postgres_opts(move |postgres| match deadline {
            Some(deadline) => postgres.options([
                ("lock_timeout", LOCK_TIMEOUT.as_millis().to_string()),
                ("statement_timeout", deadline.as_millis().to_string()),
                ("idle_in_transaction_session_timeout", IDLE_TIMEOUT.as_millis().to_string()),
                // The default of 4 is that of a spinning disk. With it a small table is read from end to end, and the
                // plans of prepared statements and foreign keys go on doing so while it grows.
                ("random_page_cost", "1.1".to_owned()),
            ]),
            None => postgres,
        })
        .map_sqlx_mysql_pool_opts(move |pool| {
            let session = session.clone();
            pool.after_connect(move |connection, _| {
                // Made of numbers alone.
                let session = AssertSqlSafe(session.clone());
                Box::pin(async move { connection.execute(session).await.map(drop) })
            })
        });
    options
}

/// What a MariaDB session is told once, after the login.
fn mariadb_session(deadline: Option<Duration>) -> String {
    // PostgreSQL's default already; MariaDB's REPEATABLE READ would lose updates and lock gaps.
    let isolation = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";
    match deadline {
        // MySQL knows no `max_statement_time`; what stands in `/*M!` MariaDB alone reads.
        Some(deadline) => format!(
            "{isolation}; SET SESSION innodb_lock_wait_timeout = {} \
             /*M! , max_statement_time = {}, idle_transaction_timeout = {} */",
            LOCK_TIMEOUT.as_secs(),
            deadline.as_secs_f64(),
            IDLE_TIMEOUT.as_secs()
        ),
        None => isolation.to_owned(),
    }
}
