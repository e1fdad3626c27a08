//! A second provider for when the first one cannot: tried only with what the first one certainly did not send.

use async_trait::async_trait;

use crate::{MailMessage, MailReceipt, MailSender, SendError, SmsMessage, SmsReceipt, SmsSender};

/// Several senders in their order, each for when the one before it did not send.
///
/// A provider that is busy, throttles, cannot be reached, does not know us or wants another form hands the message on; one that refused the
/// recipient, failed over the message or did not answer keeps it, because it may have left or would not arrive anyway.
#[derive(Debug, Clone)]
pub struct Failover<S> {
    senders: Vec<S>,
}

impl<S> Failover<S> {
    /// The first sender, and those that stand in for it.
    pub fn new(first: S, others: impl IntoIterator<Item = S>) -> Self {
        Self { senders: std::iter::once(first).chain(others).collect() }
    }
}

/// Whether another provider may be asked for the same message.
fn hands_on(error: SendError) -> bool {
    error.is_safe_to_repeat() || matches!(error, SendError::Misconfigured { .. } | SendError::Faulty { .. })
}

macro_rules! first_that_sends {
    ($self:ident, $message:ident) => {{
        let mut last = SendError::Busy;
        for sender in &$self.senders {
            match sender.send($message).await {
                Err(error) if hands_on(error) => last = error,
                result => return result,
            }
        }
        Err(last)
    }};
}

#[async_trait]
impl<S: SmsSender> SmsSender for Failover<S> {
    async fn send(&self, message: &SmsMessage) -> Result<SmsReceipt, SendError> {
        first_that_sends!(self, message)
    }
}

#[async_trait]
impl<S: MailSender> MailSender for Failover<S> {
    async fn send(&self, message: &MailMessage) -> Result<MailReceipt, SendError> {
        first_that_sends!(self, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_certainly_did_not_leave_is_handed_on() {
        let not_sent = SendError::NotSent { code: None, retry_after: None };
        let ours = [SendError::Misconfigured { code: 20003 }, SendError::Faulty { code: 21901 }];
        for error in [not_sent, SendError::Busy].into_iter().chain(ours) {
            assert!(hands_on(error), "{error}");
        }
        for error in [SendError::Unknown, SendError::Failed { code: 503 }, SendError::Refused { code: 21211 }]
        {
            assert!(!hands_on(error), "{error}");
        }
    }
}
