//! The inbox: every SMS, mail and push that the stand-ins were given, the latest of them kept in memory.

mod filter;
mod page;
mod routes;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use serde::Serialize;

pub(crate) use filter::Filter;
pub(crate) use routes::resource;

/// How many messages are kept; the oldest make room.
const CAPACITY: usize = 10_000;

/// The way a message reaches people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Channel {
    Sms,
    Email,
    Push,
}

impl Channel {
    const ALL: [Self; 3] = [Self::Sms, Self::Email, Self::Push];

    fn name(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Email => "email",
            Self::Push => "push",
        }
    }
}

/// One message for one recipient.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Message {
    pub(crate) channel: Channel,
    /// A phone number in E.164, an e-mail address or a device token.
    pub(crate) to: String,
    /// Of a mail or a push; an SMS has none.
    pub(crate) subject: Option<String>,
    pub(crate) body: String,
    /// Under which id an SMS says that its text is registered with the Indian operators (DLT).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) dlt_template_id: Option<String>,
    pub(crate) received_at: DateTime<Utc>,
}

/// A message as a stand-in was given it.
#[derive(Clone, Copy)]
pub(crate) struct Letter<'a> {
    pub(crate) channel: Channel,
    pub(crate) to: &'a str,
    pub(crate) subject: Option<&'a str>,
    pub(crate) body: &'a str,
    pub(crate) dlt_template_id: Option<&'a str>,
}

impl Letter<'_> {
    /// The message that arrives with it.
    pub(crate) fn received(&self, received_at: DateTime<Utc>) -> Message {
        Message {
            channel: self.channel,
            to: self.to.to_owned(),
            subject: self.subject.map(str::to_owned),
            body: self.body.to_owned(),
            dlt_template_id: self.dlt_template_id.map(str::to_owned),
            received_at,
        }
    }
}

/// The messages, newest first.
#[derive(Default)]
pub(crate) struct Inbox(Mutex<VecDeque<Arc<Message>>>);

impl Inbox {
    /// Adds a message, dropping the oldest one when there are too many.
    pub(crate) fn push(&self, message: Message) {
        let mut messages = self.messages();
        messages.push_front(Arc::new(message));
        messages.truncate(CAPACITY);
    }

    /// The messages that the filter lets through, newest first.
    pub(crate) fn list(&self, filter: &Filter) -> Vec<Arc<Message>> {
        self.messages().iter().filter(|message| filter.admits(message)).cloned().collect()
    }

    /// Throws all messages away.
    pub(crate) fn clear(&self) {
        self.messages().clear();
    }

    fn messages(&self) -> MutexGuard<'_, VecDeque<Arc<Message>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use kernel::Ambient;

    use super::*;

    #[test]
    fn the_oldest_message_makes_room_for_the_newest() {
        let inbox = Inbox::default();
        for number in 0..=CAPACITY {
            let letter = Letter {
                channel: Channel::Sms,
                to: "+919876543210",
                subject: None,
                body: &number.to_string(),
                dlt_template_id: None,
            };
            inbox.push(letter.received(Ambient::system().now()));
        }
        let kept = inbox.list(&Filter::default());
        assert_eq!(kept.len(), CAPACITY);
        assert_eq!(kept.first().unwrap().body, CAPACITY.to_string());
        assert_eq!(kept.last().unwrap().body, "1");
    }
}
