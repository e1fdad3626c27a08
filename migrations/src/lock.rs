//! The lock that makes concurrent migrators take turns: the database's own advisory lock, or a file beside SQLite.

use std::fs::File;

use ::store::{Database, DatabaseConfig, Engine};
use sea_orm::ConnectionTrait;

use crate::MigrateError;

/// Any number will do, as long as nothing else of ours uses it.
const ADVISORY_KEY: i64 = 4_017_622_731;

/// Holds the lock until it is released.
pub(crate) enum Guard {
    /// A connection that holds the server's lock; closing it gives the lock back.
    Server(Database),
    /// A locked file; dropping it unlocks.
    File(File),
}

impl Guard {
    pub(crate) async fn release(self) -> Result<(), MigrateError> {
        match self {
            Self::Server(db) => Ok(db.close().await?),
            Self::File(file) => {
                drop(file);
                Ok(())
            }
        }
    }
}

/// Waits for the lock.
pub(crate) async fn take(config: &DatabaseConfig) -> Result<Guard, MigrateError> {
    if Engine::of_url(&config.url) == Some(Engine::Sqlite) {
        return file(&config.url).await;
    }
    let db = Database::connect(config).await?;
    let engine = db.engine();
    let sql = match engine {
        // Without an answer within a minute the statement is refused (55P03).
        Engine::Postgres => {
            "SELECT 1 AS got FROM (SELECT set_config('lock_timeout', '60s', false)) AS c, \
                             LATERAL (SELECT pg_advisory_lock(?)) AS l"
        }
        _ => "SELECT CAST(COALESCE(GET_LOCK(CONCAT('dgt-migrate-', ?), 60), 0) AS SIGNED) AS got",
    };
    let row = db.schema_connection().query_one_raw(engine.statement(sql, [ADVISORY_KEY.into()])).await?;
    let got = match (engine, row) {
        (Engine::Postgres, row) => row.is_some(),
        (_, Some(row)) => row.try_get::<i64>("", "got")? == 1,
        (_, None) => false,
    };
    if got { Ok(Guard::Server(db)) } else { Err(MigrateError::LockTimeout) }
}

async fn file(url: &str) -> Result<Guard, MigrateError> {
    let path = url.trim_start_matches("sqlite:").trim_start_matches("//");
    let path = path.split('?').next().unwrap_or(path);
    let path = format!("{path}.migrate.lock");
    let opened = path.clone();
    let locked = tokio::task::spawn_blocking(move || {
        let file = File::create(opened)?;
        file.lock()?;
        Ok(file)
    });
    match locked.await {
        Ok(Ok(file)) => Ok(Guard::File(file)),
        Ok(Err(source)) => Err(MigrateError::LockFile { path, source }),
        Err(stopped) => Err(MigrateError::LockFile { path, source: std::io::Error::other(stopped) }),
    }
}
