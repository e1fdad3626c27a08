//! The port through which SMS leave.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use kernel::Phone;
use secrecy::SecretString;
use url::Url;

use crate::SendError;

/// An SMS to be sent. Its `Debug` shows neither the number nor the text.
#[derive(Debug, Clone)]
pub struct SmsMessage {
    /// Whom to.
    pub to: Phone,
    /// What it says. It may hold a one-time code.
    pub body: SecretString,
    /// Under which id the text is registered with the Indian operators (DLT); they drop what is not registered.
    pub dlt_template_id: Option<String>,
    /// How long it may wait on its way before it is worthless.
    pub validity: Duration,
    /// Where the provider reports what became of it. It may name our id for the message, and nothing else.
    pub status_callback: Option<Url>,
}

/// The provider took the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmsReceipt {
    /// The provider's id for it, which its delivery reports carry.
    pub provider_id: String,
}

/// Sends SMS.
#[async_trait]
pub trait SmsSender: Send + Sync + 'static {
    /// Hands one message to the provider. `Ok` means that it was taken, not that it has arrived.
    async fn send(&self, message: &SmsMessage) -> Result<SmsReceipt, SendError>;
}

#[async_trait]
impl SmsSender for Arc<dyn SmsSender> {
    async fn send(&self, message: &SmsMessage) -> Result<SmsReceipt, SendError> {
        self.as_ref().send(message).await
    }
}
