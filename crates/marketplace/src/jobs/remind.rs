//! Daily at nine: sellers are reminded of listings that end within three days.

use async_trait::async_trait;
use store::{ClaimedJob, JobError, JobHandler, Outcome};

use super::failed;
use crate::Marketplace;

pub(super) const KIND: &str = "catalog.remind";

/// Listings per transaction.
const BATCH: u32 = 100;

pub(super) struct Remind(Marketplace);

impl Remind {
    pub(super) fn new(market: &Marketplace) -> Self {
        Self(market.clone())
    }
}

#[async_trait]
impl JobHandler for Remind {
    fn kind(&self) -> &'static str {
        KIND
    }

    async fn run(&self, _: &ClaimedJob) -> Result<Outcome, JobError> {
        let told = self.0.catalog.remind_of_ends(self.0.ambient.now(), BATCH).await.map_err(failed)?;
        tracing::info!(told, "sellers are reminded of listings that end soon");
        Ok(Outcome::Done)
    }
}
