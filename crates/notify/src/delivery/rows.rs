//! The SQL of deliveries.

use chrono::{DateTime, Utc};
use kernel::{DeliveryId, DeviceId, Sealed, TypedId, UserId};
use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult, Value};
use serde_json::Value as Json;
use store::{Engine, StoreError};
use uuid::Uuid;

use super::{DeliveryStatus, DeliveryView};
use crate::{Channel, Kind, Language};

/// A delivery to be written.
#[derive(Debug)]
pub(super) struct NewDelivery<'a> {
    pub(super) id: DeliveryId,
    pub(super) user: UserId,
    pub(super) kind: Kind,
    pub(super) event_key: &'a str,
    pub(super) channel: Channel,
    pub(super) device: Option<DeviceId>,
    pub(super) former: Option<&'a Sealed>,
    pub(super) collapse_key: Option<&'a str>,
    pub(super) language: Language,
    pub(super) params: &'a Json,
    pub(super) action: Option<&'a str>,
    pub(super) status: DeliveryStatus,
    pub(super) reason: Option<&'static str>,
    pub(super) due_at: Option<DateTime<Utc>>,
    pub(super) now: DateTime<Utc>,
}

pub(super) async fn insert(txn: &DatabaseTransaction, new: &NewDelivery<'_>) -> Result<(), StoreError> {
    let insert = Engine::of(txn.get_database_backend()).statement(
        "INSERT INTO notification_deliveries (id, user_id, kind, event_key, channel, device_id, collapse_key, language, \
         params, action, status, reason, attempts, provider_rank, due_at, created_at, updated_at, former_key_id, \
         former_contact) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, ?, ?, ?, ?, ?)",
        [
            new.id.uuid().into(),
            new.user.uuid().into(),
            new.kind.as_str().into(),
            new.event_key.into(),
            new.channel.as_str().into(),
            new.device.map(DeviceId::uuid).into(),
            new.collapse_key.into(),
            new.language.tag().into(),
            new.params.clone().into(),
            new.action.into(),
            new.status.as_str().into(),
            new.reason.into(),
            new.due_at.into(),
            new.now.into(),
            new.now.into(),
            new.former.map(|sealed| sealed.key_id.as_str()).into(),
            new.former.map(|sealed| sealed.bytes.clone()).into(),
        ],
    );
    txn.execute_raw(insert).await?;
    Ok(())
}

/// What a delivery is and how far it is, its row locked.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) id: DeliveryId,
    pub(super) user: UserId,
    pub(super) kind: Option<Kind>,
    pub(super) event_key: String,
    pub(super) channel: Channel,
    pub(super) device: Option<DeviceId>,
    pub(super) former: Option<Sealed>,
    pub(super) collapse_key: Option<String>,
    pub(super) language: Language,
    pub(super) params: Json,
    pub(super) action: Option<String>,
    pub(super) status: DeliveryStatus,
    pub(super) attempts: i32,
    pub(super) due_at: Option<DateTime<Utc>>,
    pub(super) created_at: DateTime<Utc>,
}

pub(super) async fn lock(txn: &DatabaseTransaction, id: DeliveryId) -> Result<Option<Row>, StoreError> {
    let engine = Engine::of(txn.get_database_backend());
    let sql = format!(
        "SELECT user_id, kind, event_key, channel, device_id, collapse_key, language, params, action, status, attempts, due_at, \
         created_at, former_key_id, former_contact FROM notification_deliveries WHERE id = ?{}",
        engine.for_update()
    );
    let row = txn.query_one_raw(engine.statement(&sql, [id.uuid().into()])).await?;
    row.map(|row| {
        Ok(Row {
            id,
            user: row.try_get::<Uuid>("", "user_id")?.into(),
            // A kind that is gone from the catalogue has no words any more.
            kind: row.try_get::<String>("", "kind")?.parse().ok(),
            event_key: row.try_get("", "event_key")?,
            channel: word(&row, "channel")?,
            device: row.try_get::<Option<Uuid>>("", "device_id")?.map(DeviceId::from),
            former: former(&row)?,
            collapse_key: row.try_get("", "collapse_key")?,
            language: Language::of_tag(&row.try_get::<String>("", "language")?),
            params: row.try_get("", "params")?,
            action: row.try_get("", "action")?,
            status: word(&row, "status")?,
            attempts: row.try_get("", "attempts")?,
            due_at: row.try_get("", "due_at")?,
            created_at: row.try_get("", "created_at")?,
        })
    })
    .transpose()
}

fn former(row: &QueryResult) -> Result<Option<Sealed>, StoreError> {
    let key_id: Option<String> = row.try_get("", "former_key_id")?;
    let bytes: Option<Vec<u8>> = row.try_get("", "former_contact")?;
    Ok(key_id.zip(bytes).map(|(key_id, bytes)| Sealed { key_id, bytes }))
}

/// Contacts that another key than the current one sealed, their rows locked.
pub(super) async fn lock_former_sealed_otherwise(
    txn: &DatabaseTransaction,
    current: &str,
) -> Result<Vec<(DeliveryId, Sealed)>, StoreError> {
    let engine = Engine::of(txn.get_database_backend());
    let sql = format!(
        "SELECT id, former_key_id, former_contact FROM notification_deliveries \
         WHERE former_key_id IS NOT NULL AND former_key_id <> ? ORDER BY id LIMIT 1000{}",
        engine.for_update()
    );
    let rows = txn.query_all_raw(engine.statement(&sql, [current.into()])).await?;
    let sealed = |row: &QueryResult| Ok(former(row)?.map(|sealed| (row.try_get::<Uuid>("", "id"), sealed)));
    let found = rows.iter().map(sealed).collect::<Result<Vec<_>, StoreError>>()?;
    found.into_iter().flatten().map(|(id, sealed)| Ok((id?.into(), sealed))).collect()
}

/// Writes a contact as it was sealed anew.
pub(super) async fn set_former(
    txn: &DatabaseTransaction,
    id: DeliveryId,
    sealed: Sealed,
) -> Result<(), StoreError> {
    let update = Engine::of(txn.get_database_backend()).statement(
        "UPDATE notification_deliveries SET former_key_id = ?, former_contact = ? WHERE id = ?",
        [sealed.key_id.into(), sealed.bytes.into(), id.uuid().into()],
    );
    txn.execute_raw(update).await?;
    Ok(())
}

/// Forgets the contact that was sealed for a delivery, unless it may still be sent: by itself, or by staff once it is
/// dead.
pub(super) async fn forget_former(txn: &DatabaseTransaction, id: DeliveryId) -> Result<(), StoreError> {
    let update = Engine::of(txn.get_database_backend()).statement(
        "UPDATE notification_deliveries SET former_key_id = NULL, former_contact = NULL \
         WHERE id = ? AND former_key_id IS NOT NULL AND status NOT IN ('queued', 'sending', 'dead')",
        [id.uuid().into()],
    );
    txn.execute_raw(update).await?;
    Ok(())
}

/// Ends a delivery whose row is locked.
pub(super) async fn end(
    txn: &DatabaseTransaction,
    id: DeliveryId,
    status: DeliveryStatus,
    reason: &'static str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let update = Engine::of(txn.get_database_backend()).statement(
        "UPDATE notification_deliveries SET status = ?, reason = ?, lease_owner = NULL, due_at = NULL, updated_at = ? \
         WHERE id = ?",
        [status.as_str().into(), reason.into(), now.into(), id.uuid().into()],
    );
    txn.execute_raw(update).await?;
    forget_former(txn, id).await
}

/// Puts a delivery off whose row is locked.
pub(super) async fn put_off(
    txn: &DatabaseTransaction,
    id: DeliveryId,
    due_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let update = Engine::of(txn.get_database_backend()).statement(
        "UPDATE notification_deliveries SET due_at = ?, updated_at = ? WHERE id = ? AND status = 'queued'",
        [due_at.into(), now.into(), id.uuid().into()],
    );
    txn.execute_raw(update).await?;
    Ok(())
}

/// Gives the delivery to one sender.
pub(super) async fn take(
    txn: &DatabaseTransaction,
    id: DeliveryId,
    owner: Uuid,
    until: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let update = Engine::of(txn.get_database_backend()).statement(
        "UPDATE notification_deliveries SET status = 'sending', attempts = attempts + 1, lease_owner = ?, due_at = ?, \
         updated_at = ? WHERE id = ? AND status = 'queued'",
        [owner.into(), until.into(), now.into(), id.uuid().into()],
    );
    Ok(txn.execute_raw(update).await?.rows_affected() == 1)
}

/// Gives what has not left yet new facts; tells whether there was anything.
pub(super) async fn refresh_queued(
    txn: &DatabaseTransaction,
    user: UserId,
    collapse_key: &str,
    channel: Channel,
    params: &Json,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let update = Engine::of(txn.get_database_backend()).statement(
        "UPDATE notification_deliveries SET params = ?, updated_at = ? \
         WHERE user_id = ? AND collapse_key = ? AND due_at IS NOT NULL AND channel = ? AND status = 'queued'",
        [params.clone().into(), now.into(), user.uuid().into(), collapse_key.into(), channel.as_str().into()],
    );
    Ok(txn.execute_raw(update).await?.rows_affected() > 0)
}

const VIEW: &str = "id, user_id, kind, channel, device_id, status, reason, attempts, provider_id, last_error, due_at, \
                    created_at, updated_at";

/// The deliveries that a condition lets through, newest first.
pub(super) async fn select(
    db: &impl ConnectionTrait,
    condition: &str,
    values: Vec<Value>,
    rows: u32,
    offset: u64,
) -> Result<Vec<DeliveryView>, StoreError> {
    let sql = format!(
        "SELECT {VIEW} FROM notification_deliveries WHERE {condition} ORDER BY id DESC LIMIT {rows} OFFSET {offset}"
    );
    let select = Engine::of(db.get_database_backend()).statement(&sql, values);
    db.query_all_raw(select).await?.iter().map(read).collect()
}

fn read(row: &QueryResult) -> Result<DeliveryView, StoreError> {
    Ok(DeliveryView {
        id: row.try_get::<Uuid>("", "id")?.into(),
        user_id: row.try_get::<Uuid>("", "user_id")?.into(),
        kind: row.try_get("", "kind")?,
        channel: word(row, "channel")?,
        device_id: row.try_get::<Option<Uuid>>("", "device_id")?.map(DeviceId::from),
        status: word(row, "status")?,
        reason: row.try_get("", "reason")?,
        attempts: row.try_get("", "attempts")?,
        provider_id: row.try_get("", "provider_id")?,
        last_error: row.try_get("", "last_error")?,
        due_at: row.try_get("", "due_at")?,
        created_at: row.try_get("", "created_at")?,
        updated_at: row.try_get("", "updated_at")?,
    })
}

fn word<T: std::str::FromStr>(row: &QueryResult, column: &str) -> Result<T, StoreError> {
    let text: String = row.try_get("", column)?;
    text.parse().ok().ok_or_else(|| StoreError::Corrupt(format!("a delivery's {column} is {text}")))
}
