//! Wraps a call: a slot, the breaker's consent, the call, and perhaps another try.

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use kernel::Ambient;
use tokio::sync::Semaphore;

use crate::breaker::{Breaker, BreakerConfig};

/// Whether a call that failed may be made again by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// It may have acted, or it would fail again.
    Never,
    /// It may, after a pause of ours, or the longer one that the provider asks for.
    After(Option<Duration>),
}

/// What a guard must know of a call's error.
pub trait CallError: Send {
    /// The call was not made: the provider has been failing, or too many calls are under way.
    fn busy() -> Self;
    /// Whether it speaks against the provider's health or our way to it, and not against this one call.
    fn is_outage(&self) -> bool;
    /// Whether the call may be made again.
    fn retry(&self) -> Retry;
    /// A short name for metrics.
    fn name(&self) -> &'static str;
}

/// When and how often a call is repeated, where its error allows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryConfig {
    /// Tries beyond the first.
    pub retries: usize,
    /// The first pause; each next one is twice as long, with jitter.
    pub first_pause: Duration,
    /// The longest pause. A provider that asks for a longer one is not called again.
    pub longest_pause: Duration,
}

/// How a provider is guarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GuardConfig {
    /// How many calls may be under way at a time.
    pub concurrency: usize,
    /// How long a call may wait for one of them to end.
    pub wait: Duration,
    /// When to stop calling.
    pub breaker: BreakerConfig,
    /// When to call again.
    pub retry: RetryConfig,
}

impl Default for GuardConfig {
    fn default() -> Self {
        Self {
            concurrency: 32,
            wait: Duration::from_secs(1),
            breaker: BreakerConfig::default(),
            retry: RetryConfig {
                retries: 2,
                first_pause: Duration::from_millis(200),
                longest_pause: Duration::from_secs(1),
            },
        }
    }
}

/// The state of one provider, shared by all its callers.
#[derive(Debug)]
pub struct Guard {
    name: &'static str,
    config: GuardConfig,
    slots: Semaphore,
    breaker: Breaker,
}

impl Guard {
    /// A guard under the name that metrics know the provider by.
    pub fn new(name: &'static str, config: GuardConfig, ambient: Ambient) -> Self {
        Self {
            name,
            config,
            slots: Semaphore::new(config.concurrency),
            breaker: Breaker::new(name, config.breaker, ambient),
        }
    }

    /// Calls the provider, if it is well enough, and again where that is safe.
    ///
    /// # Errors
    /// The call's own, or [`CallError::busy`] when it was not made.
    pub async fn call<T, E, F, Fut>(&self, make: F) -> Result<T, E>
    where
        E: CallError,
        F: Fn() -> Fut + Send + Sync,
        Fut: Future<Output = Result<T, E>> + Send,
    {
        let slot = tokio::time::timeout(self.config.wait, self.slots.acquire()).await;
        let Ok(Ok(_slot)) = slot else {
            return self.counted(Err(E::busy()));
        };
        let retry = self.config.retry;
        let pauses = ExponentialBuilder::default()
            .with_min_delay(retry.first_pause)
            .with_max_delay(retry.longest_pause)
            .with_max_times(retry.retries)
            .with_jitter();
        (|| self.call_once(&make))
            .retry(pauses)
            .when(|error| error.retry() != Retry::Never)
            .adjust(|error, pause| match error.retry() {
                Retry::After(Some(wait)) if wait > retry.longest_pause => None,
                Retry::After(Some(wait)) => pause.map(|pause| pause.max(wait)),
                _ => pause,
            })
            .await
    }

    async fn call_once<T, E, F, Fut>(&self, make: &F) -> Result<T, E>
    where
        E: CallError,
        F: Fn() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        let Some(permit) = self.breaker.admit() else {
            return self.counted(Err(E::busy()));
        };
        let result = make().await;
        permit.settle(!result.as_ref().is_err_and(CallError::is_outage));
        self.counted(result)
    }

    fn counted<T, E: CallError>(&self, result: Result<T, E>) -> Result<T, E> {
        let outcome = result.as_ref().map_or_else(CallError::name, |_| "sent");
        metrics::counter!("provider_calls_total", "provider" => self.name, "outcome" => outcome).increment(1);
        result
    }
}
