//! Slots: what somebody has open about one thing, in which the next notification about it is merged.

use chrono::{DateTime, Utc};
use kernel::{NotificationId, TypedId, UserId};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use store::{Engine, StoreError, insert_if_absent};
use uuid::Uuid;

/// The slot of a collapse key.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) notification: Option<NotificationId>,
    pub(super) opened_at: DateTime<Utc>,
    pub(super) merged: i64,
}

/// The slot, locked; made where there is none, so that two first events wait for each other too.
pub(super) async fn lock(
    txn: &DatabaseTransaction,
    user: UserId,
    key: &str,
    now: DateTime<Utc>,
) -> Result<Slot, StoreError> {
    let engine = Engine::of(txn.get_database_backend());
    let insert = engine.statement(
        "INSERT INTO notification_slots (user_id, collapse_key, opened_at, merged) VALUES (?, ?, ?, 0)",
        [user.uuid().into(), key.into(), now.into()],
    );
    insert_if_absent(txn, insert).await?;
    let sql = format!(
        "SELECT notification_id, opened_at, merged FROM notification_slots WHERE user_id = ? AND collapse_key = ?{}",
        engine.for_update()
    );
    let row = txn.query_one_raw(engine.statement(&sql, [user.uuid().into(), key.into()])).await?;
    let row = row.ok_or_else(|| StoreError::Corrupt("a slot that was made is gone".to_owned()))?;
    Ok(Slot {
        notification: row.try_get::<Option<Uuid>>("", "notification_id")?.map(NotificationId::from),
        opened_at: row.try_get("", "opened_at")?,
        merged: i64::from(row.try_get::<i32>("", "merged")?),
    })
}

/// Writes what is open in a slot that is locked; `opened_at` when it is a new one.
pub(super) async fn fill(
    txn: &DatabaseTransaction,
    user: UserId,
    key: &str,
    notification: Option<NotificationId>,
    merged: i64,
    opened_at: Option<DateTime<Utc>>,
) -> Result<(), StoreError> {
    let update = Engine::of(txn.get_database_backend()).statement(
        "UPDATE notification_slots SET notification_id = ?, merged = ?, opened_at = COALESCE(?, opened_at) \
         WHERE user_id = ? AND collapse_key = ?",
        [
            notification.map(|id| id.uuid()).into(),
            merged.into(),
            opened_at.into(),
            user.uuid().into(),
            key.into(),
        ],
    );
    txn.execute_raw(update).await?;
    Ok(())
}

/// Whether somebody has a notification that they have not read.
pub(super) async fn is_unread(
    txn: &DatabaseTransaction,
    user: UserId,
    id: NotificationId,
) -> Result<bool, StoreError> {
    let engine = Engine::of(txn.get_database_backend());
    let sql = format!(
        "SELECT id FROM notifications WHERE id = ? AND user_id = ? AND read_at IS NULL{}",
        engine.for_update()
    );
    Ok(txn.query_one_raw(engine.statement(&sql, [id.uuid().into(), user.uuid().into()])).await?.is_some())
}
