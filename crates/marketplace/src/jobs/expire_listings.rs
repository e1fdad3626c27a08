//! Hourly: listings whose time is over stop being shown.

use async_trait::async_trait;
use store::{ClaimedJob, JobError, JobHandler, Outcome};

use super::failed;
use crate::Marketplace;

pub(super) const KIND: &str = "listings.expire";

/// Listings per transaction.
const BATCH: u32 = 200;

pub(super) struct ExpireListings(Marketplace);

impl ExpireListings {
    pub(super) fn new(market: &Marketplace) -> Self {
        Self(market.clone())
    }
}

#[async_trait]
impl JobHandler for ExpireListings {
    fn kind(&self) -> &'static str {
        KIND
    }

    async fn run(&self, _: &ClaimedJob) -> Result<Outcome, JobError> {
        let settings = self.0.listing_settings().await;
        let done = self.0.catalog.expire_due(self.0.ambient.now(), BATCH, &settings).await.map_err(failed)?;
        tracing::info!(expired = done.expired, renewed = done.renewed, "listings whose time was over");
        Ok(Outcome::Done)
    }
}
