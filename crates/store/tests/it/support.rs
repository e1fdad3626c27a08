//! What several of these tests need: a second process's connection, counting rows, waiting for something to be so.

use std::time::{Duration, Instant};

use sea_orm::{ConnectionTrait, QueryResult, Value};
use store::{Backoff, Database, DatabaseConfig};
use testkit::TestDb;

/// Connections of its own, as another process would have.
pub(crate) async fn another_process(db: &TestDb) -> Database {
    Database::connect(&DatabaseConfig { max_connections: 4, ..DatabaseConfig::new(db.url()) }).await.unwrap()
}

/// The one row that the query finds.
pub(crate) async fn row<const N: usize>(db: &Database, sql: &str, values: [Value; N]) -> QueryResult {
    db.reader().unwrap().query_one_raw(db.engine().statement(sql, values)).await.unwrap().unwrap()
}

/// How many rows there are of which this is true.
pub(crate) async fn count(db: &Database, table_and_condition: &str) -> i64 {
    let sql = format!("SELECT COUNT(*) AS n FROM {table_and_condition}");
    row(db, &sql, []).await.try_get("", "n").unwrap()
}

/// Looks every few milliseconds until it is so; gives up after a minute: a busy machine is slow, not wrong.
pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let begin = Instant::now();
    while !is_so().await {
        assert!(begin.elapsed() < Duration::from_secs(60), "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Pauses of a few milliseconds.
pub(crate) const SHORT: Backoff = Backoff { base: Duration::from_millis(1), cap: Duration::from_millis(5) };
