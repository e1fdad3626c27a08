//! The audit log: one record per staff mutation, written in the mutation's own transaction, never changed after.

use chrono::{DateTime, Utc};
use kernel::{Ambient, AuditId, Caller, TypedId};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde::Serialize;
use serde_json::Value as Json;

use crate::{Engine, StoreError};

/// What was done, to be recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry<'a> {
    /// Who did it, and from where.
    pub caller: &'a Caller,
    /// What was done, dotted: `listing.rejected`.
    pub action: &'static str,
    /// What sort of thing it was done to: `listing`.
    pub subject_kind: &'static str,
    /// Its id.
    pub subject_id: String,
    /// The changed fields before, without secrets or contact details.
    pub before: Json,
    /// The changed fields after, without secrets or contact details.
    pub after: Json,
    /// Why, in the author's words.
    pub reason: Option<String>,
}

/// A record as it is read back.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// Its id.
    pub id: AuditId,
    /// When it was written.
    pub at: DateTime<Utc>,
    /// `user` or `system`.
    pub actor_kind: String,
    /// The person's id or the system's part.
    pub actor_id: String,
    /// What was done.
    pub action: String,
    /// What sort of thing it was done to.
    pub subject_kind: String,
    /// Its id.
    pub subject_id: String,
    /// The changed fields before.
    pub before: Json,
    /// The changed fields after.
    pub after: Json,
    /// Why.
    pub reason: Option<String>,
}

/// Writes the record.
///
/// # Errors
/// When the database fails.
pub async fn append_in_txn(
    txn: &DatabaseTransaction,
    ambient: &Ambient,
    entry: Entry<'_>,
) -> Result<AuditId, StoreError> {
    let id: AuditId = ambient.new_id();
    let Entry { caller, action, subject_kind, subject_id, before, after, reason } = entry;
    let origin = &caller.origin;
    let insert = Engine::of(txn.get_database_backend()).statement(
        "INSERT INTO audit_log (id, at, actor_kind, actor_id, action, subject_kind, subject_id, before_state, \
         after_state, reason, request_id, client_address, user_agent) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            id.uuid().into(),
            ambient.now().into(),
            caller.actor.kind().into(),
            caller.actor.name().into(),
            action.into(),
            subject_kind.into(),
            subject_id.into(),
            before.into(),
            after.into(),
            reason.into(),
            origin.request_id.clone().into(),
            origin.address.clone().into(),
            origin.agent.clone().into(),
        ],
    );
    txn.execute_raw(insert).await?;
    Ok(id)
}

/// The records of one subject, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn of_subject(
    db: &impl ConnectionTrait,
    subject_kind: &str,
    subject_id: &str,
) -> Result<Vec<Record>, StoreError> {
    let select = Engine::of(db.get_database_backend()).statement(
        "SELECT id, at, actor_kind, actor_id, action, subject_kind, subject_id, before_state, after_state, reason \
         FROM audit_log WHERE subject_kind = ? AND subject_id = ? ORDER BY position",
        [subject_kind.into(), subject_id.into()],
    );
    let rows = db.query_all_raw(select).await?;
    rows.iter()
        .map(|row| {
            Ok(Record {
                id: row.try_get::<sea_orm::prelude::Uuid>("", "id")?.into(),
                at: row.try_get("", "at")?,
                actor_kind: row.try_get("", "actor_kind")?,
                actor_id: row.try_get("", "actor_id")?,
                action: row.try_get("", "action")?,
                subject_kind: row.try_get("", "subject_kind")?,
                subject_id: row.try_get("", "subject_id")?,
                before: row.try_get("", "before_state")?,
                after: row.try_get("", "after_state")?,
                reason: row.try_get("", "reason")?,
            })
        })
        .collect()
}
