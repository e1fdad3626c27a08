//! Each minute: journals that no transaction can be writing any more are sealed.

use std::time::Duration;

use async_trait::async_trait;
use store::{ClaimedJob, JobError, JobHandler, Outcome};

use super::failed;
use crate::Marketplace;

pub(super) const KIND: &str = "ledger.seal";

/// Far longer than a transaction lives: its statements end after fifteen seconds, and it is not tried again after six.
const DELAY: Duration = Duration::from_secs(120);

pub(super) struct SealJournals(Marketplace);

impl SealJournals {
    pub(super) fn new(market: &Marketplace) -> Self {
        Self(market.clone())
    }
}

#[async_trait]
impl JobHandler for SealJournals {
    fn kind(&self) -> &'static str {
        KIND
    }

    async fn run(&self, _: &ClaimedJob) -> Result<Outcome, JobError> {
        let sealed = self.0.ledger.seal(DELAY).await.map_err(failed)?;
        tracing::debug!(seals = sealed.seals, journals = sealed.journals, "journals are sealed");
        Ok(Outcome::Done)
    }
}
