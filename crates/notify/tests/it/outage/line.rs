//! The line to a provider: it works, leads to nobody, or loses the answers. Whoever calls over it is noted.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use kernel::Ambient;
use notify::{
    MailMessage, MailReceipt, MailSender, PushError, PushMessage, PushReceipt, PushSender, SendError,
    SmsMessage, SmsReceipt, SmsSender,
};

/// What the line does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// The provider is called and its answer comes back.
    Works,
    /// Nobody is there.
    LeadsNowhere,
    /// The provider is called and its answer is lost.
    LosesAnswers,
}

/// What two lines to one provider share: their state, and when each call was made.
#[derive(Clone)]
pub(super) struct Switch {
    state: Arc<Mutex<State>>,
    calls: Arc<Mutex<Vec<DateTime<Utc>>>>,
    ambient: Ambient,
}

impl Switch {
    pub(super) fn new(ambient: &Ambient) -> Self {
        let state = Arc::new(Mutex::new(State::Works));
        Self { state, calls: Arc::default(), ambient: ambient.clone() }
    }

    pub(super) fn set(&self, state: State) {
        *self.state.lock().unwrap() = state;
    }

    /// When calls were made, in order.
    pub(super) fn calls(&self) -> Vec<DateTime<Utc>> {
        self.calls.lock().unwrap().clone()
    }

    fn begin(&self) -> State {
        self.calls.lock().unwrap().push(self.ambient.now());
        *self.state.lock().unwrap()
    }
}

/// A client of the provider, one of an address where nobody listens, and what switches between them.
pub(super) struct Line<S> {
    pub(super) provider: S,
    pub(super) nobody: S,
    pub(super) switch: Switch,
}

macro_rules! over_the_line {
    ($self:ident, $message:ident, $lost:expr) => {
        match $self.switch.begin() {
            State::Works => $self.provider.send($message).await,
            State::LeadsNowhere => $self.nobody.send($message).await,
            State::LosesAnswers => {
                $self.provider.send($message).await.unwrap();
                Err($lost)
            }
        }
    };
}

#[async_trait]
impl<S: SmsSender> SmsSender for Line<S> {
    async fn send(&self, message: &SmsMessage) -> Result<SmsReceipt, SendError> {
        over_the_line!(self, message, SendError::Unknown)
    }
}

#[async_trait]
impl<S: MailSender> MailSender for Line<S> {
    async fn send(&self, message: &MailMessage) -> Result<MailReceipt, SendError> {
        over_the_line!(self, message, SendError::Unknown)
    }
}

#[async_trait]
impl<S: PushSender> PushSender for Line<S> {
    async fn send(&self, message: &PushMessage) -> Result<PushReceipt, PushError> {
        over_the_line!(self, message, PushError::Send(SendError::Unknown))
    }
}
