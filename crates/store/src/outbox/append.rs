//! Writing events, one or several at once, and forgetting those that were delivered long ago.

use chrono::{DateTime, Utc};
use kernel::{Ambient, EventId, TypedId};
use sea_orm::{ConnectionTrait, DatabaseTransaction, Value};
use serde_json::Value as Json;

use crate::{Engine, OneStatement, StoreError, array, txn, unnest};

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
    let id = ambient.new_id();
    insert(txn, vec![row(ambient, id, event)]).await?;
    Ok(id)
}

/// Writes the events in their order, in one statement; as [`append_event_in_txn`].
///
/// # Errors
/// When the database fails.
pub async fn append_events_in_txn(
    txn: &DatabaseTransaction,
    ambient: &Ambient,
    events: impl IntoIterator<Item = NewEvent>,
) -> Result<(), StoreError> {
    insert(txn, rows(ambient, events)).await
}

/// Adds the events to writes that are made together, if `gate` has a row; as [`append_event_in_txn`].
#[must_use]
pub fn append_events_at_once(
    writes: OneStatement,
    ambient: &Ambient,
    events: impl IntoIterator<Item = NewEvent>,
    gate: &str,
) -> OneStatement {
    let rows = rows(ambient, events);
    if rows.is_empty() {
        return writes;
    }
    let lines = vec![ROW; rows.len()].join(", ");
    let sql = format!("INSERT INTO {EVENTS} SELECT v.* FROM {gate}, (VALUES {lines}) AS v");
    writes.with("events", &sql, rows.into_iter().flatten()).waking()
}

/// Adds the events of many changes to writes that are made together, in their order; as [`append_event_in_txn`].
#[must_use]
pub fn append_events_together(writes: OneStatement, ambient: &Ambient, events: &[NewEvent]) -> OneStatement {
    let now = ambient.now();
    let (rows, columns) = unnest([
        ("uuid", array(events.iter().map(|_| Some(ambient.new_id::<EventId>())))),
        ("text", array(events.iter().map(|event| Some(&event.subject)))),
        ("text", array(events.iter().map(|event| Some(event.kind)))),
        ("jsonb", array(events.iter().map(|event| Some(&event.payload)))),
    ]);
    let sql = format!(
        "INSERT INTO {EVENTS} SELECT v.*, CAST(? AS timestamptz), CAST(? AS timestamptz), 0 FROM {rows} AS v"
    );
    writes.with("events", &sql, [now.into(), now.into()].into_iter().chain(columns)).waking()
}

const EVENTS: &str = "outbox_events (id, subject, kind, payload, created_at, due_at, attempt)";
const ROW: &str = "(?, ?, ?, ?, ?, ?, 0)";

fn rows(ambient: &Ambient, events: impl IntoIterator<Item = NewEvent>) -> Vec<[Value; 6]> {
    events.into_iter().map(|event| row(ambient, ambient.new_id(), event)).collect()
}

fn row(ambient: &Ambient, id: EventId, event: NewEvent) -> [Value; 6] {
    let NewEvent { subject, kind, payload } = event;
    let now = ambient.now();
    [id.uuid().into(), subject.into(), kind.into(), payload.into(), now.into(), now.into()]
}

/// The engines number the rows of one statement in their order, so positions grow along it.
async fn insert(txn: &DatabaseTransaction, rows: Vec<[Value; 6]>) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let sql = format!("INSERT INTO {EVENTS} VALUES {}", vec![ROW; rows.len()].join(", "));
    let insert = Engine::of(txn.get_database_backend()).statement(&sql, rows.into_iter().flatten());
    txn.execute_raw(insert).await?;
    txn::wake_at_commit();
    Ok(())
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
