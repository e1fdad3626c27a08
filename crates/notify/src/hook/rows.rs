//! The SQL of endpoints and their webhooks.

use chrono::{DateTime, Utc};
use kernel::{HookDeliveryId, HookId, Sealed, TypedId};
use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult, Value};
use serde_json::Value as Json;
use store::{Engine, StoreError};
use uuid::Uuid;

use super::{HookDeliveryView, HookStatus, HookView, Topic};

/// What is stored of an endpoint.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) view: HookView,
    pub(super) topics: Vec<Topic>,
    pub(super) secret: Sealed,
    pub(super) old_secret: Option<Sealed>,
}

const COLUMNS: &str = "id, url, description, topics, status, key_id, secret, old_key_id, old_secret, old_secret_until, \
                       failing_since, version, created_at, updated_at";

/// The endpoints that a condition lets through, in the order they were made.
pub(super) async fn select(
    db: &impl ConnectionTrait,
    condition: &str,
    values: Vec<Value>,
) -> Result<Vec<Row>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM hook_endpoints WHERE {condition}");
    let select = Engine::of(db.get_database_backend()).statement(&sql, values);
    db.query_all_raw(select).await?.iter().map(read).collect()
}

/// One endpoint, its row locked.
pub(super) async fn lock(txn: &DatabaseTransaction, id: HookId) -> Result<Option<Row>, StoreError> {
    let lock = Engine::of(txn.get_database_backend()).for_update();
    let found = select(txn, &format!("id = ?{lock}"), vec![id.uuid().into()]).await?;
    Ok(found.into_iter().next())
}

pub(super) async fn insert(txn: &DatabaseTransaction, row: &Row) -> Result<(), StoreError> {
    let sql =
        format!("INSERT INTO hook_endpoints ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    let values = std::iter::once(row.view.id.uuid().into()).chain(values(row));
    let values = values.chain([row.view.created_at.into(), row.view.updated_at.into()]);
    txn.execute_raw(Engine::of(txn.get_database_backend()).statement(&sql, values)).await?;
    Ok(())
}

/// Writes over an endpoint whose row is locked.
pub(super) async fn update(txn: &DatabaseTransaction, row: &Row) -> Result<(), StoreError> {
    let sql = "UPDATE hook_endpoints SET url = ?, description = ?, topics = ?, status = ?, key_id = ?, secret = ?, \
               old_key_id = ?, old_secret = ?, old_secret_until = ?, failing_since = ?, version = ?, updated_at = ? \
               WHERE id = ?";
    let values = values(row).into_iter().chain([row.view.updated_at.into(), row.view.id.uuid().into()]);
    txn.execute_raw(Engine::of(txn.get_database_backend()).statement(sql, values)).await?;
    Ok(())
}

fn values(row: &Row) -> [Value; 11] {
    let topics: Vec<_> = row.topics.iter().map(Topic::as_str).collect();
    [
        row.view.url.as_str().into(),
        row.view.description.as_str().into(),
        serde_json::json!(topics).into(),
        row.view.status.as_str().into(),
        row.secret.key_id.as_str().into(),
        row.secret.bytes.clone().into(),
        row.old_secret.as_ref().map(|sealed| sealed.key_id.clone()).into(),
        row.old_secret.as_ref().map(|sealed| sealed.bytes.clone()).into(),
        row.view.old_secret_until.into(),
        row.view.failing_since.into(),
        row.view.version.into(),
    ]
}

fn read(row: &QueryResult) -> Result<Row, StoreError> {
    let topics: Vec<String> = match row.try_get::<Json>("", "topics")? {
        Json::Array(topics) => topics.iter().filter_map(Json::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    let status: String = row.try_get("", "status")?;
    let status = [HookStatus::Enabled, HookStatus::Disabled, HookStatus::Failing]
        .into_iter()
        .find(|known| known.as_str() == status)
        .ok_or_else(|| StoreError::Corrupt(format!("a webhook endpoint's status is {status}")))?;
    let old_key: Option<String> = row.try_get("", "old_key_id")?;
    let old_bytes: Option<Vec<u8>> = row.try_get("", "old_secret")?;
    Ok(Row {
        topics: topics.iter().filter_map(|topic| Topic::parse(topic).ok()).collect(),
        secret: Sealed { key_id: row.try_get("", "key_id")?, bytes: row.try_get("", "secret")? },
        old_secret: old_key.zip(old_bytes).map(|(key_id, bytes)| Sealed { key_id, bytes }),
        view: HookView {
            id: row.try_get::<Uuid>("", "id")?.into(),
            url: row.try_get("", "url")?,
            description: row.try_get("", "description")?,
            topics,
            status,
            old_secret_until: row.try_get("", "old_secret_until")?,
            failing_since: row.try_get("", "failing_since")?,
            version: row.try_get("", "version")?,
            created_at: row.try_get("", "created_at")?,
            updated_at: row.try_get("", "updated_at")?,
        },
    })
}

const DELIVERY: &str = "id, endpoint_id, event_id, kind, status, attempts, last_status, last_error, due_at, created_at, \
                        updated_at";

/// The webhooks that a condition lets through, newest first.
pub(super) async fn deliveries(
    db: &impl ConnectionTrait,
    condition: &str,
    values: Vec<Value>,
    rows: u32,
    offset: u64,
) -> Result<Vec<HookDeliveryView>, StoreError> {
    let sql = format!(
        "SELECT {DELIVERY} FROM hook_deliveries WHERE {condition} ORDER BY id DESC LIMIT {rows} OFFSET {offset}"
    );
    let select = Engine::of(db.get_database_backend()).statement(&sql, values);
    db.query_all_raw(select).await?.iter().map(read_delivery).collect()
}

fn read_delivery(row: &QueryResult) -> Result<HookDeliveryView, StoreError> {
    Ok(HookDeliveryView {
        id: row.try_get::<Uuid>("", "id")?.into(),
        endpoint_id: row.try_get::<Uuid>("", "endpoint_id")?.into(),
        event_id: row.try_get::<Uuid>("", "event_id")?.into(),
        kind: row.try_get("", "kind")?,
        status: row.try_get("", "status")?,
        attempts: row.try_get("", "attempts")?,
        last_status: row.try_get("", "last_status")?,
        last_error: row.try_get("", "last_error")?,
        due_at: row.try_get("", "due_at")?,
        created_at: row.try_get("", "created_at")?,
        updated_at: row.try_get("", "updated_at")?,
    })
}

/// A webhook that is being taken.
#[derive(Debug)]
pub(super) struct Queued {
    pub(super) endpoint: HookId,
    pub(super) event: Uuid,
    pub(super) body: String,
    pub(super) status: String,
    pub(super) attempts: i32,
    pub(super) due_at: Option<DateTime<Utc>>,
}

/// A webhook's row, locked.
pub(super) async fn lock_delivery(
    txn: &DatabaseTransaction,
    id: HookDeliveryId,
) -> Result<Option<Queued>, StoreError> {
    let engine = Engine::of(txn.get_database_backend());
    let sql = format!(
        "SELECT endpoint_id, event_id, body, status, attempts, due_at FROM hook_deliveries WHERE id = ?{}",
        engine.for_update()
    );
    let row = txn.query_one_raw(engine.statement(&sql, [id.uuid().into()])).await?;
    row.map(|row| {
        Ok(Queued {
            endpoint: row.try_get::<Uuid>("", "endpoint_id")?.into(),
            event: row.try_get("", "event_id")?,
            body: row.try_get("", "body")?,
            status: row.try_get("", "status")?,
            attempts: row.try_get("", "attempts")?,
            due_at: row.try_get("", "due_at")?,
        })
    })
    .transpose()
}

/// Which endpoint a webhook is for; it never changes.
pub(super) async fn endpoint_of(
    txn: &DatabaseTransaction,
    id: HookDeliveryId,
) -> Result<Option<HookId>, StoreError> {
    let select = Engine::of(txn.get_database_backend())
        .statement("SELECT endpoint_id FROM hook_deliveries WHERE id = ?", [id.uuid().into()]);
    let row = txn.query_one_raw(select).await?;
    row.map(|row| Ok(row.try_get::<Uuid>("", "endpoint_id")?.into())).transpose()
}

/// Whether a webhook of the endpoint is on its way: its sender has not had too long for it.
pub(super) async fn is_busy(
    txn: &DatabaseTransaction,
    endpoint: HookId,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let select = Engine::of(txn.get_database_backend()).statement(
        "SELECT 1 AS one FROM hook_deliveries WHERE endpoint_id = ? AND due_at > ? AND status = 'sending' LIMIT 1",
        [endpoint.uuid().into(), now.into()],
    );
    Ok(txn.query_one_raw(select).await?.is_some())
}

/// The endpoint's webhook that is due and whose event came first.
pub(super) async fn oldest_due(
    txn: &DatabaseTransaction,
    endpoint: HookId,
    now: DateTime<Utc>,
) -> Result<Option<HookDeliveryId>, StoreError> {
    let select = Engine::of(txn.get_database_backend()).statement(
        "SELECT id FROM hook_deliveries WHERE endpoint_id = ? AND due_at <= ? ORDER BY event_sequence, id LIMIT 1",
        [endpoint.uuid().into(), now.into()],
    );
    let row = txn.query_one_raw(select).await?;
    row.map(|row| Ok(row.try_get::<Uuid>("", "id")?.into())).transpose()
}

/// Ends all webhooks that are due to an endpoint which is to get none any more.
pub(super) async fn cancel_due(
    txn: &DatabaseTransaction,
    endpoint: HookId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let cancel = Engine::of(txn.get_database_backend()).statement(
        "UPDATE hook_deliveries SET status = 'cancelled', lease_owner = NULL, due_at = NULL, updated_at = ? \
         WHERE endpoint_id = ? AND due_at <= ?",
        [now.into(), endpoint.uuid().into(), now.into()],
    );
    txn.execute_raw(cancel).await?;
    Ok(())
}
