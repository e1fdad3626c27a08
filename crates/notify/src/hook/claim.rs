//! Taking a webhook to send it: one at a time to each endpoint, the oldest of those whose time has come first.

use chrono::{DateTime, TimeDelta, Utc};
use kernel::{EventId, HookDeliveryId, HookId, TypedId};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use store::Engine;
use uuid::Uuid;

use super::endpoint::place;
use super::plan::PlannedHook;
use super::{HookStatus, HookUrl, rows, secret};
use crate::{Notify, NotifyError};

/// How long a sender is alone with a webhook; longer than its deadline.
const LEASE: TimeDelta = TimeDelta::seconds(60);

/// What came of asking for a webhook.
#[derive(Debug)]
pub enum HookClaim {
    /// It is to be sent now, by the caller alone.
    Send(Box<ClaimedHook>),
    /// Not yet: it waits, or another sender has it.
    NotYet(DateTime<Utc>),
    /// Another one of its endpoint is on its way. Whoever settles that one goes on with what is due then.
    Busy,
    /// An older one of its endpoint is due and comes first; the caller enqueues a job for that one. This one's turn
    /// comes when that is settled.
    After(PlannedHook),
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

impl Notify {
    /// Takes a webhook to send it, in the caller's transaction. Whoever does not settle it within a minute leaves it to
    /// the next: a receiver tells a repetition by its id.
    ///
    /// The endpoint's row is locked until the transaction ends, as by whoever settles. So a job that finds another
    /// webhook on its way, and ends in this transaction, is not missed by whoever settles that one.
    ///
    /// # Errors
    /// [`NotifyError::HookDeliveryNotFound`], or when the database fails.
    pub async fn claim_hook_in_txn(
        &self,
        txn: &DatabaseTransaction,
        id: HookDeliveryId,
    ) -> Result<HookClaim, NotifyError> {
        let endpoint = rows::endpoint_of(txn, id).await?.ok_or(NotifyError::HookDeliveryNotFound)?;
        let endpoint = rows::lock(txn, endpoint).await?.ok_or(NotifyError::HookDeliveryNotFound)?;
        let row = rows::lock_delivery(txn, id).await?.ok_or(NotifyError::HookDeliveryNotFound)?;
        let now = self.ambient.now();
        match row.due_at {
            None => return Ok(HookClaim::Over),
            Some(due) if due > now => return Ok(HookClaim::NotYet(due)),
            Some(_) => {}
        }
        let url = HookUrl::parse(&endpoint.view.url, self.config.hooks_to_loopback).ok();
        let Some(url) = url.filter(|_| endpoint.view.status == HookStatus::Enabled) else {
            rows::cancel_due(txn, row.endpoint, now).await?;
            return Ok(HookClaim::Over);
        };
        if rows::is_busy(txn, row.endpoint, now).await? {
            return Ok(HookClaim::Busy);
        }
        match rows::oldest_due(txn, row.endpoint, now).await? {
            Some(oldest) if oldest != id => Ok(HookClaim::After(PlannedHook { id: oldest, due_at: now })),
            _ => Ok(HookClaim::Send(Box::new(self.take_hook(txn, id, row, (endpoint, url), now).await?))),
        }
    }

    async fn take_hook(
        &self,
        txn: &DatabaseTransaction,
        id: HookDeliveryId,
        row: rows::Queued,
        (endpoint, url): (rows::Row, HookUrl),
        now: DateTime<Utc>,
    ) -> Result<ClaimedHook, NotifyError> {
        let owner = self.ambient.new_uuid();
        let take = Engine::of(txn.get_database_backend()).statement(
            "UPDATE hook_deliveries SET status = 'sending', attempts = attempts + 1, lease_owner = ?, due_at = ?, \
             updated_at = ? WHERE id = ? AND status = ?",
            [owner.into(), (now + LEASE).into(), now.into(), id.uuid().into(), row.status.as_str().into()],
        );
        txn.execute_raw(take).await?;
        let webhook_id = EventId::from(row.event).to_string();
        let secrets = self.signing_secrets(&endpoint, now)?;
        Ok(ClaimedHook {
            id,
            endpoint: row.endpoint,
            owner,
            attempt: u32::try_from(row.attempts).unwrap_or_default() + 1,
            url,
            timestamp: now.timestamp(),
            signature: secret::sign(&secrets, &webhook_id, now.timestamp(), &row.body),
            webhook_id,
            body: row.body,
        })
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
}
