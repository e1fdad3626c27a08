//! What the ledger is held against on SQLite: the statements of a top-up and nothing around them, one after the other on
//! a connection like the store's.

use std::str::FromStr;
use std::time::Duration;

use anyhow::ensure;
use kernel::{Ambient, TypedId, UserId};
use sea_orm::sqlx;
use sha2::{Digest, Sha256};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Sqlite, Transaction};
use uuid::Uuid;

const WALLET: &str =
    "SELECT available, held, promo, earnings, debt, version FROM ledger_wallets WHERE user_id = ?";
const KEY: &str = "SELECT id, payload_hash, NULL AS code FROM ledger_journals WHERE idem_key = ? \
                   UNION ALL SELECT NULL, payload_hash, code FROM ledger_refusals WHERE idem_key = ?";
const JOURNAL: &str = "INSERT INTO ledger_journals (id, idem_key, payload_hash, kind, currency, ref_type, ref_id, \
                       actor_type, actor_id, event_at, created_at) \
                       VALUES (?, ?, ?, 'top_up', 'INR', 'payment', ?, 'system', 'bench', ?, ?)";
const POSTING: &str = "INSERT INTO ledger_postings (journal_id, seq, from_kind, to_kind, to_user, amount) \
                       VALUES (?, 1, 'gateway:clearing', 'available', ?, ?)";
const CHANGE: &str = "UPDATE ledger_wallets SET available = available + ?, version = version + 1 \
                      WHERE user_id = ? AND version = ?";
const ENTRY: &str = "INSERT INTO ledger_entries (user_id, version, journal_id, kind, available, held, promo, earnings, \
                     debt, created_at) VALUES (?, ?, ?, 'top_up', ?, ?, ?, ?, ?, ?)";
const DELTA: &str = "INSERT INTO ledger_deltas (kind, journal_id, amount) VALUES ('gateway:clearing', ?, ?)";

/// The one connection. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Bare {
    pool: SqlitePool,
}

/// The balances in the order of their columns, and the version.
type Wallet = (i64, i64, i64, i64, i64, i64);

impl Bare {
    pub(super) async fn open(url: &str) -> anyhow::Result<Self> {
        let options = SqliteConnectOptions::from_str(url)?
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5))
            .pragma("temp_store", "memory")
            .pragma("cache_size", "-2000")
            .pragma("mmap_size", "67108864");
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(Duration::from_secs(30))
            .test_before_acquire(false);
        Ok(Self { pool: pool.connect_with(options).await? })
    }

    pub(super) async fn top_up(
        &self,
        user: UserId,
        payment: &str,
        amount: i64,
        ambient: &Ambient,
    ) -> anyhow::Result<()> {
        let (user, key) = (user.uuid(), format!("topup:{payment}"));
        let mut txn = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let wallet: Wallet = sqlx::query_as(WALLET).bind(user).fetch_one(&mut *txn).await?;
        let used = sqlx::query(KEY).bind(&key).bind(&key).fetch_optional(&mut *txn).await?;
        ensure!(used.is_none(), "a key was used before");
        write(&mut txn, (user, wallet), (&key, payment), amount, ambient).await?;
        Ok(txn.commit().await?)
    }
}

async fn write(
    txn: &mut Transaction<'static, Sqlite>,
    (user, wallet): (Uuid, Wallet),
    (key, payment): (&str, &str),
    amount: i64,
    ambient: &Ambient,
) -> anyhow::Result<()> {
    let (id, now) = (ambient.new_uuid(), ambient.now());
    let (available, held, promo, earnings, debt, version) = wallet;
    let hash = hex::encode(Sha256::digest(key));
    let journal = sqlx::query(JOURNAL).bind(id).bind(key).bind(hash).bind(payment).bind(now).bind(now);
    journal.execute(&mut **txn).await?;
    sqlx::query(POSTING).bind(id).bind(user).bind(amount).execute(&mut **txn).await?;
    let changed = sqlx::query(CHANGE).bind(amount).bind(user).bind(version).execute(&mut **txn).await?;
    ensure!(changed.rows_affected() == 1, "a wallet changed while it was locked");
    let entry = sqlx::query(ENTRY).bind(user).bind(version + 1).bind(id).bind(available + amount);
    entry.bind(held).bind(promo).bind(earnings).bind(debt).bind(now).execute(&mut **txn).await?;
    sqlx::query(DELTA).bind(id).bind(-amount).execute(&mut **txn).await?;
    Ok(())
}
