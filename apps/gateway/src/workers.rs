//! The loops beside the server: jobs, schedules, and the relay of events.

use std::sync::Arc;
use std::time::Duration;

use marketplace::Marketplace;
use store::{Relay, RelayConfig, Scheduler};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::realtime::Live;

/// The running loops.
pub(crate) struct Workers(JoinSet<()>);

impl Workers {
    /// Starts them; they end when `stop` is cancelled, jobs under way within `grace`.
    pub(crate) fn start(market: &Marketplace, live: &Live, stop: CancellationToken, grace: Duration) -> Self {
        let mut loops = JoinSet::new();
        let worker = marketplace::worker(market);
        let until = stop.clone();
        loops.spawn(async move { worker.run(until.cancelled(), grace).await });

        let scheduler = Scheduler::new(market.db.clone(), market.ambient.clone(), marketplace::schedules());
        let until = stop.clone();
        loops.spawn(async move { scheduler.run(until.cancelled()).await });

        loops.spawn(crate::gauges::measure(market.clone(), stop.clone()));

        let sink = Arc::new(marketplace::Telling::new(market, Some(live.listener())));
        let relay = Relay::new(market.db.clone(), market.ambient.clone(), RelayConfig::default(), sink);
        loops.spawn(async move { relay.run(stop.cancelled()).await });
        Self(loops)
    }

    /// Waits for all of them to end.
    pub(crate) async fn stopped(mut self) {
        while let Some(ended) = self.0.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a worker loop failed");
            }
        }
    }
}
