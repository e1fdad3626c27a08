//! Webhooks on their way: one row per event and endpoint, tried by the declared curve.

use chrono::{DateTime, TimeDelta, Utc};
use kernel::{EventId, HookDeliveryId, HookId, TypedId};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde_json::{Value as Json, json};
use store::{Engine, insert_if_absent};
use uuid::Uuid;

use super::client::HookSending;
use super::endpoint::place;
use super::{HookStatus, HookUrl, retry, rows, secret};
use crate::{Notify, NotifyError};

/// How long a sender is alone with a webhook; longer than its deadline.
const LEASE: TimeDelta = TimeDelta::seconds(60);

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

/// What came of asking for a webhook.
#[derive(Debug)]
pub enum HookClaim {
    /// It is to be sent now, by the caller alone.
    Send(Box<ClaimedHook>),
    /// Not yet: it waits, or another sender has it.
    NotYet(DateTime<Utc>),
    /// There is nothing to send any more.
    Over,
}

/// A webhook that the caller is to send and then to [settle](Notify::settle_hook_in_txn).
#[derive(Debug)]
pub struct ClaimedHook {
    /// Its id.
    pub id: HookDeliveryId,
    /// The endpoint.
    pub endpoint: HookId,
    pub(super) owner: Uuid,
    pub(super) attempt: u32,
    pub(super) url: HookUrl,
    pub(super) webhook_id: String,
    pub(super) timestamp: i64,
    pub(super) signature: String,
    pub(super) body: String,
}

/// What becomes of a webhook after a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookSettled {
    /// It arrived.
    Delivered,
    /// It is to be tried again then; the caller enqueues a job.
    Again(DateTime<Utc>),
    /// It was tried as often as it may be.
    Dead,
    /// As [`Dead`](Self::Dead), and its endpoint was switched off: staff should know.
    EndpointOff,
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
                "INSERT INTO hook_deliveries (id, endpoint_id, event_id, kind, body, status, attempts, due_at, \
                 created_at, updated_at) VALUES (?, ?, ?, ?, ?, 'queued', 0, ?, ?, ?)",
                [
                    id.uuid().into(),
                    endpoint.view.id.uuid().into(),
                    event.id.uuid().into(),
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

    /// Takes a webhook to send it. Whoever does not settle it within a minute leaves it to the next: a receiver tells a
    /// repetition by its id.
    ///
    /// # Errors
    /// [`NotifyError::HookDeliveryNotFound`], or when the database fails.
    pub async fn claim_hook(&self, id: HookDeliveryId) -> Result<HookClaim, NotifyError> {
        self.db.in_txn(async |txn| self.claim_hook_in_txn(txn, id).await).await
    }

    async fn claim_hook_in_txn(
        &self,
        txn: &DatabaseTransaction,
        id: HookDeliveryId,
    ) -> Result<HookClaim, NotifyError> {
        let engine = Engine::of(txn.get_database_backend());
        let now = self.ambient.now();
        let row = rows::lock_delivery(txn, id).await?.ok_or(NotifyError::HookDeliveryNotFound)?;
        match row.due_at {
            None => return Ok(HookClaim::Over),
            Some(due) if due > now => return Ok(HookClaim::NotYet(due)),
            Some(_) => {}
        }
        let endpoint =
            rows::select(txn, "id = ?", vec![row.endpoint.uuid().into()]).await?.into_iter().next();
        let endpoint = endpoint.filter(|endpoint| endpoint.view.status == HookStatus::Enabled);
        let url = endpoint
            .as_ref()
            .and_then(|endpoint| HookUrl::parse(&endpoint.view.url, self.config.hooks_to_loopback).ok());
        let (Some(endpoint), Some(url)) = (endpoint, url) else {
            let cancel = engine.statement(
                "UPDATE hook_deliveries SET status = 'cancelled', lease_owner = NULL, due_at = NULL, updated_at = ? \
                 WHERE id = ?",
                [now.into(), id.uuid().into()],
            );
            txn.execute_raw(cancel).await?;
            return Ok(HookClaim::Over);
        };
        let owner = self.ambient.new_uuid();
        let take = engine.statement(
            "UPDATE hook_deliveries SET status = 'sending', attempts = attempts + 1, lease_owner = ?, due_at = ?, \
             updated_at = ? WHERE id = ? AND status = ?",
            [owner.into(), (now + LEASE).into(), now.into(), id.uuid().into(), row.status.as_str().into()],
        );
        txn.execute_raw(take).await?;
        let webhook_id = EventId::from(row.event).to_string();
        let secrets = self.signing_secrets(&endpoint, now)?;
        Ok(HookClaim::Send(Box::new(ClaimedHook {
            id,
            endpoint: row.endpoint,
            owner,
            attempt: u32::try_from(row.attempts).unwrap_or_default() + 1,
            url,
            timestamp: now.timestamp(),
            signature: secret::sign(&secrets, &webhook_id, now.timestamp(), &row.body),
            webhook_id,
            body: row.body,
        })))
    }

    fn signing_secrets(
        &self,
        endpoint: &rows::Row,
        now: DateTime<Utc>,
    ) -> Result<Vec<secrecy::SecretString>, NotifyError> {
        let place = place(endpoint.view.id);
        let overlaps = endpoint.view.old_secret_until.is_some_and(|until| until > now);
        let old = endpoint.old_secret.as_ref().filter(|_| overlaps);
        std::iter::once(&endpoint.secret)
            .chain(old)
            .map(|sealed| Ok(self.config.sealing.open_text(&place, sealed)?))
            .collect()
    }

    /// Writes down what came of sending, in the caller's transaction, which also enqueues the next try. An endpoint
    /// that wants no more, or to which nothing has arrived for days, is switched off.
    ///
    /// # Errors
    /// [`NotifyError::LeaseLost`] when another sender has it.
    pub async fn settle_hook_in_txn(
        &self,
        txn: &DatabaseTransaction,
        claimed: &ClaimedHook,
        sending: HookSending,
    ) -> Result<HookSettled, NotifyError> {
        let now = self.ambient.now();
        // The endpoint's row first: staff lock it first too.
        let endpoint = rows::lock(txn, claimed.endpoint).await?.ok_or(NotifyError::LeaseLost)?;
        let taken = matches!(sending, HookSending::Taken(_));
        let pause = retry::pause(claimed.attempt, &self.ambient).filter(|_| !taken);
        let is_tried = pause.is_some() || another_is_tried(txn, claimed).await?;
        let off = self.note_endpoint(txn, endpoint, (sending, is_tried), now).await?;
        let due_at = pause
            .filter(|_| !off)
            .map(|pause| now + TimeDelta::from_std(pause).unwrap_or(TimeDelta::days(1)));
        let status = match (taken, due_at) {
            (true, _) => "delivered",
            (false, Some(_)) => "queued",
            (false, None) => "dead",
        };
        let settle = Engine::of(txn.get_database_backend()).statement(
            "UPDATE hook_deliveries SET status = ?, last_status = ?, last_error = ?, lease_owner = NULL, due_at = ?, \
             updated_at = ? WHERE id = ? AND status = 'sending' AND lease_owner = ?",
            [
                status.into(),
                sending.status().map(i32::from).into(),
                sending.error().into(),
                due_at.into(),
                now.into(),
                claimed.id.uuid().into(),
                claimed.owner.into(),
            ],
        );
        if txn.execute_raw(settle).await?.rows_affected() != 1 {
            return Err(NotifyError::LeaseLost);
        }
        metrics::counter!("webhooks_out_total", "outcome" => status).increment(1);
        Ok(match due_at {
            _ if taken => HookSettled::Delivered,
            Some(at) => HookSettled::Again(at),
            None if off => HookSettled::EndpointOff,
            None => HookSettled::Dead,
        })
    }

    /// Notes on the endpoint how it fares; tells whether it was switched off.
    async fn note_endpoint(
        &self,
        txn: &DatabaseTransaction,
        mut endpoint: rows::Row,
        (sending, is_tried): (HookSending, bool),
        now: DateTime<Utc>,
    ) -> Result<bool, NotifyError> {
        let before = (endpoint.view.failing_since, endpoint.view.status);
        endpoint.view.failing_since = match sending {
            HookSending::Taken(_) => None,
            _ => endpoint.view.failing_since.or(Some(now)),
        };
        let too_long =
            endpoint.view.failing_since.is_some_and(|since| now - since >= self.config.hook_patience);
        let was_on = endpoint.view.status == HookStatus::Enabled;
        let off = was_on && (sending == HookSending::Gone || too_long);
        if off {
            endpoint.view.status = HookStatus::Failing;
        } else if !is_tried {
            // Nothing is on its way there: the next failure, whenever that is, begins anew.
            endpoint.view.failing_since = None;
        }
        if (endpoint.view.failing_since, endpoint.view.status) != before {
            rows::update(txn, &endpoint).await?;
        }
        Ok(off)
    }
}

/// Whether another webhook of the same endpoint is on its way.
async fn another_is_tried(txn: &DatabaseTransaction, claimed: &ClaimedHook) -> Result<bool, NotifyError> {
    let select = Engine::of(txn.get_database_backend()).statement(
        "SELECT 1 AS one FROM hook_deliveries WHERE endpoint_id = ? AND id <> ? AND due_at IS NOT NULL LIMIT 1",
        [claimed.endpoint.uuid().into(), claimed.id.uuid().into()],
    );
    Ok(txn.query_one_raw(select).await?.is_some())
}
