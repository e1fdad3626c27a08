//! The SQL of the inbox.

use chrono::{DateTime, Utc};
use kernel::{NotificationId, TypedId, UserId};
use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult, Value};
use serde_json::Value as Json;
use store::{Engine, StoreError, pieces};
use uuid::Uuid;

use super::NotificationView;
use crate::{Kind, Language, Rendered};

const COLUMNS: &str = "id, kind, category, title, body, action, data, language, merged, created_at, updated_at, \
                       read_at, clicked_at";

/// A notification to be written.
#[derive(Debug)]
pub(crate) struct NewRow<'a> {
    pub(crate) id: NotificationId,
    pub(crate) user: UserId,
    pub(crate) kind: Kind,
    pub(crate) collapse_key: Option<String>,
    pub(crate) text: Rendered,
    pub(crate) action: Option<&'a str>,
    pub(crate) data: &'a Json,
    pub(crate) language: Language,
    pub(crate) now: DateTime<Utc>,
}

/// Writes notifications, many at a time.
pub(crate) async fn insert(txn: &DatabaseTransaction, all: &[NewRow<'_>]) -> Result<(), StoreError> {
    for some in pieces(all) {
        let sql = format!(
            "INSERT INTO notifications (id, user_id, kind, category, collapse_key, merged, title, body, action, data, \
             language, created_at, updated_at) VALUES {}",
            vec!["(?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?)"; some.len()].join(", ")
        );
        let values = some.iter().flat_map(|new| -> [Value; 12] {
            [
                new.id.uuid().into(),
                new.user.uuid().into(),
                new.kind.as_str().into(),
                new.kind.category().as_str().into(),
                new.collapse_key.as_deref().into(),
                new.text.title.as_deref().unwrap_or_default().into(),
                new.text.body.as_str().into(),
                new.action.into(),
                new.data.clone().into(),
                new.language.tag().into(),
                new.now.into(),
                new.now.into(),
            ]
        });
        txn.execute_raw(Engine::of(txn.get_database_backend()).statement(&sql, values)).await?;
    }
    Ok(())
}

/// Tells one more event in a notification that nobody has read yet; false when it was read or deleted meanwhile.
pub(crate) async fn merge(
    txn: &DatabaseTransaction,
    into: NotificationId,
    count: i64,
    new: &NewRow<'_>,
) -> Result<bool, StoreError> {
    let update = Engine::of(txn.get_database_backend()).statement(
        "UPDATE notifications SET merged = ?, title = ?, body = ?, data = ?, language = ?, updated_at = ? \
         WHERE id = ? AND user_id = ? AND read_at IS NULL",
        [
            count.into(),
            new.text.title.as_deref().unwrap_or_default().into(),
            new.text.body.as_str().into(),
            new.data.clone().into(),
            new.language.tag().into(),
            new.now.into(),
            into.uuid().into(),
            new.user.uuid().into(),
        ],
    );
    Ok(txn.execute_raw(update).await?.rows_affected() == 1)
}

/// The notifications that a condition lets through, newest first.
pub(super) async fn select(
    db: &impl ConnectionTrait,
    condition: &str,
    values: Vec<Value>,
    rows: u32,
    offset: u64,
) -> Result<Vec<NotificationView>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM notifications WHERE {condition} ORDER BY id DESC LIMIT {rows} OFFSET {offset}"
    );
    let select = Engine::of(db.get_database_backend()).statement(&sql, values);
    db.query_all_raw(select).await?.iter().map(read).collect()
}

/// Removes what came before the moment, some of it; gives how many rows.
pub(crate) async fn forget(
    txn: &DatabaseTransaction,
    table: &str,
    column: &str,
    before: Value,
) -> Result<u64, StoreError> {
    let delete = Engine::of(txn.get_database_backend())
        .statement(&format!("DELETE FROM {table} WHERE {column} < ?"), [before]);
    Ok(txn.execute_raw(delete).await?.rows_affected())
}

fn read(row: &QueryResult) -> Result<NotificationView, StoreError> {
    Ok(NotificationView {
        id: row.try_get::<Uuid>("", "id")?.into(),
        kind: row.try_get("", "kind")?,
        category: row.try_get("", "category")?,
        title: row.try_get("", "title")?,
        body: row.try_get("", "body")?,
        action: row.try_get("", "action")?,
        data: row.try_get("", "data")?,
        language: row.try_get("", "language")?,
        count: row.try_get("", "merged")?,
        created_at: row.try_get("", "created_at")?,
        updated_at: row.try_get("", "updated_at")?,
        read_at: row.try_get("", "read_at")?,
        clicked_at: row.try_get("", "clicked_at")?,
    })
}
