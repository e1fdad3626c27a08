//! What the handlers share: the marketplace, the settings, and the process's own condition.

use std::sync::atomic::{AtomicBool, AtomicUsize};

use kernel::Ambient;
use marketplace::Marketplace;
use metrics_exporter_prometheus::PrometheusHandle;
use store::Database;

use crate::config::Config;
use crate::http::middleware::RateLimits;
use crate::realtime::{Live, LiveError};

/// One per process, shared by all its threads.
pub struct AppState {
    /// The settings.
    pub config: Config,
    /// The database, for probes.
    pub db: Database,
    /// Time and randomness.
    pub ambient: Ambient,
    /// Everything the marketplace can do.
    pub market: Marketplace,
    /// The sockets.
    pub live: Live,
    /// The measurements.
    pub metrics: PrometheusHandle,
    /// Whether requests are welcome; false once a shutdown has begun.
    pub ready: AtomicBool,
    pub(crate) in_flight: AtomicUsize,
    pub(crate) rate_limits: Option<RateLimits>,
}

impl AppState {
    /// The state of a process that takes requests.
    ///
    /// # Errors
    /// When its sockets cannot be set up; the error names the setting.
    pub fn new(
        config: Config,
        db: Database,
        ambient: Ambient,
        market: Marketplace,
        metrics: PrometheusHandle,
    ) -> Result<Self, LiveError> {
        let live = Live::new(&config, &market)?;
        let rate_limits = config.rate_limit.enabled.then(|| RateLimits::new(&config.rate_limit));
        Ok(Self {
            config,
            db,
            ambient,
            market,
            live,
            metrics,
            ready: AtomicBool::new(true),
            in_flight: AtomicUsize::new(0),
            rate_limits,
        })
    }
}

impl std::fmt::Debug for AppState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AppState")
    }
}
