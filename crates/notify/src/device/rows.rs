//! The SQL of devices.

use chrono::{DateTime, Utc};
use kernel::{DeviceId, Sealed, SessionId, TypedId, UserId};
use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult};
use store::{Engine, StoreError, insert_if_absent};
use uuid::Uuid;

use super::{DeviceView, Platform, TargetKind};

/// A device to be registered.
pub(super) struct NewDevice<'a> {
    pub(super) id: DeviceId,
    pub(super) user: UserId,
    pub(super) session: SessionId,
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
        "INSERT INTO push_devices (id, user_id, session_id, target, platform, token_hash, key_id, token, created_at, \
         seen_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            new.id.uuid().into(),
            new.user.uuid().into(),
            new.session.uuid().into(),
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
        "UPDATE push_devices SET seen_at = ?, platform = ?, session_id = ? WHERE token_hash = ? AND user_id = ?",
        [
            new.now.into(),
            new.platform.as_str().into(),
            new.session.uuid().into(),
            new.hash.into(),
            new.user.uuid().into(),
        ],
    );
    if txn.execute_raw(seen).await?.rows_affected() == 1 {
        return Ok(());
    }
    let moved = engine.statement(
        "UPDATE push_devices SET id = ?, user_id = ?, session_id = ?, target = ?, platform = ?, key_id = ?, \
         token = ?, created_at = ?, seen_at = ? WHERE token_hash = ?",
        [
            new.id.uuid().into(),
            new.user.uuid().into(),
            new.session.uuid().into(),
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

/// A device as messages find it.
pub(crate) struct Found {
    pub(crate) kind: TargetKind,
    pub(crate) session: SessionId,
    pub(crate) token: Sealed,
}

/// A device, while it is somebody's. One from before logins were noted is passed over until it registers again.
pub(crate) async fn find(
    db: &impl ConnectionTrait,
    device: DeviceId,
    user: UserId,
) -> Result<Option<Found>, StoreError> {
    let select = Engine::of(db.get_database_backend()).statement(
        "SELECT target, session_id, key_id, token FROM push_devices \
         WHERE id = ? AND user_id = ? AND session_id IS NOT NULL",
        [device.uuid().into(), user.uuid().into()],
    );
    let Some(row) = db.query_one_raw(select).await? else {
        return Ok(None);
    };
    Ok(Some(Found {
        kind: word(&row.try_get::<String>("", "target")?)?,
        session: row.try_get::<Uuid>("", "session_id")?.into(),
        token: sealed(&row)?,
    }))
}

/// Some devices whose token another key than this sealed, after this one, in the order of their ids; locked.
pub(super) async fn lock_sealed_otherwise(
    txn: &DatabaseTransaction,
    key: &str,
    after: DeviceId,
    limit: u32,
) -> Result<Vec<(DeviceId, Sealed)>, StoreError> {
    let engine = Engine::of(txn.get_database_backend());
    let sql = format!(
        "SELECT id, key_id, token FROM push_devices WHERE (key_id < ? OR key_id > ?) AND id > ? \
         ORDER BY id LIMIT {limit}{}",
        engine.for_update()
    );
    let rows =
        txn.query_all_raw(engine.statement(&sql, [key.into(), key.into(), after.uuid().into()])).await?;
    rows.iter().map(|row| Ok((row.try_get::<Uuid>("", "id")?.into(), sealed(row)?))).collect()
}

/// Writes the token of a device whose row is locked, sealed by another key.
pub(super) async fn set_sealed(
    txn: &DatabaseTransaction,
    device: DeviceId,
    sealed: Sealed,
) -> Result<(), StoreError> {
    let update = Engine::of(txn.get_database_backend()).statement(
        "UPDATE push_devices SET key_id = ?, token = ? WHERE id = ?",
        [sealed.key_id.into(), sealed.bytes.into(), device.uuid().into()],
    );
    txn.execute_raw(update).await?;
    Ok(())
}

fn sealed(row: &QueryResult) -> Result<Sealed, StoreError> {
    Ok(Sealed { key_id: row.try_get("", "key_id")?, bytes: row.try_get("", "token")? })
}

/// Removes a device, whoever's it is.
pub(crate) async fn remove(txn: &DatabaseTransaction, device: DeviceId) -> Result<(), StoreError> {
    let delete = Engine::of(txn.get_database_backend())
        .statement("DELETE FROM push_devices WHERE id = ?", [device.uuid().into()]);
    txn.execute_raw(delete).await?;
    Ok(())
}

pub(super) async fn remove_of_session(
    txn: &DatabaseTransaction,
    session: SessionId,
) -> Result<u64, StoreError> {
    let delete = Engine::of(txn.get_database_backend())
        .statement("DELETE FROM push_devices WHERE session_id = ?", [session.uuid().into()]);
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
