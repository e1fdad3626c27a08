//! Webhooks that are planned with their event: one row per event and endpoint.

use chrono::{DateTime, Utc};
use kernel::{EventId, HookDeliveryId, TypedId};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde_json::{Value as Json, json};
use store::{Engine, insert_if_absent};

use super::rows;
use crate::{Notify, NotifyError};

/// Something that happened, for whoever wants to know.
#[derive(Debug, Clone, PartialEq)]
pub struct HookEvent {
    /// The outbox event's id.
    pub id: EventId,
    /// Its place among all events: of two about one subject, the later one has the greater.
    pub sequence: i64,
    /// What it is about: `user:018f…`.
    pub subject: String,
    /// What happened, dotted.
    pub kind: String,
    /// When.
    pub at: DateTime<Utc>,
    /// The facts, without secrets or contact details.
    pub data: Json,
}

/// A webhook that will be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlannedHook {
    /// Its id.
    pub id: HookDeliveryId,
    /// When.
    pub due_at: DateTime<Utc>,
}

impl Notify {
    /// Whether anybody wants to know of anything: most marketplaces have no endpoint, and their events need no look.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_hooks_in_txn(&self, txn: &DatabaseTransaction) -> Result<bool, NotifyError> {
        let select = Engine::of(txn.get_database_backend())
            .statement("SELECT 1 AS one FROM hook_endpoints WHERE status = 'enabled' LIMIT 1", []);
        Ok(txn.query_one_raw(select).await?.is_some())
    }

    /// Plans a webhook for each endpoint that wants to know of the event, in the caller's transaction, which enqueues a
    /// job for each. An event that was planned before is not planned again.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn plan_hooks_in_txn(
        &self,
        txn: &DatabaseTransaction,
        event: &HookEvent,
    ) -> Result<Vec<PlannedHook>, NotifyError> {
        let now = self.ambient.now();
        let enabled = rows::select(txn, "status = 'enabled' ORDER BY id", Vec::new()).await?;
        let body = json!({
            "type": event.kind,
            "timestamp": event.at,
            "sequence": event.sequence,
            "subject": event.subject,
            "data": event.data,
        })
        .to_string();
        let mut planned = Vec::new();
        for endpoint in enabled {
            if !endpoint.topics.iter().any(|topic| topic.covers(&event.kind)) {
                continue;
            }
            let id: HookDeliveryId = self.ambient.new_id();
            let insert = Engine::of(txn.get_database_backend()).statement(
                "INSERT INTO hook_deliveries (id, endpoint_id, event_id, event_sequence, kind, body, status, attempts, \
                 due_at, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, 'queued', 0, ?, ?, ?)",
                [
                    id.uuid().into(),
                    endpoint.view.id.uuid().into(),
                    event.id.uuid().into(),
                    event.sequence.into(),
                    event.kind.as_str().into(),
                    body.as_str().into(),
                    now.into(),
                    now.into(),
                    now.into(),
                ],
            );
            if insert_if_absent(txn, insert).await? {
                planned.push(PlannedHook { id, due_at: now });
            }
        }
        Ok(planned)
    }
}
