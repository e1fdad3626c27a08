//! Changing people's rows. The row is locked before, and its version grows with every change.

use chrono::{DateTime, Utc};
use kernel::{Role, TypedId, UserId};
use sea_orm::{ConnectionTrait, DatabaseTransaction, Value};
use store::{Engine, StoreError};
use uuid::Uuid;

use super::super::{Avatar, Language, UserStatus};
use super::reach::place_key;
use super::{Standing, folded};
use crate::Contact;

/// What somebody may change of themselves.
pub(in crate::user) struct ProfileFacts {
    pub(in crate::user) name: String,
    /// `None` leaves the picture as it is.
    pub(in crate::user) avatar: Option<Option<Avatar>>,
    pub(in crate::user) city: Option<String>,
    pub(in crate::user) state: Option<String>,
    pub(in crate::user) pincode: Option<String>,
    pub(in crate::user) language: Language,
}

/// Whose contact it becomes, and when that was proved.
pub(in crate::user) struct ContactFacts<'a> {
    pub(in crate::user) user: UserId,
    pub(in crate::user) contact: &'a Contact,
    pub(in crate::user) verified_at: DateTime<Utc>,
}

pub(in crate::user) async fn set_profile_in_txn(
    txn: &DatabaseTransaction,
    user: UserId,
    facts: ProfileFacts,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let name_folded = folded(&facts.name);
    let set = "name = ?, name_folded = ?, city_key = ?, state_key = ?, city = ?, state = ?, pincode = ?, language = ?";
    let values: [Value; 8] = [
        facts.name.into(),
        name_folded.into(),
        facts.city.as_deref().map(place_key).into(),
        facts.state.as_deref().map(place_key).into(),
        facts.city.into(),
        facts.state.into(),
        facts.pincode.into(),
        facts.language.as_str().into(),
    ];
    update(txn, user, now, set, values).await?;
    if let Some(avatar) = facts.avatar {
        let (photo, file) = avatar.map(|avatar| (Uuid::from(avatar.photo), avatar.file)).unzip();
        let set = "UPDATE users SET avatar_photo = ?, avatar_file = ? WHERE id = ?";
        let values: [Value; 3] = [photo.into(), file.into(), user.uuid().into()];
        txn.execute_raw(Engine::of(txn.get_database_backend()).statement(set, values)).await?;
    }
    Ok(())
}

/// Gives somebody the contact; a unique violation says that it is another's.
pub(in crate::user) async fn set_contact_in_txn(
    txn: &DatabaseTransaction,
    facts: ContactFacts<'_>,
) -> Result<(), StoreError> {
    let column = facts.contact.kind();
    let set = format!("{column} = ?, {column}_verified_at = ?");
    let values: [Value; 2] = [facts.contact.as_str().into(), facts.verified_at.into()];
    update(txn, facts.user, facts.verified_at, &set, values).await
}

pub(in crate::user) async fn set_status_in_txn(
    txn: &DatabaseTransaction,
    user: UserId,
    standing: Standing,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let values: [Value; 3] =
        [standing.status.as_str().into(), standing.suspended_until.into(), reason.into()];
    update(txn, user, now, "status = ?, suspended_until = ?, status_reason = ?", values).await
}

pub(in crate::user) async fn set_role_in_txn(
    txn: &DatabaseTransaction,
    user: UserId,
    role: Role,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    update(txn, user, now, "role = ?", [role.as_str().into()]).await
}

/// Ends a suspension whose time is over.
pub(crate) async fn lift_in_txn(
    txn: &DatabaseTransaction,
    user: UserId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let active = UserStatus::Active.as_str().into();
    update(txn, user, now, "status = ?, suspended_until = NULL", [active]).await
}

/// Notes a login by this contact, which proves it theirs.
pub(crate) async fn note_login_in_txn(
    txn: &DatabaseTransaction,
    user: UserId,
    contact: &Contact,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let column = contact.kind();
    let set = format!("last_login_at = ?, {column}_verified_at = COALESCE({column}_verified_at, ?)");
    update(txn, user, now, &set, [now.into(), now.into()]).await
}

async fn update<const N: usize>(
    txn: &DatabaseTransaction,
    user: UserId,
    now: DateTime<Utc>,
    set: &str,
    values: [Value; N],
) -> Result<(), StoreError> {
    let sql = format!("UPDATE users SET {set}, version = version + 1, updated_at = ? WHERE id = ?");
    let values = values.into_iter().chain([now.into(), user.uuid().into()]);
    let update = Engine::of(txn.get_database_backend()).statement(&sql, values);
    txn.execute_raw(update).await?;
    Ok(())
}
