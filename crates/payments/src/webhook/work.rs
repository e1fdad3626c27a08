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

/// Tries at which the provider may not show what a webhook tells of before it is passed over: about half an hour.
const MAX_UNSEEN: u32 = 8;

/// The pauses between those tries: a read that lags behind catches up within seconds or minutes.
const UNSEEN_BACKOFF: Backoff = Backoff { base: Duration::from_secs(20), cap: Duration::from_secs(1_800) };

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

    /// Notes that the provider does not show what it tells of, and why that is thought: it is looked for again a few
    /// times, with growing pauses, and then passed over. A look at its order may still find it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn webhook_unseen(&self, webhook: &ClaimedWebhook, why: &str) -> Result<(), PaymentError> {
        let webhook = ClaimedWebhook { unseen: webhook.unseen.saturating_add(1), ..webhook.clone() };
        if webhook.unseen < MAX_UNSEEN {
            return self.try_again(&webhook, UNSEEN_BACKOFF.pause(webhook.unseen, &self.ambient), why).await;
        }
        tracing::warn!(event = %webhook.event_id, kind = %webhook.event_type, why, "a webhook was passed over");
        metrics::counter!("webhooks_passed_over_total").increment(1);
        let (now, why) = (self.ambient.now(), shortened(why));
        self.db
            .in_txn(async |txn| {
                rows::settle(txn, &webhook, WebhookState::Ignored, None, Some(&why), now).await?;
                Ok(())
            })
            .await
    }

    /// Notes that a try failed: it comes again after a pause, with a job to wake the worker, or is given up.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn webhook_failed(&self, webhook: &ClaimedWebhook, why: &str) -> Result<(), PaymentError> {
        if webhook.attempts < MAX_ATTEMPTS {
            return self.try_again(webhook, BACKOFF.pause(webhook.attempts, &self.ambient), why).await;
        }
        let (now, why) = (self.ambient.now(), shortened(why));
        tracing::error!(event = %webhook.event_id, kind = %webhook.event_type, why, "a webhook was given up");
        metrics::counter!("webhooks_dead_total").increment(1);
        self.db
            .in_txn(async |txn| {
                rows::settle(txn, webhook, WebhookState::Dead, None, Some(&why), now).await?;
                Ok(())
            })
            .await
    }

    async fn try_again(
        &self,
        webhook: &ClaimedWebhook,
        pause: Duration,
        why: &str,
    ) -> Result<(), PaymentError> {
        let (now, why) = (self.ambient.now(), shortened(why));
        let next = now + pause;
        self.db
            .in_txn(async |txn| {
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
