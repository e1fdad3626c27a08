//! Measurements of the background: how long its oldest piece of work waits, and how much was given up.

use std::time::Duration;

use chrono::{DateTime, Utc};
use marketplace::Marketplace;
use store::{Lag, StoreError, job_lag, outbox_lag};
use tokio_util::sync::CancellationToken;

/// How often they are taken.
const PAUSE: Duration = Duration::from_secs(5);

/// Takes them until told to stop.
pub(crate) async fn measure(market: Marketplace, stop: CancellationToken) {
    loop {
        if let Err(error) = measure_once(&market).await {
            tracing::warn!(%error, "the background could not be measured");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

async fn measure_once(market: &Marketplace) -> Result<(), StoreError> {
    let now = market.ambient.now();
    let outbox = outbox_lag(market.db.reader()?).await?;
    metrics::gauge!("outbox_lag_seconds").set(waiting(outbox, now));
    metrics::gauge!("outbox_dead").set(count(outbox.dead));
    let jobs = job_lag(market.db.reader()?).await?;
    metrics::gauge!("jobs_lag_seconds").set(waiting(jobs, now));
    metrics::gauge!("jobs_dead").set(count(jobs.dead));
    Ok(())
}

/// For how long the oldest waits, in seconds; 0 where none waits or the oldest is not due yet.
fn waiting(lag: Lag, now: DateTime<Utc>) -> f64 {
    lag.oldest.and_then(|oldest| (now - oldest).to_std().ok()).unwrap_or_default().as_secs_f64()
}

fn count(dead: i64) -> f64 {
    u32::try_from(dead).map_or(f64::INFINITY, f64::from)
}
