//! A sender behind a guard: a limit on calls at a time, a circuit breaker, and the few retries that cannot send a
//! message twice.

use std::sync::Arc;

use async_trait::async_trait;
use outbound::{CallError, Guard, Retry};

use crate::{
    MailMessage, MailReceipt, MailSender, PushError, PushMessage, PushReceipt, PushSender, SendError,
    SmsMessage, SmsReceipt, SmsSender,
};

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

#[async_trait]
impl<S: PushSender> PushSender for Guarded<S> {
    async fn send(&self, message: &PushMessage) -> Result<PushReceipt, PushError> {
        self.guard.call(|| self.sender.send(message)).await
    }
}

/// A dead token speaks of its device alone.
impl CallError for PushError {
    fn busy() -> Self {
        Self::Send(SendError::Busy)
    }

    fn is_outage(&self) -> bool {
        matches!(self, Self::Send(error) if error.is_outage())
    }

    fn retry(&self) -> Retry {
        match self {
            Self::DeviceGone => Retry::Never,
            Self::Send(error) => error.retry(),
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::DeviceGone => "device_gone",
            Self::Send(error) => error.name(),
        }
    }
}

/// Only what certainly did not leave is sent again.
impl CallError for SendError {
    fn busy() -> Self {
        Self::Busy
    }

    fn is_outage(&self) -> bool {
        // One wrong message says nothing about the others.
        !matches!(self, Self::Refused { .. } | Self::Faulty { .. } | Self::Busy)
    }

    fn retry(&self) -> Retry {
        match self {
            Self::NotSent { retry_after, .. } => Retry::After(*retry_after),
            _ => Retry::Never,
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Refused { .. } => "refused",
            Self::Misconfigured { .. } => "misconfigured",
            Self::Faulty { .. } => "faulty",
            Self::NotSent { .. } => "not_sent",
            Self::Failed { .. } => "failed",
            Self::Unknown => "unknown",
            Self::Busy => "busy",
        }
    }
}
