//! Reading people for those who ask.

use chrono::{DateTime, Utc};
use kernel::{TypedId, UserId};
use sea_orm::{ConnectionTrait, QueryResult, Value};
use store::{Engine, StoreError};
use uuid::Uuid;

use super::super::list::{UserFilter, UserSearch};
use super::super::{Language, SellerView, StaffUserView, UserStatus, UserView};
use super::{corrupt, folded, role_of_row, standing_of_row};
use crate::IdentityConfig;

const STAFF_COLUMNS: &str = "u.id, u.phone, u.email, u.phone_verified_at, u.email_verified_at, u.name, u.city, \
    u.state, u.role, u.status, u.status_reason, u.suspended_until, u.last_login_at, u.created_at, u.version, \
    t.confirmed_at FROM users u LEFT JOIN totp_factors t ON t.user_id = u.id";

/// Somebody as they see themselves.
pub(crate) async fn find(
    db: &impl ConnectionTrait,
    user: UserId,
    config: &IdentityConfig,
) -> Result<Option<UserView>, StoreError> {
    let select = Engine::of(db.get_database_backend()).statement(
        "SELECT id, phone, email, phone_verified_at, email_verified_at, name, avatar_photo, avatar_file, city, state, pincode, \
         language, role, status, suspended_until, last_login_at, created_at, version FROM users WHERE id = ?",
        [user.uuid().into()],
    );
    db.query_one_raw(select).await?.as_ref().map(|row| own_view(row, config)).transpose()
}

/// Somebody as staff see them.
pub(in crate::user) async fn find_for_staff(
    db: &impl ConnectionTrait,
    user: UserId,
) -> Result<Option<StaffUserView>, StoreError> {
    let sql = format!("SELECT {STAFF_COLUMNS} WHERE u.id = ?");
    let select = Engine::of(db.get_database_backend()).statement(&sql, [user.uuid().into()]);
    db.query_one_raw(select).await?.as_ref().map(staff_view).transpose()
}

/// One page of the people that the filter lets through, newest first, and how many there are in all.
pub(in crate::user) async fn list_for_staff(
    db: &impl ConnectionTrait,
    filter: &UserFilter,
    (limit, offset): (u32, u64),
) -> Result<(Vec<StaffUserView>, u64), StoreError> {
    let engine = Engine::of(db.get_database_backend());
    let (conditions, values) = conditions(filter);
    let count =
        engine.statement(&format!("SELECT COUNT(*) AS n FROM users u WHERE {conditions}"), values.clone());
    let total: i64 = match db.query_one_raw(count).await? {
        Some(row) => row.try_get("", "n")?,
        None => 0,
    };
    let sql = format!("SELECT {STAFF_COLUMNS} WHERE {conditions} ORDER BY u.id DESC LIMIT ? OFFSET ?");
    let window: [Value; 2] = [i64::from(limit).into(), i64::try_from(offset).unwrap_or(i64::MAX).into()];
    let rows = db.query_all_raw(engine.statement(&sql, values.into_iter().chain(window))).await?;
    let users = rows.iter().map(staff_view).collect::<Result<_, _>>()?;
    Ok((users, u64::try_from(total).unwrap_or(0)))
}

/// These people as buyers see them; those who left are not among them.
pub(in crate::user) async fn sellers(
    db: &impl ConnectionTrait,
    users: &[UserId],
    config: &IdentityConfig,
) -> Result<Vec<SellerView>, StoreError> {
    if users.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT id, name, avatar_file, phone_verified_at, email_verified_at, created_at FROM users \
         WHERE status <> ? AND id IN ({})",
        Engine::placeholders(users.len())
    );
    let ids = users.iter().map(|user| user.uuid().into());
    let values = std::iter::once(UserStatus::Deleted.as_str().into()).chain(ids);
    let rows = db.query_all_raw(Engine::of(db.get_database_backend()).statement(&sql, values)).await?;
    rows.iter()
        .map(|row| {
            Ok(SellerView {
                id: row.try_get::<Uuid>("", "id")?.into(),
                name: row.try_get("", "name")?,
                avatar_url: avatar_url(row, config)?,
                verified: is_set(row, "phone_verified_at")? || is_set(row, "email_verified_at")?,
                member_since: row.try_get("", "created_at")?,
            })
        })
        .collect()
}

/// The phone number of somebody who is active; the outer option says whether there is such a person.
pub(in crate::user) async fn phone(
    db: &impl ConnectionTrait,
    user: UserId,
) -> Result<Option<Option<String>>, StoreError> {
    let select = Engine::of(db.get_database_backend()).statement(
        "SELECT phone FROM users WHERE id = ? AND status = ?",
        [user.uuid().into(), UserStatus::Active.as_str().into()],
    );
    match db.query_one_raw(select).await? {
        Some(row) => Ok(Some(row.try_get("", "phone")?)),
        None => Ok(None),
    }
}

fn conditions(filter: &UserFilter) -> (String, Vec<Value>) {
    let mut conditions = vec!["1 = 1"];
    let mut values: Vec<Value> = Vec::new();
    if let Some(role) = filter.role {
        conditions.push("u.role = ?");
        values.push(role.as_str().into());
    }
    if let Some(status) = filter.status {
        conditions.push("u.status = ?");
        values.push(status.as_str().into());
    }
    match &filter.search {
        Some(UserSearch::Phone(phone)) => {
            conditions.push("u.phone = ?");
            values.push(phone.as_str().into());
        }
        Some(UserSearch::Email(email)) => {
            conditions.push("u.email = ?");
            values.push(email.as_str().into());
        }
        Some(UserSearch::Name(name)) => {
            conditions.push("u.name_folded LIKE ? ESCAPE '!'");
            values.push(format!("%{}%", escaped(&folded(name))).into());
        }
        None => {}
    }
    (conditions.join(" AND "), values)
}

/// The text as `LIKE` takes it literally.
fn escaped(text: &str) -> String {
    text.replace('!', "!!").replace('%', "!%").replace('_', "!_")
}

fn own_view(row: &QueryResult, config: &IdentityConfig) -> Result<UserView, StoreError> {
    let language: String = row.try_get("", "language")?;
    Ok(UserView {
        id: row.try_get::<Uuid>("", "id")?.into(),
        phone: row.try_get("", "phone")?,
        email: row.try_get("", "email")?,
        phone_verified: is_set(row, "phone_verified_at")?,
        email_verified: is_set(row, "email_verified_at")?,
        name: row.try_get("", "name")?,
        avatar_photo_id: row.try_get::<Option<Uuid>>("", "avatar_photo")?.map(Into::into),
        avatar_url: avatar_url(row, config)?,
        city: row.try_get("", "city")?,
        state: row.try_get("", "state")?,
        pincode: row.try_get("", "pincode")?,
        language: Language::find(&language).ok_or_else(|| corrupt("language", &language))?,
        role: role_of_row(row)?,
        status: standing_of_row(row)?.status,
        last_login_at: row.try_get("", "last_login_at")?,
        created_at: row.try_get("", "created_at")?,
        version: row.try_get("", "version")?,
    })
}

fn staff_view(row: &QueryResult) -> Result<StaffUserView, StoreError> {
    let standing = standing_of_row(row)?;
    Ok(StaffUserView {
        id: row.try_get::<Uuid>("", "id")?.into(),
        phone: row.try_get("", "phone")?,
        email: row.try_get("", "email")?,
        phone_verified: is_set(row, "phone_verified_at")?,
        email_verified: is_set(row, "email_verified_at")?,
        name: row.try_get("", "name")?,
        city: row.try_get("", "city")?,
        state: row.try_get("", "state")?,
        role: role_of_row(row)?,
        status: standing.status,
        status_reason: row.try_get("", "status_reason")?,
        suspended_until: standing.suspended_until,
        totp_confirmed: is_set(row, "confirmed_at")?,
        last_login_at: row.try_get("", "last_login_at")?,
        created_at: row.try_get("", "created_at")?,
        version: row.try_get("", "version")?,
    })
}

fn avatar_url(row: &QueryResult, config: &IdentityConfig) -> Result<Option<String>, StoreError> {
    let file: Option<String> = row.try_get("", "avatar_file")?;
    Ok(file.map(|file| config.media_url(&file)))
}

fn is_set(row: &QueryResult, column: &str) -> Result<bool, StoreError> {
    Ok(row.try_get::<Option<DateTime<Utc>>>("", column)?.is_some())
}
