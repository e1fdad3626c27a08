//! Each minute: journals that no transaction can be writing any more are sealed.

use std::time::Duration;

use async_trait::async_trait;
use store::{ClaimedJob, JobError, JobHandler, Outcome};

use super::failed;
use crate::Marketplace;

pub(super) const KIND: &str = "ledger.seal";

/// Far longer than a transaction lives, which is not tried again after six seconds, and than a statement is under way.
const DELAY: Duration = Duration::from_secs(120);

/// What the clocks of two hosts, or of one and the database's, may be apart before a journal can come under a seal.
const CLOCKS_APART: Duration = Duration::from_secs(45);
const _: () = assert!(
    ledger::PATIENCE.as_secs() + store::STATEMENT_TIMEOUT.as_secs() + CLOCKS_APART.as_secs()
        <= DELAY.as_secs()
);

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
