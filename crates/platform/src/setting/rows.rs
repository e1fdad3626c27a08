//! The SQL of settings.

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult};
use serde_json::Value as Json;
use store::{Engine, StoreError, insert_if_absent};

use super::Definition;

/// What is stored of a setting.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) key: String,
    pub(super) value: Json,
    pub(super) version: i64,
    pub(super) updated_at: DateTime<Utc>,
    pub(super) updated_by: String,
}

const COLUMNS: &str = "setting_key, value, version, updated_at, updated_by";

pub(super) async fn all(db: &impl ConnectionTrait) -> Result<Vec<Row>, StoreError> {
    let select =
        Engine::of(db.get_database_backend()).statement(&format!("SELECT {COLUMNS} FROM settings"), []);
    db.query_all_raw(select).await?.iter().map(read).collect()
}

pub(super) async fn find(
    db: &impl ConnectionTrait,
    key: &str,
    lock: &str,
) -> Result<Option<Row>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM settings WHERE setting_key = ?{lock}");
    let select = Engine::of(db.get_database_backend()).statement(&sql, [key.into()]);
    db.query_one_raw(select).await?.as_ref().map(read).transpose()
}

/// The setting's row, locked. Where there is none yet it is made with the default at version 0, so that the first
/// two changes wait for each other too.
pub(super) async fn lock(
    txn: &DatabaseTransaction,
    definition: &Definition,
    now: DateTime<Utc>,
    by: &str,
) -> Result<Row, StoreError> {
    let engine = Engine::of(txn.get_database_backend());
    if let Some(row) = find(txn, definition.key, engine.for_update()).await? {
        return Ok(row);
    }
    let insert = engine.statement(
        "INSERT INTO settings (setting_key, value, version, updated_at, updated_by) VALUES (?, ?, 0, ?, ?)",
        [definition.key.into(), definition.default_value().into(), now.into(), by.into()],
    );
    insert_if_absent(txn, insert).await?;
    find(txn, definition.key, engine.for_update())
        .await?
        .ok_or_else(|| StoreError::Corrupt(format!("the setting {} has no row", definition.key)))
}

/// Writes the new value and its history. The row must be locked.
pub(super) async fn write(txn: &DatabaseTransaction, row: &Row) -> Result<(), StoreError> {
    let engine = Engine::of(txn.get_database_backend());
    let update = engine.statement(
        "UPDATE settings SET value = ?, version = ?, updated_at = ?, updated_by = ? WHERE setting_key = ?",
        [
            row.value.clone().into(),
            row.version.into(),
            row.updated_at.into(),
            row.updated_by.as_str().into(),
            row.key.as_str().into(),
        ],
    );
    txn.execute_raw(update).await?;
    let insert = engine.statement(
        "INSERT INTO setting_history (setting_key, version, value, changed_at, changed_by) VALUES (?, ?, ?, ?, ?)",
        [
            row.key.as_str().into(),
            row.version.into(),
            row.value.clone().into(),
            row.updated_at.into(),
            row.updated_by.as_str().into(),
        ],
    );
    txn.execute_raw(insert).await?;
    Ok(())
}

/// What the setting was, latest first.
pub(super) async fn history(
    db: &impl ConnectionTrait,
    key: &str,
    limit: u32,
) -> Result<Vec<Row>, StoreError> {
    let sql = format!(
        "SELECT setting_key, value, version, changed_at AS updated_at, changed_by AS updated_by \
         FROM setting_history WHERE setting_key = ? ORDER BY version DESC LIMIT {limit}"
    );
    let select = Engine::of(db.get_database_backend()).statement(&sql, [key.into()]);
    db.query_all_raw(select).await?.iter().map(read).collect()
}

fn read(row: &QueryResult) -> Result<Row, StoreError> {
    Ok(Row {
        key: row.try_get("", "setting_key")?,
        value: row.try_get("", "value")?,
        version: row.try_get("", "version")?,
        updated_at: row.try_get("", "updated_at")?,
        updated_by: row.try_get("", "updated_by")?,
    })
}
