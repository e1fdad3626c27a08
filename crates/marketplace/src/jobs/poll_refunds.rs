//! Each minute: refunds whose end is not known are looked at.

use async_trait::async_trait;
use store::{ClaimedJob, JobError, JobHandler, Outcome};

use super::failed;
use crate::Marketplace;

/// The kind of the job.
pub const KIND: &str = "payments.poll_refunds";

pub(super) struct PollRefunds(Marketplace);

impl PollRefunds {
    pub(super) fn new(market: &Marketplace) -> Self {
        Self(market.clone())
    }
}

#[async_trait]
impl JobHandler for PollRefunds {
    fn kind(&self) -> &'static str {
        KIND
    }

    async fn run(&self, _: &ClaimedJob) -> Result<Outcome, JobError> {
        let looked_at = self.0.poll_refunds().await.map_err(failed)?;
        tracing::debug!(looked_at, "refunds that were due");
        Ok(Outcome::Done)
    }
}
