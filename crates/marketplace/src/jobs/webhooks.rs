//! At once, and each minute for what was missed: the payment provider's webhooks are worked off.

use async_trait::async_trait;
use store::{ClaimedJob, JobError, JobHandler, Outcome};

use super::failed;
use crate::Marketplace;

pub(super) const KIND: &str = payments::WEBHOOK_JOB;

/// How many run at a time: half of what asks Razorpay at once, so that they leave room to who waits for an order.
pub(super) const PLACES: usize = 16;

pub(super) struct WorkOffWebhooks(Marketplace);

impl WorkOffWebhooks {
    pub(super) fn new(market: &Marketplace) -> Self {
        Self(market.clone())
    }
}

#[async_trait]
impl JobHandler for WorkOffWebhooks {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn share(&self) -> usize {
        PLACES
    }

    async fn run(&self, _: &ClaimedJob) -> Result<Outcome, JobError> {
        let worked_off = self.0.work_off_webhooks().await.map_err(failed)?;
        tracing::debug!(worked_off, "webhooks");
        Ok(Outcome::Done)
    }
}
