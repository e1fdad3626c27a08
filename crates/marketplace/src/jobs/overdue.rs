//! Every five minutes: messages and webhooks whose job was lost, given up or revived too late get another one.

use async_trait::async_trait;
use chrono::TimeDelta;
use notify::PlannedHook;
use store::{ClaimedJob, JobError, JobHandler, Outcome};

use super::deliver::deliver_at_in_txn;
use super::{failed, send_hook_in_txn};
use crate::{FlowError, Marketplace};

pub(super) const KIND: &str = "notify.overdue";

/// How long after its time a message counts as forgotten: much longer than any worker takes to come to it.
const GRACE: TimeDelta = TimeDelta::minutes(15);

/// The most of each that one round takes up.
const ROUND: u32 = 500;

pub(super) struct Overdue(Marketplace);

impl Overdue {
    pub(super) fn new(market: &Marketplace) -> Self {
        Self(market.clone())
    }

    /// A second job for the same message finds it sent, or waits for its turn: only one claims it.
    async fn take_up(&self) -> Result<(), FlowError> {
        let market = &self.0;
        let now = market.ambient.now();
        let deliveries = market.notify.overdue_deliveries(now - GRACE, ROUND).await?;
        let hooks = market.notify.overdue_hooks(now - GRACE, ROUND).await?;
        if deliveries.is_empty() && hooks.is_empty() {
            return Ok(());
        }
        tracing::warn!(deliveries = deliveries.len(), hooks = hooks.len(), "messages were overdue");
        let hooks: Vec<_> = hooks.into_iter().map(|id| PlannedHook { id, due_at: now }).collect();
        market
            .db
            .in_txn(async |txn| {
                for (id, lane) in &deliveries {
                    deliver_at_in_txn(txn, market, *id, *lane, now).await?;
                }
                send_hook_in_txn(txn, market, &hooks).await?;
                Ok(())
            })
            .await
    }
}

#[async_trait]
impl JobHandler for Overdue {
    fn kind(&self) -> &'static str {
        KIND
    }

    async fn run(&self, _: &ClaimedJob) -> Result<Outcome, JobError> {
        self.take_up().await.map_err(failed)?;
        Ok(Outcome::Done)
    }
}
