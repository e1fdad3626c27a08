//! Hourly: what nobody needs any more goes. Codes and counters that ran out, delivered events, finished jobs, old fires
//! of schedules, expired idempotency keys, settled webhooks, old notifications, photos that no listing took.

use async_trait::async_trait;
use chrono::TimeDelta;
use store::{
    ClaimedJob, JobError, JobHandler, Outcome, forget_expired_keys, forget_finished_jobs, forget_old_fires,
    forget_relayed_events, forget_stream_entries,
};

use super::failed;
use crate::{FlowError, Marketplace};

pub(super) const KIND: &str = "store.clean_up";

/// For how long finished jobs and delivered events can be looked at.
const KEPT: TimeDelta = TimeDelta::days(7);

/// For how long somebody who was away can hear what sockets were told.
const STREAMS_KEPT: TimeDelta = TimeDelta::days(7);

/// For how long notifications stay in inboxes, with the log of what was sent.
const NOTIFICATIONS_KEPT: TimeDelta = TimeDelta::days(180);

/// For how long it can be seen what became of webhooks of ours.
const HOOKS_KEPT: TimeDelta = TimeDelta::days(30);

/// For how long it can be seen when a schedule was due.
const FIRES_KEPT: TimeDelta = TimeDelta::days(30);

/// Razorpay sends an event again for a day, and staff may replay it there for fifteen: until then it is known here.
const WEBHOOKS_KEPT: TimeDelta = TimeDelta::days(30);

/// Photos and files per round.
const BATCH: u32 = 200;

pub(super) struct CleanUp(Marketplace);

impl CleanUp {
    pub(super) fn new(market: &Marketplace) -> Self {
        Self(market.clone())
    }

    async fn forget_rows(&self) -> Result<(), JobError> {
        let now = self.0.ambient.now();
        self.0
            .db
            .in_txn(async |txn| {
                let jobs = forget_finished_jobs(txn, now - KEPT).await?;
                let events = forget_relayed_events(txn, now - KEPT).await?;
                let keys = forget_expired_keys(txn, now).await?;
                let fires = forget_old_fires(txn, now - FIRES_KEPT).await?;
                let webhooks = self.0.payments.forget_webhooks_in_txn(txn, now - WEBHOOKS_KEPT).await?;
                let entries = forget_stream_entries(txn, now - STREAMS_KEPT).await?;
                tracing::info!(jobs, events, keys, fires, webhooks, entries, "old rows are gone");
                Ok::<_, FlowError>(())
            })
            .await
            .map_err(failed)
    }

    async fn forget_messages(&self) -> Result<(), JobError> {
        let now = self.0.ambient.now();
        self.0
            .db
            .in_txn(async |txn| {
                let notifications =
                    self.0.notify.forget_notifications_in_txn(txn, now - NOTIFICATIONS_KEPT).await?;
                let hooks = self.0.notify.forget_hooks_in_txn(txn, now - HOOKS_KEPT).await?;
                tracing::info!(notifications, hooks, "old messages are gone");
                Ok::<_, FlowError>(())
            })
            .await
            .map_err(failed)
    }

    async fn forget_photos(&self) -> Result<(), JobError> {
        loop {
            let done = self.0.photos.clean_up(self.0.ambient.now(), BATCH).await.map_err(failed)?;
            if done.photos == 0 && done.files == 0 {
                return Ok(());
            }
            tracing::info!(photos = done.photos, files = done.files, failed = done.failed, "photos are gone");
        }
    }
}

#[async_trait]
impl JobHandler for CleanUp {
    fn kind(&self) -> &'static str {
        KIND
    }

    async fn run(&self, _: &ClaimedJob) -> Result<Outcome, JobError> {
        self.0.identity.tidy().await.map_err(failed)?;
        self.0.identity.reseal_secrets().await.map_err(failed)?;
        self.0.notify.reseal_secrets().await.map_err(failed)?;
        self.forget_rows().await?;
        self.forget_messages().await?;
        self.forget_photos().await?;
        Ok(Outcome::Done)
    }
}
