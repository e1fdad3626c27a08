//! Reading how people can be reached.

use kernel::{Role, TypedId, UserId};
use sea_orm::{ConnectionTrait, QueryResult, Value};
use store::{Engine, StoreError, lists};
use uuid::Uuid;

use super::super::reach::{Among, Reach};
use crate::UserStatus;

const COLUMNS: &str = "id, language, phone_verified_at IS NOT NULL AND phone IS NOT NULL AS has_phone, \
                       email_verified_at IS NOT NULL AND email IS NOT NULL AS has_email, city, state, role";

pub(in crate::user) async fn reach(
    db: &impl ConnectionTrait,
    users: &[UserId],
) -> Result<Vec<Reach>, StoreError> {
    let engine = Engine::of(db.get_database_backend());
    let mut found = Vec::with_capacity(users.len());
    for (these, some) in lists(users) {
        let sql = format!("SELECT {COLUMNS} FROM users WHERE id IN ({these}) AND status <> ?");
        let ids = some.map(|user| Value::from(user.uuid()));
        let values = ids.chain([UserStatus::Deleted.as_str().into()]);
        for row in db.query_all_raw(engine.statement(&sql, values)).await? {
            found.push(read(&row)?);
        }
    }
    found.sort_by_key(|one| one.user);
    Ok(found)
}

/// Those of them who may use the marketplace, so many after somebody; each kind of selection has its index.
pub(in crate::user) async fn reach_after(
    db: &impl ConnectionTrait,
    among: &Among,
    after: Option<UserId>,
    limit: u32,
) -> Result<Vec<Reach>, StoreError> {
    let (condition, mut values) = condition(among);
    let sql = format!("SELECT {COLUMNS} FROM users WHERE {condition} AND id > ? ORDER BY id LIMIT {limit}");
    values.push(after.map_or(Uuid::nil(), TypedId::uuid).into());
    let rows = db.query_all_raw(Engine::of(db.get_database_backend()).statement(&sql, values)).await?;
    rows.iter().map(read).collect()
}

/// How many of them may use the marketplace.
pub(in crate::user) async fn count_among(
    db: &impl ConnectionTrait,
    among: &Among,
) -> Result<u64, StoreError> {
    let (condition, values) = condition(among);
    let sql = format!("SELECT COUNT(*) AS n FROM users WHERE {condition}");
    let row = db.query_one_raw(Engine::of(db.get_database_backend()).statement(&sql, values)).await?;
    let count: i64 = row.map(|row| row.try_get("", "n")).transpose()?.unwrap_or_default();
    Ok(u64::try_from(count).unwrap_or_default())
}

fn condition(among: &Among) -> (String, Vec<Value>) {
    let (condition, values): (String, Vec<Value>) = match among {
        Among::Everybody => ("1 = 1".to_owned(), Vec::new()),
        Among::City(city) => ("city_key = ?".to_owned(), vec![place_key(city).into()]),
        Among::State(state) => ("state_key = ?".to_owned(), vec![place_key(state).into()]),
        Among::Role(role) => ("role = ?".to_owned(), vec![role.as_str().into()]),
        Among::These(users) if users.is_empty() => ("1 = 0".to_owned(), Vec::new()),
        Among::These(users) => (
            format!("id IN ({})", Engine::placeholders(users.len())),
            users.iter().map(|user| user.uuid().into()).collect(),
        ),
    };
    let status = [UserStatus::Active.as_str().into()];
    (format!("{condition} AND status = ?"), values.into_iter().chain(status).collect())
}

/// A place as it is compared: without the spaces around it, in small letters.
pub(super) fn place_key(name: &str) -> String {
    name.trim().to_lowercase()
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
