//! Writing events, and forgetting those that were delivered long ago.

use chrono::{DateTime, Utc};
use kernel::{Ambient, EventId, TypedId};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde_json::Value as Json;

use crate::{Engine, StoreError, txn};

/// An event to be told.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    /// What it is about, such as `listing:018f…`.
    pub subject: String,
    /// What happened, dotted: `listing.approved`.
    pub kind: &'static str,
    /// The facts, without secrets or contact details.
    pub payload: Json,
}

/// Writes the event. It is told once the transaction commits.
///
/// Events of one subject keep their order when the transactions that write them lock the subject's row first, as
/// every use case that changes it does.
///
/// # Errors
/// When the database fails.
pub async fn append_event_in_txn(
    txn: &DatabaseTransaction,
    ambient: &Ambient,
    event: NewEvent,
) -> Result<EventId, StoreError> {
    let id: EventId = ambient.new_id();
    let now = ambient.now();
    let insert = Engine::of(txn.get_database_backend()).statement(
        "INSERT INTO outbox_events (id, subject, kind, payload, created_at, due_at, attempt) VALUES (?, ?, ?, ?, ?, ?, 0)",
        [
            id.uuid().into(),
            event.subject.into(),
            event.kind.into(),
            event.payload.into(),
            now.into(),
            now.into(),
        ],
    );
    txn.execute_raw(insert).await?;
    txn::wake_at_commit();
    Ok(id)
}

/// Removes events that were delivered and written before the moment; gives how many.
///
/// # Errors
/// When the database fails.
pub async fn forget_relayed_events(
    txn: &DatabaseTransaction,
    before: DateTime<Utc>,
) -> Result<u64, StoreError> {
    let delete = Engine::of(txn.get_database_backend()).statement(
        "DELETE FROM outbox_events WHERE relayed_at IS NOT NULL AND created_at < ?",
        [before.into()],
    );
    Ok(txn.execute_raw(delete).await?.rows_affected())
}
