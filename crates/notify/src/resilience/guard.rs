//! Wraps a sender: a slot, the breaker's consent, the call, and perhaps another try.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use backon::{ExponentialBuilder, Retryable};
use kernel::Ambient;
use tokio::sync::Semaphore;

use super::breaker::{Breaker, BreakerConfig};
use crate::{MailMessage, MailReceipt, MailSender, SendError, SmsMessage, SmsReceipt, SmsSender};

/// When and how often a call is repeated. Only what certainly did not leave is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryConfig {
    /// Tries beyond the first.
    pub retries: usize,
    /// The first pause; each next one is twice as long, with jitter.
    pub first_pause: Duration,
    /// The longest pause. A provider that asks for a longer one is not called again.
    pub longest_pause: Duration,
}

/// How a sender is guarded.
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
    /// The call's own, or [`SendError::Busy`] when it was not made.
    pub async fn call<T, F, Fut>(&self, send: F) -> Result<T, SendError>
    where
        F: Fn() -> Fut + Send + Sync,
        Fut: Future<Output = Result<T, SendError>> + Send,
    {
        let slot = tokio::time::timeout(self.config.wait, self.slots.acquire()).await;
        let Ok(Ok(_slot)) = slot else {
            return self.counted(Err(SendError::Busy));
        };
        let retry = self.config.retry;
        let pauses = ExponentialBuilder::default()
            .with_min_delay(retry.first_pause)
            .with_max_delay(retry.longest_pause)
            .with_max_times(retry.retries)
            .with_jitter();
        (|| self.call_once(&send))
            .retry(pauses)
            .when(|error| matches!(error, SendError::NotSent { .. }))
            .adjust(|error, pause| match error {
                SendError::NotSent { retry_after: Some(wait), .. } if *wait > retry.longest_pause => None,
                SendError::NotSent { retry_after: Some(wait), .. } => pause.map(|pause| pause.max(*wait)),
                _ => pause,
            })
            .await
    }

    async fn call_once<T, F, Fut>(&self, send: &F) -> Result<T, SendError>
    where
        F: Fn() -> Fut,
        Fut: Future<Output = Result<T, SendError>>,
    {
        let Some(permit) = self.breaker.admit() else {
            return self.counted(Err(SendError::Busy));
        };
        let result = send().await;
        permit.settle(!result.as_ref().is_err_and(|error| error.is_outage()));
        self.counted(result)
    }

    fn counted<T>(&self, result: Result<T, SendError>) -> Result<T, SendError> {
        let outcome = result.as_ref().map_or_else(|error| error.name(), |_| "sent");
        metrics::counter!("provider_calls_total", "provider" => self.name, "outcome" => outcome).increment(1);
        result
    }
}

/// A sender behind a guard.
#[derive(Debug, Clone)]
pub struct Guarded<S> {
    sender: S,
    guard: Arc<Guard>,
}

impl<S> Guarded<S> {
    /// The sender behind the guard.
    pub fn new(sender: S, guard: Guard) -> Self {
        Self { sender, guard: Arc::new(guard) }
    }
}

#[async_trait]
impl<S: SmsSender> SmsSender for Guarded<S> {
    async fn send(&self, message: &SmsMessage) -> Result<SmsReceipt, SendError> {
        self.guard.call(|| self.sender.send(message)).await
    }
}

#[async_trait]
impl<S: MailSender> MailSender for Guarded<S> {
    async fn send(&self, message: &MailMessage) -> Result<MailReceipt, SendError> {
        self.guard.call(|| self.sender.send(message)).await
    }
}
