//! The rows of people: finding, locking and inserting them.

mod change;
mod reach;
mod read;

use chrono::{DateTime, Utc};
use kernel::{Role, TypedId, UserId};
use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult};
use store::{Engine, StoreError, insert_if_absent};
use uuid::Uuid;

pub(super) use change::{
    ContactFacts, ProfileFacts, set_contact_in_txn, set_profile_in_txn, set_role_in_txn, set_status_in_txn,
};
pub(crate) use change::{lift_in_txn, note_login_in_txn};
pub(super) use reach::{count_among, reach, reach_after, verified_contact};
pub(crate) use read::find;
pub(super) use read::{find_for_staff, list_for_staff, phone, sellers};

use super::rules::{Standing, Target};
use super::{Language, UserStatus};
use crate::Contact;

/// Somebody about to get an account.
pub(crate) struct NewUser<'a> {
    pub(crate) id: UserId,
    pub(crate) contact: &'a Contact,
    pub(crate) name: &'a str,
    pub(crate) role: Role,
    pub(crate) now: DateTime<Utc>,
}

/// Makes the account; tells whether the contact was free.
pub(crate) async fn insert_in_txn(txn: &DatabaseTransaction, user: &NewUser<'_>) -> Result<bool, StoreError> {
    let column = user.contact.kind();
    let insert = Engine::of(txn.get_database_backend()).statement(
        &format!(
            "INSERT INTO users (id, {column}, name, name_folded, language, role, status, version, created_at, \
             updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?, ?)"
        ),
        [
            user.id.uuid().into(),
            user.contact.as_str().into(),
            user.name.into(),
            folded(user.name).into(),
            Language::En.as_str().into(),
            user.role.as_str().into(),
            UserStatus::Active.as_str().into(),
            user.now.into(),
            user.now.into(),
        ],
    );
    insert_if_absent(txn, insert).await
}

/// Reads the person's rank and standing, and locks the row.
pub(crate) async fn lock(txn: &DatabaseTransaction, user: UserId) -> Result<Option<Target>, StoreError> {
    let engine = Engine::of(txn.get_database_backend());
    let sql = format!("SELECT role, status, suspended_until FROM users WHERE id = ?{}", engine.for_update());
    match txn.query_one_raw(engine.statement(&sql, [user.uuid().into()])).await? {
        Some(row) => {
            Ok(Some(Target { id: user, role: role_of_row(&row)?, standing: standing_of_row(&row)? }))
        }
        None => Ok(None),
    }
}

/// The person whose contact it is, locked.
pub(crate) async fn lock_by_contact(
    txn: &DatabaseTransaction,
    contact: &Contact,
) -> Result<Option<(UserId, Standing)>, StoreError> {
    let engine = Engine::of(txn.get_database_backend());
    let sql = format!(
        "SELECT id, status, suspended_until FROM users WHERE {} = ?{}",
        contact.kind(),
        engine.for_update()
    );
    match txn.query_one_raw(engine.statement(&sql, [contact.as_str().into()])).await? {
        Some(row) => Ok(Some((row.try_get::<Uuid>("", "id")?.into(), standing_of_row(&row)?))),
        None => Ok(None),
    }
}

/// The ids of all active super admins, whose rows are locked in the order of their ids together with those of the
/// other super admins. Whoever takes the rank from somebody locks these first, so two of them take turns.
pub(super) async fn lock_super_admins(txn: &DatabaseTransaction) -> Result<Vec<UserId>, StoreError> {
    let engine = Engine::of(txn.get_database_backend());
    let sql = format!("SELECT id, status FROM users WHERE role = ? ORDER BY id{}", engine.for_update());
    let rows = txn.query_all_raw(engine.statement(&sql, [Role::SuperAdmin.as_str().into()])).await?;
    let mut active = Vec::with_capacity(rows.len());
    for row in &rows {
        if row.try_get::<String>("", "status")? == UserStatus::Active.as_str() {
            active.push(row.try_get::<Uuid>("", "id")?.into());
        }
    }
    Ok(active)
}

/// The person's standing.
pub(crate) async fn standing(
    db: &impl ConnectionTrait,
    user: UserId,
) -> Result<Option<Standing>, StoreError> {
    let select = Engine::of(db.get_database_backend())
        .statement("SELECT status, suspended_until FROM users WHERE id = ?", [user.uuid().into()]);
    match db.query_one_raw(select).await? {
        Some(row) => Ok(Some(standing_of_row(&row)?)),
        None => Ok(None),
    }
}

/// Reads the columns `status` and `suspended_until`.
pub(crate) fn standing_of_row(row: &QueryResult) -> Result<Standing, StoreError> {
    let status: String = row.try_get("", "status")?;
    Ok(Standing {
        status: UserStatus::find(&status).ok_or_else(|| corrupt("status", &status))?,
        suspended_until: row.try_get("", "suspended_until")?,
    })
}

/// Reads the column `role`.
fn role_of_row(row: &QueryResult) -> Result<Role, StoreError> {
    let role: String = row.try_get("", "role")?;
    role.parse().ok().ok_or_else(|| corrupt("role", &role))
}

fn corrupt(column: &str, value: &str) -> StoreError {
    StoreError::Corrupt(format!("users.{column} is {value}"))
}

/// The form in which names are compared when they are searched.
fn folded(name: &str) -> String {
    name.to_lowercase().chars().take(240).collect()
}
