//! Measurements of the background: how long its oldest piece of work waits, and how much was given up.

use std::time::Duration;

use chrono::{DateTime, Utc};
use marketplace::{FlowError, Marketplace};
use store::{Lag, job_lag, outbox_lag};
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

/// Takes them now.
///
/// # Errors
/// When the database fails.
pub async fn measure_once(market: &Marketplace) -> Result<(), FlowError> {
    let reader = market.db.reader()?;
    let lags = [
        (outbox_lag(reader).await?, metrics::gauge!("outbox_lag_seconds"), metrics::gauge!("outbox_dead")),
        (job_lag(reader).await?, metrics::gauge!("jobs_lag_seconds"), metrics::gauge!("jobs_dead")),
        (
            market.notify.delivery_lag().await?,
            metrics::gauge!("deliveries_lag_seconds"),
            metrics::gauge!("deliveries_dead"),
        ),
        (
            market.notify.hook_lag().await?,
            metrics::gauge!("hooks_lag_seconds"),
            metrics::gauge!("hooks_dead"),
        ),
    ];
    let now = market.ambient.now();
    for (lag, oldest, dead) in lags {
        oldest.set(waiting(lag, now));
        dead.set(count(lag.dead));
    }
    Ok(())
}

/// For how long the oldest waits, in seconds; 0 where none waits or the oldest is not due yet.
fn waiting(lag: Lag, now: DateTime<Utc>) -> f64 {
    lag.oldest.and_then(|oldest| (now - oldest).to_std().ok()).unwrap_or_default().as_secs_f64()
}

fn count(dead: i64) -> f64 {
    u32::try_from(dead).map_or(f64::INFINITY, f64::from)
}
