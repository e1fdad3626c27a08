//! Nightly: every row of the ledger is checked against every other, and what other rows say of it.

use async_trait::async_trait;
use store::{ClaimedJob, JobError, JobHandler, Outcome};

use super::failed;
use crate::Marketplace;

pub(super) const KIND: &str = "ledger.self_check";

pub(super) struct SelfCheck(Marketplace);

impl SelfCheck {
    pub(super) fn new(market: &Marketplace) -> Self {
        Self(market.clone())
    }
}

#[async_trait]
impl JobHandler for SelfCheck {
    fn kind(&self) -> &'static str {
        KIND
    }

    async fn run(&self, _: &ClaimedJob) -> Result<Outcome, JobError> {
        let report = self.0.verify_books(|_| ()).await.map_err(failed)?;
        match &report.first_wrong {
            None => {
                metrics::counter!("ledger_checks_total", "result" => "clean").increment(1);
                tracing::info!(journals = report.journals, wallets = report.wallets, "the ledger is right");
            }
            // Trying again would find the same: somebody has to look.
            Some(wrong) => {
                metrics::counter!("ledger_checks_total", "result" => "wrong").increment(1);
                tracing::error!(
                    table = wrong.table,
                    key = wrong.key,
                    column = wrong.column,
                    expected = wrong.expected,
                    found = wrong.found,
                    "the ledger is wrong: run `gateway verify-ledger` and see docs/operations.md"
                );
            }
        }
        Ok(Outcome::Done)
    }
}
