//! The SQL of devices.

use chrono::{DateTime, Utc};
use kernel::{DeviceId, Sealed, TypedId, UserId};
use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult};
use store::{Engine, StoreError, insert_if_absent};
use uuid::Uuid;

use super::{DeviceView, Platform, TargetKind};

/// A device to be registered.
pub(super) struct NewDevice<'a> {
    pub(super) id: DeviceId,
    pub(super) user: UserId,
    pub(super) kind: TargetKind,
    pub(super) platform: Platform,
    pub(super) hash: &'a str,
    pub(super) sealed: Sealed,
    pub(super) now: DateTime<Utc>,
}

/// Where a token is sealed for.
pub(crate) fn place(device: DeviceId) -> String {
    format!("push_devices|token|{device}")
}

pub(super) async fn insert(txn: &DatabaseTransaction, new: &NewDevice<'_>) -> Result<bool, StoreError> {
    let insert = Engine::of(txn.get_database_backend()).statement(
        "INSERT INTO push_devices (id, user_id, target, platform, token_hash, key_id, token, created_at, seen_at) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            new.id.uuid().into(),
            new.user.uuid().into(),
            new.kind.as_str().into(),
            new.platform.as_str().into(),
            new.hash.into(),
            new.sealed.key_id.as_str().into(),
            new.sealed.bytes.clone().into(),
            new.now.into(),
            new.now.into(),
        ],
    );
    insert_if_absent(txn, insert).await
}

/// Notes that a known device is there and whose it is. A new owner gets it under a new id, so that what was on its way
/// to the old one does not arrive.
pub(super) async fn take_over(txn: &DatabaseTransaction, new: &NewDevice<'_>) -> Result<(), StoreError> {
    let engine = Engine::of(txn.get_database_backend());
    let seen = engine.statement(
        "UPDATE push_devices SET seen_at = ?, platform = ? WHERE token_hash = ? AND user_id = ?",
        [new.now.into(), new.platform.as_str().into(), new.hash.into(), new.user.uuid().into()],
    );
    if txn.execute_raw(seen).await?.rows_affected() == 1 {
        return Ok(());
    }
    let moved = engine.statement(
        "UPDATE push_devices SET id = ?, user_id = ?, target = ?, platform = ?, key_id = ?, token = ?, \
         created_at = ?, seen_at = ? WHERE token_hash = ?",
        [
            new.id.uuid().into(),
            new.user.uuid().into(),
            new.kind.as_str().into(),
            new.platform.as_str().into(),
            new.sealed.key_id.as_str().into(),
            new.sealed.bytes.clone().into(),
            new.now.into(),
            new.now.into(),
            new.hash.into(),
        ],
    );
    txn.execute_raw(moved).await?;
    Ok(())
}

const VIEW: &str = "id, target, platform, created_at, seen_at";

/// Somebody's devices, the one seen last first.
pub(crate) async fn of_user(db: &impl ConnectionTrait, user: UserId) -> Result<Vec<DeviceView>, StoreError> {
    let sql = format!("SELECT {VIEW} FROM push_devices WHERE user_id = ? ORDER BY seen_at DESC, id DESC");
    let select = Engine::of(db.get_database_backend()).statement(&sql, [user.uuid().into()]);
    db.query_all_raw(select).await?.iter().map(read).collect()
}

pub(super) async fn by_hash(db: &impl ConnectionTrait, hash: &str) -> Result<Option<DeviceView>, StoreError> {
    let sql = format!("SELECT {VIEW} FROM push_devices WHERE token_hash = ?");
    let select = Engine::of(db.get_database_backend()).statement(&sql, [hash.into()]);
    db.query_one_raw(select).await?.as_ref().map(read).transpose()
}

/// A device's kind and sealed token, while it is somebody's.
pub(crate) async fn find(
    db: &impl ConnectionTrait,
    device: DeviceId,
    user: UserId,
) -> Result<Option<(TargetKind, Sealed)>, StoreError> {
    let select = Engine::of(db.get_database_backend()).statement(
        "SELECT target, key_id, token FROM push_devices WHERE id = ? AND user_id = ?",
        [device.uuid().into(), user.uuid().into()],
    );
    let Some(row) = db.query_one_raw(select).await? else {
        return Ok(None);
    };
    let kind = word(&row.try_get::<String>("", "target")?)?;
    Ok(Some((kind, Sealed { key_id: row.try_get("", "key_id")?, bytes: row.try_get("", "token")? })))
}

/// Removes a device, whoever's it is.
pub(crate) async fn remove(txn: &DatabaseTransaction, device: DeviceId) -> Result<(), StoreError> {
    let delete = Engine::of(txn.get_database_backend())
        .statement("DELETE FROM push_devices WHERE id = ?", [device.uuid().into()]);
    txn.execute_raw(delete).await?;
    Ok(())
}

pub(super) async fn remove_all(txn: &DatabaseTransaction, user: UserId) -> Result<u64, StoreError> {
    let delete = Engine::of(txn.get_database_backend())
        .statement("DELETE FROM push_devices WHERE user_id = ?", [user.uuid().into()]);
    Ok(txn.execute_raw(delete).await?.rows_affected())
}

fn read(row: &QueryResult) -> Result<DeviceView, StoreError> {
    Ok(DeviceView {
        id: row.try_get::<Uuid>("", "id")?.into(),
        kind: word(&row.try_get::<String>("", "target")?)?,
        platform: word(&row.try_get::<String>("", "platform")?)?,
        created_at: row.try_get("", "created_at")?,
        seen_at: row.try_get("", "seen_at")?,
    })
}

fn word<T: std::str::FromStr>(text: &str) -> Result<T, StoreError> {
    text.parse().ok().ok_or_else(|| StoreError::Corrupt(format!("a device's word is {text}")))
}
