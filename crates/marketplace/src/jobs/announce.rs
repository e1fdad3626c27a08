//! Each minute: announcements whose hour has come are told to their audience, and those whose time is over end.

use async_trait::async_trait;
use store::{ClaimedJob, JobError, JobHandler, Outcome};

use super::failed;
use crate::Marketplace;

pub(super) const KIND: &str = "notify.announce";

/// The most announcements of one round.
const ROUND: u32 = 20;

pub(super) struct Announce(Marketplace);

impl Announce {
    pub(super) fn new(market: &Marketplace) -> Self {
        Self(market.clone())
    }
}

#[async_trait]
impl JobHandler for Announce {
    fn kind(&self) -> &'static str {
        KIND
    }

    async fn run(&self, _: &ClaimedJob) -> Result<Outcome, JobError> {
        self.0.notify.expire_announcements().await.map_err(failed)?;
        for id in self.0.notify.due_announcements(ROUND).await.map_err(failed)? {
            self.0.announce(id).await.map_err(failed)?;
        }
        Ok(Outcome::Done)
    }
}
