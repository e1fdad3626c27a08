//! The SQL of announcements.

use kernel::{AnnouncementId, TypedId, UserId};
use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult, Value};
use serde_json::Value as Json;
use store::{Engine, StoreError};
use uuid::Uuid;

use super::{AnnouncementFields, AnnouncementInput, AnnouncementView, Audience};

const COLUMNS: &str = "id, title_en, title_hi, body_en, body_hi, action, audience, in_app, push, priority, dismissible, \
                       starts_at, expires_at, status, reached, position_id, version, created_by, created_at, updated_at";

/// The announcements that a condition lets through; it ends with their order.
pub(super) async fn select(
    db: &impl ConnectionTrait,
    condition: &str,
    values: Vec<Value>,
) -> Result<Vec<AnnouncementView>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM announcements WHERE {condition}");
    let select = Engine::of(db.get_database_backend()).statement(&sql, values);
    db.query_all_raw(select).await?.iter().map(read).collect()
}

/// One announcement, its row locked.
pub(super) async fn lock(
    txn: &DatabaseTransaction,
    id: AnnouncementId,
) -> Result<Option<AnnouncementView>, StoreError> {
    let lock = Engine::of(txn.get_database_backend()).for_update();
    let found = select(txn, &format!("id = ?{lock}"), vec![id.uuid().into()]).await?;
    Ok(found.into_iter().next())
}

pub(super) async fn insert(txn: &DatabaseTransaction, view: &AnnouncementView) -> Result<(), StoreError> {
    let sql = format!(
        "INSERT INTO announcements ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    );
    let values = std::iter::once(view.id.uuid().into()).chain(values(view)).chain([
        view.reached.into(),
        view.position.map(UserId::uuid).into(),
        view.version.into(),
        view.created_by.as_str().into(),
        view.created_at.into(),
        view.updated_at.into(),
    ]);
    txn.execute_raw(Engine::of(txn.get_database_backend()).statement(&sql, values)).await?;
    Ok(())
}

/// Writes over an announcement whose row is locked. A fan-out that was under way loses it.
pub(super) async fn update(txn: &DatabaseTransaction, view: &AnnouncementView) -> Result<(), StoreError> {
    let sql = "UPDATE announcements SET title_en = ?, title_hi = ?, body_en = ?, body_hi = ?, action = ?, audience = ?, \
               in_app = ?, push = ?, priority = ?, dismissible = ?, starts_at = ?, expires_at = ?, status = ?, \
               version = ?, updated_at = ?, fan_out_owner = NULL, fan_out_until = NULL WHERE id = ?";
    let tail = [view.version.into(), view.updated_at.into(), view.id.uuid().into()];
    let values = values(view).into_iter().chain(tail);
    txn.execute_raw(Engine::of(txn.get_database_backend()).statement(sql, values)).await?;
    Ok(())
}

fn values(view: &AnnouncementView) -> [Value; 13] {
    let input = view.fields.input();
    [
        input.title_en.as_str().into(),
        input.title_hi.as_deref().into(),
        input.body_en.as_str().into(),
        input.body_hi.as_deref().into(),
        input.action.as_deref().into(),
        serde_json::json!(input.audience).into(),
        input.in_app.into(),
        input.push.into(),
        input.priority.into(),
        input.dismissible.into(),
        input.starts_at.into(),
        input.expires_at.into(),
        view.status.as_str().into(),
    ]
}

fn read(row: &QueryResult) -> Result<AnnouncementView, StoreError> {
    let corrupt = |what: &str| StoreError::Corrupt(format!("an announcement's {what} cannot be read"));
    let audience: Audience = serde_json::from_value(row.try_get::<Json>("", "audience")?)
        .ok()
        .ok_or_else(|| corrupt("audience"))?;
    let status: String = row.try_get("", "status")?;
    Ok(AnnouncementView {
        id: row.try_get::<Uuid>("", "id")?.into(),
        fields: AnnouncementFields(AnnouncementInput {
            title_en: row.try_get("", "title_en")?,
            title_hi: row.try_get("", "title_hi")?,
            body_en: row.try_get("", "body_en")?,
            body_hi: row.try_get("", "body_hi")?,
            action: row.try_get("", "action")?,
            audience,
            in_app: row.try_get("", "in_app")?,
            push: row.try_get("", "push")?,
            priority: row.try_get("", "priority")?,
            dismissible: row.try_get("", "dismissible")?,
            starts_at: row.try_get("", "starts_at")?,
            expires_at: row.try_get("", "expires_at")?,
        }),
        status: status.parse().ok().ok_or_else(|| corrupt("status"))?,
        reached: row.try_get("", "reached")?,
        position: row.try_get::<Option<Uuid>>("", "position_id")?.map(UserId::from),
        version: row.try_get("", "version")?,
        created_by: row.try_get("", "created_by")?,
        created_at: row.try_get("", "created_at")?,
        updated_at: row.try_get("", "updated_at")?,
    })
}
