//! Each minute: what journals added to the house's accounts is folded into their balances.

use async_trait::async_trait;
use store::{ClaimedJob, JobError, JobHandler, Outcome};

use super::failed;
use crate::Marketplace;

pub(super) const KIND: &str = "ledger.fold";

pub(super) struct Fold(Marketplace);

impl Fold {
    pub(super) fn new(market: &Marketplace) -> Self {
        Self(market.clone())
    }
}

#[async_trait]
impl JobHandler for Fold {
    fn kind(&self) -> &'static str {
        KIND
    }

    async fn run(&self, _: &ClaimedJob) -> Result<Outcome, JobError> {
        let deltas = self.0.ledger.fold().await.map_err(failed)?;
        tracing::debug!(deltas, "house accounts are folded");
        Ok(Outcome::Done)
    }
}
