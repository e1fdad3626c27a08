//! Each minute: orders whose payment was not heard of are looked at.

use async_trait::async_trait;
use store::{ClaimedJob, JobError, JobHandler, Outcome};

use super::failed;
use crate::Marketplace;

/// The kind of the job.
pub const KIND: &str = "payments.poll_orders";

pub(super) struct PollOrders(Marketplace);

impl PollOrders {
    pub(super) fn new(market: &Marketplace) -> Self {
        Self(market.clone())
    }
}

#[async_trait]
impl JobHandler for PollOrders {
    fn kind(&self) -> &'static str {
        KIND
    }

    async fn run(&self, _: &ClaimedJob) -> Result<Outcome, JobError> {
        let looked_at = self.0.poll_orders().await.map_err(failed)?;
        tracing::debug!(looked_at, "orders that were due");
        Ok(Outcome::Done)
    }
}
