//! Working webhooks off: each is claimed under a lease, its entity fetched and applied, and then it is done.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::DatabaseTransaction;
use store::{Backoff, NewJob, enqueue_in_txn};

use super::{ClaimedWebhook, WEBHOOK_JOB, WebhookState, rows};
use crate::{PaymentError, Payments};

/// For how long a webhook is left to the worker that took it.
const LEASE: TimeDelta = TimeDelta::minutes(2);

/// Tries beyond which it is given up: about a day. The poll of its order goes on.
const MAX_ATTEMPTS: u32 = 30;

/// The pauses between tries.
const BACKOFF: Backoff = Backoff { base: Duration::from_secs(5), cap: Duration::from_secs(3_600) };

/// Characters that are kept of an error.
const ERROR_MAX: usize = 200;

impl Payments {
    /// Takes due webhooks, oldest first, each by one worker at a time.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn claim_webhooks(&self, limit: u32) -> Result<Vec<ClaimedWebhook>, PaymentError> {
        self.db
            .in_txn(async |txn| {
                let now = self.ambient.now();
                Ok(rows::claim(txn, now, now + LEASE, limit).await?)
            })
            .await
    }

    /// Notes that it was worked off, in the transaction of its effect. `false` when another worker has it by now, which
    /// is no harm: the effect comes once.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn webhook_done_in_txn(
        &self,
        txn: &DatabaseTransaction,
        webhook: &ClaimedWebhook,
    ) -> Result<bool, PaymentError> {
        let now = self.ambient.now();
        Ok(rows::settle(txn, webhook, WebhookState::Done, None, None, now).await?)
    }

    /// Forgets webhooks that were settled before this moment; gives how many. What was given up stays to be looked at.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_webhooks_in_txn(
        &self,
        txn: &DatabaseTransaction,
        before: DateTime<Utc>,
    ) -> Result<u64, PaymentError> {
        Ok(rows::forget_settled(txn, before).await?)
    }

    /// Notes that it is of no use to us, and why.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn webhook_ignored_in_txn(
        &self,
        txn: &DatabaseTransaction,
        webhook: &ClaimedWebhook,
        why: &str,
    ) -> Result<bool, PaymentError> {
        let (now, why) = (self.ambient.now(), shortened(why));
        Ok(rows::settle(txn, webhook, WebhookState::Ignored, None, Some(&why), now).await?)
    }

    /// Notes that a try failed: it comes again after a pause, with a job to wake the worker, or is given up.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn webhook_failed(&self, webhook: &ClaimedWebhook, why: &str) -> Result<(), PaymentError> {
        let why = shortened(why);
        let is_dead = webhook.attempts >= MAX_ATTEMPTS;
        if is_dead {
            tracing::error!(event = %webhook.event_id, kind = %webhook.event_type, why, "a webhook was given up");
            metrics::counter!("webhooks_dead_total").increment(1);
        }
        self.db
            .in_txn(async |txn| {
                let now = self.ambient.now();
                if is_dead {
                    rows::settle(txn, webhook, WebhookState::Dead, None, Some(&why), now).await?;
                    return Ok(());
                }
                let next = now + BACKOFF.pause(webhook.attempts, &self.ambient);
                if rows::settle(txn, webhook, WebhookState::New, Some(next), Some(&why), now).await? {
                    let job = NewJob::new(WEBHOOK_JOB, serde_json::json!({})).at(next);
                    enqueue_in_txn(txn, &self.ambient, job).await?;
                }
                Ok(())
            })
            .await
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(ERROR_MAX).collect()
}
