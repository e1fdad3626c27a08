//! Hourly: boosts whose time is over are marked so and told. What people see did not wait for it.

use async_trait::async_trait;
use store::{ClaimedJob, JobError, JobHandler, Outcome};

use super::failed;
use crate::Marketplace;

pub(super) const KIND: &str = "boosts.lapse";

/// Boosts per transaction.
const BATCH: u32 = 200;

pub(super) struct LapseBoosts(Marketplace);

impl LapseBoosts {
    pub(super) fn new(market: &Marketplace) -> Self {
        Self(market.clone())
    }
}

#[async_trait]
impl JobHandler for LapseBoosts {
    fn kind(&self) -> &'static str {
        KIND
    }

    async fn run(&self, _: &ClaimedJob) -> Result<Outcome, JobError> {
        let ended = self.0.catalog.lapse_boosts(self.0.ambient.now(), BATCH).await.map_err(failed)?;
        tracing::info!(ended, "boosts whose time was over");
        Ok(Outcome::Done)
    }
}
