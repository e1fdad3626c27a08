//! The Message resource, and the messages that the account has sent.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use chrono::{DateTime, Utc};
use serde::Serialize;
use url::Url;

use super::send::{Draft, Sender};

/// How many messages are kept; the oldest make room.
const CAPACITY: usize = 10_000;

/// A message as it was created.
pub(crate) struct Message {
    /// `SM` and 32 hexadecimal digits.
    pub(super) sid: String,
    pub(super) created: DateTime<Utc>,
    pub(super) draft: Draft,
    /// Where Twilio would report what becomes of the message.
    pub(crate) status_callback: Option<Url>,
    /// How it ended, once it did: its status, and the error's code.
    pub(super) end: OnceLock<(&'static str, Option<u32>)>,
}

impl Message {
    /// Lets it end like this, if it has not ended.
    pub(super) fn ends(&self, status: &'static str, error: Option<u32>) {
        self.end.get_or_init(|| (status, error));
    }
}

/// The messages, newest first.
#[derive(Default)]
pub(crate) struct Messages(Mutex<VecDeque<Arc<Message>>>);

impl Messages {
    /// Adds a message, dropping the oldest one when there are too many.
    pub(super) fn push(&self, message: Arc<Message>) {
        let mut messages = self.lock();
        messages.push_front(message);
        messages.truncate(CAPACITY);
    }

    /// The message of this SID.
    pub(crate) fn get(&self, sid: &str) -> Option<Arc<Message>> {
        self.lock().iter().find(|message| message.sid == sid).cloned()
    }

    /// All messages, newest first.
    pub(super) fn all(&self) -> Vec<Arc<Message>> {
        self.lock().iter().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Arc<Message>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The Message resource on the wire (twilio.com/docs/messaging/api/message-resource).
#[derive(Serialize)]
pub(super) struct Resource<'a> {
    body: &'a str,
    /// A number, written as text.
    num_segments: String,
    direction: &'static str,
    from: Option<&'a str>,
    /// RFC 2822, like the other dates.
    date_updated: String,
    price: Option<&'a str>,
    error_message: Option<&'a str>,
    uri: String,
    account_sid: &'a str,
    num_media: &'static str,
    to: &'a str,
    date_created: String,
    status: &'static str,
    sid: &'a str,
    date_sent: Option<String>,
    messaging_service_sid: Option<&'a str>,
    error_code: Option<u32>,
    price_unit: &'static str,
    api_version: &'static str,
    subresource_uris: Subresources,
}

#[derive(Serialize)]
struct Subresources {
    media: String,
}

impl<'a> Resource<'a> {
    /// The resource of a message: as it was created, or as it ended; never priced.
    pub(super) fn new(account_sid: &'a str, message: &'a Message) -> Self {
        let Message { sid, created, draft, .. } = message;
        let path = format!("/2010-04-01/Accounts/{account_sid}/Messages/{sid}");
        let (status, from, service, segments) = match &draft.sender {
            Sender::Own(from) => ("queued", Some(from.as_str()), None, draft.segments),
            // The service picks a sender later; until then there are no segments to count.
            Sender::Service { sid, from } => ("accepted", from.as_deref(), Some(sid.as_str()), 0),
        };
        let (status, error_code) = message.end.get().copied().unwrap_or((status, None));
        Self {
            body: &draft.body,
            num_segments: segments.to_string(),
            direction: "outbound-api",
            from,
            date_updated: created.to_rfc2822(),
            price: None,
            error_message: None,
            uri: format!("{path}.json"),
            account_sid,
            num_media: "0",
            to: &draft.to,
            date_created: created.to_rfc2822(),
            status,
            sid,
            date_sent: None,
            messaging_service_sid: service,
            error_code,
            price_unit: "USD",
            api_version: "2010-04-01",
            subresource_uris: Subresources { media: format!("{path}/Media.json") },
        }
    }
}
