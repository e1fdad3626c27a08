//! The port through which push messages leave.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use kernel::ParseError;

use crate::{PushTarget, SendError};

/// A topic that devices are subscribed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushTopic(String);

impl PushTopic {
    /// Reads its name: letters, digits, `-`, `_`, `.`, `~` and `%`, as Firebase takes them.
    ///
    /// # Errors
    /// When it is empty or has others.
    pub fn parse(name: &str) -> Result<Self, ParseError> {
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.~%".contains(&b)) {
            return Err(ParseError::new("invalid_topic", "must be letters, digits, and - _ . ~ % alone"));
        }
        Ok(Self(name.to_owned()))
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// To whom a push message goes.
#[derive(Debug, Clone)]
pub enum PushTo {
    /// To one device.
    Device(PushTarget),
    /// To whatever is subscribed to a topic. Nobody's preferences count there: it is for what everybody wants to know.
    Topic(PushTopic),
}

/// A push message to be sent. Its `Debug` shows neither the token nor the text.
#[derive(Clone)]
pub struct PushMessage {
    /// To whom.
    pub to: PushTo,
    /// One line.
    pub title: String,
    /// A sentence or two.
    pub body: String,
    /// Facts for the app, each a text.
    pub data: BTreeMap<String, String>,
    /// A later message with the same key takes the place of an earlier one that nobody has seen. At most 64 bytes,
    /// which is what Apple takes.
    pub collapse_key: Option<String>,
    /// For how long it is kept for a device that is switched off.
    pub ttl: Duration,
    /// Whether it wakes a device that sleeps.
    pub urgent: bool,
}

impl std::fmt::Debug for PushMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PushMessage")
            .field("ttl", &self.ttl)
            .field("urgent", &self.urgent)
            .finish_non_exhaustive()
    }
}

/// The provider took the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushReceipt {
    /// The provider's name for it.
    pub name: String,
}

/// Why a push message did not leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PushError {
    /// The token is dead: the app was removed, or the token belongs to somebody else's project. Forget it.
    #[error("the device is gone")]
    DeviceGone,
    /// As with every other message.
    #[error(transparent)]
    Send(#[from] SendError),
}

/// Sends push messages.
#[async_trait]
pub trait PushSender: Send + Sync + 'static {
    /// Hands one message to the provider. `Ok` means that it was taken, not that it was shown.
    async fn send(&self, message: &PushMessage) -> Result<PushReceipt, PushError>;
}
