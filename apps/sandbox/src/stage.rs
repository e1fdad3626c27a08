//! What all the stand-ins share: the inbox, the faults, the providers' accounts, time and randomness.

use std::sync::Arc;

use kernel::Ambient;
use tokio_util::sync::CancellationToken;

use crate::config::SandboxConfig;
use crate::faults::Faults;
use crate::fcm::Fcm;
use crate::inbox::{Inbox, Letter};
use crate::razorpay::Razorpay;
use crate::twilio::{Account, Callbacks, Messages};

/// One sandbox's state, shared by its two servers.
pub(crate) struct Stage {
    pub(crate) ambient: Ambient,
    pub(crate) inbox: Inbox,
    pub(crate) faults: Faults,
    pub(crate) account: Account,
    pub(crate) messages: Messages,
    pub(crate) callbacks: Callbacks,
    pub(crate) fcm: Fcm,
    pub(crate) razorpay: Arc<Razorpay>,
}

impl Stage {
    /// An empty stage. What goes on in the background ends with `stopping`.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub(crate) fn new(config: &SandboxConfig, stopping: &CancellationToken) -> anyhow::Result<Self> {
        let ambient = Ambient::system();
        let razorpay = Arc::new(Razorpay::new(&config.razorpay, &ambient, stopping)?);
        Ok(Self {
            ambient: ambient.clone(),
            inbox: Inbox::default(),
            faults: Faults::default(),
            account: Account::new(config),
            messages: Messages::default(),
            callbacks: Callbacks::new(config, &ambient, stopping)?,
            fcm: Fcm::new(config)?,
            razorpay,
        })
    }

    /// Puts `copies` of one message into the inbox.
    pub(crate) fn deliver(&self, copies: usize, letter: Letter<'_>) {
        for _ in 0..copies {
            self.inbox.push(letter.received(self.ambient.now()));
        }
        tracing::info!(channel = ?letter.channel, copies, "message received");
    }
}
