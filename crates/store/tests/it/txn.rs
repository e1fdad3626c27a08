//! Transactions: no lost update, no half-written change, no second connection.

use kernel::DomainError;
use sea_orm::{ConnectionTrait, TransactionTrait};
use store::{Database, StoreError, TxnError};
use testkit::{Scope, on_every_engine};

use crate::support::another_process;

async fn make_counter(db: &Database) {
    db.schema_connection()
        .execute_unprepared("CREATE TABLE counters (id INTEGER PRIMARY KEY, n BIGINT NOT NULL)")
        .await
        .unwrap();
    db.schema_connection().execute_unprepared("INSERT INTO counters VALUES (1, 0)").await.unwrap();
}

async fn read(db: &impl ConnectionTrait, suffix: &str) -> i64 {
    let sql = format!("SELECT n FROM counters WHERE id = 1{suffix}");
    let row =
        db.query_one_raw(store::Engine::of(db.get_database_backend()).statement(&sql, [])).await.unwrap();
    row.unwrap().try_get("", "n").unwrap()
}

async fn write(db: &impl ConnectionTrait, n: i64) {
    let engine = store::Engine::of(db.get_database_backend());
    db.execute_raw(engine.statement("UPDATE counters SET n = ? WHERE id = 1", [n.into()])).await.unwrap();
}

on_every_engine! { Scope::Store =>
    /// Eight tasks of ten reads and writes each, on a locked row: all eighty count.
    async fn concurrent_read_modify_writes_lose_nothing(db: TestDb) {
        make_counter(db).await;
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let db = db.database().clone();
                tokio::spawn(async move {
                    for _ in 0..10 {
                        db.in_txn(async |txn| {
                            let n = read(txn, db.engine().for_update()).await;
                            write(txn, n + 1).await;
                            Ok::<_, StoreError>(())
                        })
                        .await
                        .unwrap();
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(read(db.reader().unwrap(), "").await, 80);
    }

    async fn an_error_rolls_back_everything(db: TestDb) {
        make_counter(db).await;
        let result = db
            .in_txn(async |txn| {
                write(txn, 7).await;
                Err::<(), _>(StoreError::UnknownEngine)
            })
            .await;
        assert!(matches!(result, Err(StoreError::UnknownEngine)));
        assert_eq!(read(db.reader().unwrap(), "").await, 0);
    }

    /// Somebody holds the row and does not let go. SQLite has no row locks; its writers stand in line.
    async fn a_row_that_is_held_for_ever_makes_others_fail_in_time(db: TestDb) {
        if db.engine() == store::Engine::Sqlite {
            return;
        }
        make_counter(db).await;
        let (is_held, held) = tokio::sync::oneshot::channel();
        let holder = another_process(db).await;
        let holding = tokio::spawn(async move {
            let txn = holder.schema_connection().begin().await.unwrap();
            write(&txn, 1).await;
            is_held.send(()).unwrap();
            std::future::pending::<()>().await;
        });
        held.await.unwrap();
        let begin = std::time::Instant::now();
        let refused = db
            .in_txn(async |txn| {
                let sql = "UPDATE counters SET n = n + 1 WHERE id = 1";
                Ok::<_, StoreError>(txn.execute_raw(db.engine().statement(sql, [])).await.map(drop)?)
            })
            .await
            .unwrap_err();
        assert_eq!(refused.kind(), kernel::ErrorKind::Unavailable, "{refused}");
        let waited = begin.elapsed().as_secs();
        assert!((3..15).contains(&waited), "two waits of three seconds, not {waited} s");
        holding.abort();
    }

    /// A statement that the server cut is not tried again.
    async fn a_statement_that_takes_for_ever_is_cut(db: TestDb) {
        let sleep = match db.engine() {
            store::Engine::Sqlite => return,
            store::Engine::Postgres => "SELECT pg_sleep(30)",
            store::Engine::MariaDb => "SELECT SLEEP(30) FROM counters",
        };
        make_counter(db).await;
        let short = store::DatabaseConfig {
            statement_timeout: Some(std::time::Duration::from_millis(300)),
            ..store::DatabaseConfig::new(db.url())
        };
        let short = Database::connect(&short).await.unwrap();
        let begin = std::time::Instant::now();
        let cut = short.in_txn(async |txn| Ok::<_, StoreError>(txn.execute_unprepared(sleep).await.map(drop)?)).await;
        let cut = cut.unwrap_err();
        assert_eq!((cut.kind(), cut.is_transient()), (kernel::ErrorKind::Unavailable, false), "{cut}");
        assert!(begin.elapsed().as_secs() < 10);
    }

    /// A process that was suspended in the middle must not come back and commit behind everybody's back.
    async fn a_server_ends_a_transaction_that_asks_nothing_for_a_minute(db: TestDb) {
        let show = match db.engine() {
            store::Engine::Sqlite => return,
            store::Engine::Postgres => "SELECT current_setting('idle_in_transaction_session_timeout') AS time",
            store::Engine::MariaDb => "SELECT CONCAT(@@idle_transaction_timeout DIV 60, 'min') AS time",
        };
        let ours = Database::connect(&store::DatabaseConfig::new(db.url())).await.unwrap();
        let row = ours.reader().unwrap().query_one_raw(db.engine().statement(show, [])).await.unwrap().unwrap();
        assert_eq!(row.try_get::<String>("", "time").unwrap(), "1min");
    }

    async fn a_second_connection_inside_a_transaction_is_refused(db: TestDb) {
        let inner = db.in_txn(async |_| {
            assert!(matches!(db.reader(), Err(StoreError::SecondConnection)));
            db.in_txn(async |_| Ok::<_, StoreError>(())).await
        });
        assert!(matches!(inner.await, Err(StoreError::SecondConnection)));
        assert!(db.reader().is_ok(), "afterwards one can read again");
    }

    /// Two transactions take two rows in opposite order; the engine kills one, and its second try succeeds.
    async fn a_deadlock_is_tried_again(db: TestDb) {
        make_counter(db).await;
        db.schema_connection().execute_unprepared("INSERT INTO counters VALUES (2, 0)").await.unwrap();
        let barrier = std::sync::Arc::new(tokio::sync::Barrier::new(2));
        let add = |first: i64, second: i64| {
            let (db, barrier) = (db.database().clone(), std::sync::Arc::clone(&barrier));
            tokio::spawn(async move {
                let tries = std::sync::atomic::AtomicU32::new(0);
                db.in_txn(async |txn| {
                    let sql = "UPDATE counters SET n = n + 1 WHERE id = ?";
                    txn.execute_raw(db.engine().statement(sql, [first.into()])).await?;
                    let is_first_try = tries.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0;
                    // SQLite lets one writer in at a time, so both can never stand here together.
                    if is_first_try && db.engine() != store::Engine::Sqlite {
                        barrier.wait().await;
                    }
                    txn.execute_raw(db.engine().statement(sql, [second.into()])).await?;
                    Ok::<_, StoreError>(())
                })
                .await
                .unwrap();
                tries.into_inner()
            })
        };
        let (one, other) = (add(1, 2), add(2, 1));
        let tries = one.await.unwrap() + other.await.unwrap();
        assert_eq!(read(db.reader().unwrap(), "").await, 2);
        assert_eq!(tries, if db.engine() == store::Engine::Sqlite { 2 } else { 3 }, "the victim ran twice");
    }

    async fn a_row_that_is_there_is_not_inserted_and_leaves_the_transaction_usable(db: TestDb) {
        make_counter(db).await;
        let fresh = db
            .in_txn(async |txn| {
                let insert = |id: i64| db.engine().statement("INSERT INTO counters VALUES (?, 0)", [id.into()]);
                let repeated = store::insert_if_absent(txn, insert(1)).await?;
                let fresh = store::insert_if_absent(txn, insert(3)).await?;
                write(txn, 5).await;
                Ok::<_, StoreError>((repeated, fresh))
            })
            .await
            .unwrap();
        assert_eq!(fresh, (false, true));
        assert_eq!(read(db.reader().unwrap(), "").await, 5);
    }
}

#[test]
fn a_plain_store_error_is_its_own_store_error() {
    assert!(StoreError::LeaseLost.as_store().is_some());
}
