//! The rows of sessions.

use chrono::{DateTime, Utc};
use kernel::{SessionId, TypedId, UserId};
use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult};
use store::{Engine, StoreError, lists};
use uuid::Uuid;

use super::rules::Family;
use super::{EndReason, SessionView};
use crate::user::{Standing, standing_of_row};

/// A session about to begin.
pub(super) struct NewSession {
    pub(super) id: SessionId,
    pub(super) user: UserId,
    pub(super) generation: i64,
    pub(super) now: DateTime<Utc>,
    pub(super) expires_at: DateTime<Utc>,
    pub(super) user_agent: Option<String>,
    pub(super) client_address: Option<String>,
}

pub(super) async fn insert_in_txn(txn: &DatabaseTransaction, session: NewSession) -> Result<(), StoreError> {
    let insert = Engine::of(txn.get_database_backend()).statement(
        "INSERT INTO sessions (id, user_id, generation, created_at, refreshed_at, expires_at, user_agent, \
         client_address) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            session.id.uuid().into(),
            session.user.uuid().into(),
            session.generation.into(),
            session.now.into(),
            session.now.into(),
            session.expires_at.into(),
            session.user_agent.into(),
            session.client_address.into(),
        ],
    );
    txn.execute_raw(insert).await?;
    Ok(())
}

/// Everything a request needs to know of the session it comes through.
pub(super) struct Bearer {
    pub(super) user: UserId,
    pub(super) role: String,
    pub(super) standing: Standing,
    pub(super) family: Family,
    pub(super) stepped_up_until: Option<DateTime<Utc>>,
    pub(super) totp_confirmed: bool,
}

/// Reads session, person and second factor at once.
pub(super) async fn bearer(
    db: &impl ConnectionTrait,
    session: SessionId,
) -> Result<Option<Bearer>, StoreError> {
    let select = Engine::of(db.get_database_backend()).statement(
        "SELECT s.user_id, s.generation, s.refreshed_at, s.expires_at, s.revoked_at, s.stepped_up_until, \
         u.role, u.status, u.suspended_until, t.confirmed_at \
         FROM sessions s JOIN users u ON u.id = s.user_id LEFT JOIN totp_factors t ON t.user_id = s.user_id \
         WHERE s.id = ?",
        [session.uuid().into()],
    );
    let Some(row) = db.query_one_raw(select).await? else {
        return Ok(None);
    };
    Ok(Some(Bearer {
        user: row.try_get::<Uuid>("", "user_id")?.into(),
        role: row.try_get("", "role")?,
        standing: standing_of_row(&row)?,
        family: family(&row)?,
        stepped_up_until: row.try_get("", "stepped_up_until")?,
        totp_confirmed: row.try_get::<Option<DateTime<Utc>>>("", "confirmed_at")?.is_some(),
    }))
}

/// Reads a session's family and owner, and locks its row.
pub(super) async fn lock_family_in_txn(
    txn: &DatabaseTransaction,
    session: SessionId,
) -> Result<Option<(UserId, Family)>, StoreError> {
    let engine = Engine::of(txn.get_database_backend());
    let sql = format!(
        "SELECT user_id, generation, refreshed_at, expires_at, revoked_at FROM sessions WHERE id = ?{}",
        engine.for_update()
    );
    let row = txn.query_one_raw(engine.statement(&sql, [session.uuid().into()])).await?;
    match row {
        Some(row) => Ok(Some((row.try_get::<Uuid>("", "user_id")?.into(), family(&row)?))),
        None => Ok(None),
    }
}

/// Reads the families of these sessions, as far as there are any.
pub(super) async fn families(
    db: &impl ConnectionTrait,
    sessions: &[SessionId],
) -> Result<Vec<(SessionId, Family)>, StoreError> {
    let engine = Engine::of(db.get_database_backend());
    let mut found = Vec::with_capacity(sessions.len());
    for (these, some) in lists(sessions) {
        let sql = format!(
            "SELECT id, generation, refreshed_at, expires_at, revoked_at FROM sessions WHERE id IN ({these})"
        );
        let ids = some.map(|session| session.uuid().into());
        for row in db.query_all_raw(engine.statement(&sql, ids)).await? {
            found.push((row.try_get::<Uuid>("", "id")?.into(), family(&row)?));
        }
    }
    Ok(found)
}

/// Reads which were revoked after the one moment and by the other.
pub(super) async fn revoked(
    db: &impl ConnectionTrait,
    after: DateTime<Utc>,
    by: DateTime<Utc>,
) -> Result<Vec<SessionId>, StoreError> {
    let select = Engine::of(db.get_database_backend()).statement(
        "SELECT id FROM sessions WHERE revoked_at > ? AND revoked_at <= ?",
        [after.into(), by.into()],
    );
    let rows = db.query_all_raw(select).await?;
    rows.iter().map(|row| Ok(row.try_get::<Uuid>("", "id")?.into())).collect()
}

fn family(row: &QueryResult) -> Result<Family, StoreError> {
    Ok(Family {
        generation: row.try_get("", "generation")?,
        refreshed_at: row.try_get("", "refreshed_at")?,
        expires_at: row.try_get("", "expires_at")?,
        revoked: row.try_get::<Option<DateTime<Utc>>>("", "revoked_at")?.is_some(),
    })
}

/// Moves the family on from the generation, if that is still its newest; tells whether it was.
pub(super) async fn rotate_in_txn(
    txn: &DatabaseTransaction,
    session: SessionId,
    generation: i64,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let update = Engine::of(txn.get_database_backend()).statement(
        "UPDATE sessions SET generation = generation + 1, refreshed_at = ? \
         WHERE id = ? AND generation = ? AND revoked_at IS NULL",
        [now.into(), session.uuid().into(), generation.into()],
    );
    Ok(txn.execute_raw(update).await?.rows_affected() == 1)
}

/// Ends one session of the person; tells whether it was alive.
pub(super) async fn revoke_in_txn(
    txn: &DatabaseTransaction,
    (user, session): (UserId, SessionId),
    reason: EndReason,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let update = Engine::of(txn.get_database_backend()).statement(
        "UPDATE sessions SET revoked_at = ?, revoked_reason = ? \
         WHERE id = ? AND user_id = ? AND revoked_at IS NULL AND expires_at > ?",
        [now.into(), reason.as_str().into(), session.uuid().into(), user.uuid().into(), now.into()],
    );
    Ok(txn.execute_raw(update).await?.rows_affected() == 1)
}

/// Ends all sessions of the person but the one that may stay; gives those it ended. The person's row must be
/// locked, so that no login begins a session between the two statements.
pub(super) async fn revoke_all_in_txn(
    txn: &DatabaseTransaction,
    user: UserId,
    stays: Option<SessionId>,
    reason: EndReason,
    now: DateTime<Utc>,
) -> Result<Vec<SessionId>, StoreError> {
    let engine = Engine::of(txn.get_database_backend());
    let alive = "user_id = ? AND id <> ? AND revoked_at IS NULL AND expires_at > ?";
    let stays = stays.map_or(Uuid::nil(), TypedId::uuid);
    let select = engine.statement(
        &format!("SELECT id FROM sessions WHERE {alive} ORDER BY id{}", engine.for_update()),
        [user.uuid().into(), stays.into(), now.into()],
    );
    let rows = txn.query_all_raw(select).await?;
    let update = engine.statement(
        &format!("UPDATE sessions SET revoked_at = ?, revoked_reason = ? WHERE {alive}"),
        [now.into(), reason.as_str().into(), user.uuid().into(), stays.into(), now.into()],
    );
    txn.execute_raw(update).await?;
    rows.iter().map(|row| Ok(row.try_get::<Uuid>("", "id")?.into())).collect()
}

/// Lets the session decide what needs a fresh code until the moment; tells whether it is alive.
pub(crate) async fn step_up_in_txn(
    txn: &DatabaseTransaction,
    (user, session): (UserId, SessionId),
    until: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let update = Engine::of(txn.get_database_backend()).statement(
        "UPDATE sessions SET stepped_up_until = ? WHERE id = ? AND user_id = ? AND revoked_at IS NULL",
        [until.into(), session.uuid().into(), user.uuid().into()],
    );
    Ok(txn.execute_raw(update).await?.rows_affected() == 1)
}

/// The person's sessions that are alive, newest first.
pub(super) async fn alive_of(
    db: &impl ConnectionTrait,
    user: UserId,
    current: SessionId,
    (now, refreshed_after): (DateTime<Utc>, DateTime<Utc>),
) -> Result<Vec<SessionView>, StoreError> {
    let select = Engine::of(db.get_database_backend()).statement(
        "SELECT id, created_at, refreshed_at, expires_at, user_agent, client_address FROM sessions \
         WHERE user_id = ? AND revoked_at IS NULL AND expires_at > ? AND refreshed_at > ? \
         ORDER BY id DESC LIMIT 100",
        [user.uuid().into(), now.into(), refreshed_after.into()],
    );
    let rows = db.query_all_raw(select).await?;
    rows.iter()
        .map(|row| {
            let id = row.try_get::<Uuid>("", "id")?.into();
            Ok(SessionView {
                id,
                current: id == current,
                created_at: row.try_get("", "created_at")?,
                last_used_at: row.try_get("", "refreshed_at")?,
                expires_at: row.try_get("", "expires_at")?,
                user_agent: row.try_get("", "user_agent")?,
                client_address: row.try_get("", "client_address")?,
            })
        })
        .collect()
}

/// Removes sessions that ended before the moment; gives how many.
pub(crate) async fn forget_old_in_txn(
    txn: &DatabaseTransaction,
    before: DateTime<Utc>,
) -> Result<u64, StoreError> {
    let delete = Engine::of(txn.get_database_backend()).statement(
        "DELETE FROM sessions WHERE expires_at < ? OR revoked_at < ?",
        [before.into(), before.into()],
    );
    Ok(txn.execute_raw(delete).await?.rows_affected())
}

/// What the person's latest logins said that they were made with, those that have ended included as long as they are
/// kept.
pub(super) async fn agents_in_txn(
    txn: &DatabaseTransaction,
    user: UserId,
) -> Result<Vec<Option<String>>, StoreError> {
    let select = Engine::of(txn.get_database_backend()).statement(
        "SELECT user_agent FROM sessions WHERE user_id = ? ORDER BY created_at DESC LIMIT 50",
        [user.uuid().into()],
    );
    let rows = txn.query_all_raw(select).await?;
    rows.iter().map(|row| Ok(row.try_get("", "user_agent")?)).collect()
}
