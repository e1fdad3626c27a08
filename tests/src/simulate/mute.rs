//! Nobody carries messages in a simulation: no flow of money sends one.

use async_trait::async_trait;
use notify::{MailMessage, MailReceipt, MailSender, SendError, SmsMessage, SmsReceipt, SmsSender};

/// Refuses every message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mute;

#[async_trait]
impl SmsSender for Mute {
    async fn send(&self, _: &SmsMessage) -> Result<SmsReceipt, SendError> {
        Err(SendError::Misconfigured { code: 0 })
    }
}

#[async_trait]
impl MailSender for Mute {
    async fn send(&self, _: &MailMessage) -> Result<MailReceipt, SendError> {
        Err(SendError::Misconfigured { code: 0 })
    }
}
