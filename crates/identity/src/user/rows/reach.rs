//! Reading how people can be reached.

use kernel::{Role, TypedId, UserId};
use sea_orm::{ConnectionTrait, QueryResult, Value};
use store::{Engine, StoreError};
use uuid::Uuid;

use super::super::reach::Reach;
use crate::UserStatus;

const COLUMNS: &str = "id, language, phone_verified_at IS NOT NULL AND phone IS NOT NULL AS has_phone, \
                       email_verified_at IS NOT NULL AND email IS NOT NULL AS has_email, city, state, role";
/// How many people one statement asks for.
const AT_ONCE: usize = 256;

pub(in crate::user) async fn reach(
    db: &impl ConnectionTrait,
    users: &[UserId],
) -> Result<Vec<Reach>, StoreError> {
    let engine = Engine::of(db.get_database_backend());
    let mut found = Vec::with_capacity(users.len());
    for some in users.chunks(AT_ONCE) {
        let length = some.len().next_power_of_two();
        let sql = format!(
            "SELECT {COLUMNS} FROM users WHERE id IN ({}) AND status <> ?",
            Engine::placeholders(length)
        );
        let ids = some.iter().cycle().take(length).map(|user| Value::from(user.uuid()));
        let values = ids.chain([UserStatus::Deleted.as_str().into()]);
        for row in db.query_all_raw(engine.statement(&sql, values)).await? {
            found.push(read(&row)?);
        }
    }
    found.sort_by_key(|one| one.user);
    Ok(found)
}

pub(in crate::user) async fn reach_after(
    db: &impl ConnectionTrait,
    after: Option<UserId>,
    limit: u32,
) -> Result<Vec<Reach>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM users WHERE id > ? AND status = ? ORDER BY id LIMIT {limit}");
    let after = after.map_or(Uuid::nil(), TypedId::uuid);
    let values = [after.into(), UserStatus::Active.as_str().into()];
    let rows = db.query_all_raw(Engine::of(db.get_database_backend()).statement(&sql, values)).await?;
    rows.iter().map(read).collect()
}

/// Number and address, each if it is verified.
pub(in crate::user) async fn verified_contact(
    db: &impl ConnectionTrait,
    user: UserId,
) -> Result<Option<(Option<String>, Option<String>)>, StoreError> {
    let select = Engine::of(db.get_database_backend()).statement(
        "SELECT CASE WHEN phone_verified_at IS NULL THEN NULL ELSE phone END AS phone, \
         CASE WHEN email_verified_at IS NULL THEN NULL ELSE email END AS email \
         FROM users WHERE id = ? AND status <> ?",
        [user.uuid().into(), UserStatus::Deleted.as_str().into()],
    );
    let row = db.query_one_raw(select).await?;
    row.map(|row| Ok((row.try_get("", "phone")?, row.try_get("", "email")?))).transpose()
}

fn read(row: &QueryResult) -> Result<Reach, StoreError> {
    let role: String = row.try_get("", "role")?;
    let unknown = |_| StoreError::Corrupt(format!("the role {role} is unknown"));
    Ok(Reach {
        user: row.try_get::<Uuid>("", "id")?.into(),
        language: row.try_get("", "language")?,
        has_phone: row.try_get("", "has_phone")?,
        has_email: row.try_get("", "has_email")?,
        city: row.try_get("", "city")?,
        state: row.try_get("", "state")?,
        role: role.parse::<Role>().map_err(unknown)?,
    })
}
