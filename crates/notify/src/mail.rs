//! The port through which mail leaves.

use std::sync::Arc;

use async_trait::async_trait;
use kernel::Email;
use secrecy::SecretString;
use url::Url;
use uuid::Uuid;

use crate::SendError;

/// A mail to be sent. Its `Debug` shows neither the address nor the text.
#[derive(Debug, Clone)]
pub struct MailMessage {
    /// What its `Message-ID` is made of: the same for every try, so that a mail that arrives twice can be told.
    pub id: Uuid,
    /// Whom to.
    pub to: Email,
    /// The subject. It is shown on lock screens and kept by relays, so it must hold no secret.
    pub subject: String,
    /// The text. It may hold a one-time code.
    pub text: SecretString,
    /// The same as HTML.
    pub html: Option<SecretString>,
    /// Where one click unsubscribes from mails of its sort (RFC 8058); messages that must go have none.
    pub unsubscribe: Option<Url>,
}

/// The mail server took the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailReceipt {
    /// The mail's `Message-ID`, in angle brackets.
    pub message_id: String,
}

/// Sends mail.
#[async_trait]
pub trait MailSender: Send + Sync + 'static {
    /// Hands one mail to the server. `Ok` means that it was taken, not that it has arrived.
    async fn send(&self, message: &MailMessage) -> Result<MailReceipt, SendError>;
}

#[async_trait]
impl MailSender for Arc<dyn MailSender> {
    async fn send(&self, message: &MailMessage) -> Result<MailReceipt, SendError> {
        self.as_ref().send(message).await
    }
}
