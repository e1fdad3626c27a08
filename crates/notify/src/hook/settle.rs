//! What becomes of a webhook after a try, and which one its endpoint is sent next.

use chrono::{DateTime, TimeDelta, Utc};
use kernel::{HookId, TypedId};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use store::Engine;

use super::client::HookSending;
use super::{ClaimedHook, HookStatus, PlannedHook, retry, rows};
use crate::{Notify, NotifyError};

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

    /// The oldest webhook of the endpoint that is due, in the transaction that settled one of it, which enqueues a job
    /// for it: jobs that came while that one was on its way have ended.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn next_hook_in_txn(
        &self,
        txn: &DatabaseTransaction,
        endpoint: HookId,
    ) -> Result<Option<PlannedHook>, NotifyError> {
        let now = self.ambient.now();
        let oldest = rows::oldest_due(txn, endpoint, now).await?;
        Ok(oldest.map(|id| PlannedHook { id, due_at: now }))
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
