//! One event: the bytes that tell of it, what signs them, and what became of its deliveries.

use std::sync::{Mutex, MutexGuard, PoisonError};

use actix_web::web::Bytes;
use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::php_json;
use crate::razorpay::auth;
use crate::razorpay::books::Fact;

/// The account in every envelope.
const ACCOUNT_ID: &str = "acc_SandboxAccount";

/// What happened, as it is told. The id, the bytes and the signature stay the same however often it is sent, also
/// when the secret has changed since (razorpay.com/docs/webhooks/faqs).
pub(super) struct Event {
    pub(super) id: String,
    pub(super) name: &'static str,
    pub(super) created_at: DateTime<Utc>,
    pub(super) body: Bytes,
    pub(super) signature: String,
    progress: Mutex<Progress>,
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    /// It waits for its first or its next try.
    Waiting,
    /// It was answered by a 2xx in time.
    Delivered,
    /// It is not sent: nobody is to be told, or it is to be lost.
    Dropped,
    /// Nobody took it in 24 hours.
    GivenUp,
}

/// One try.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Try {
    pub(super) at: DateTime<Utc>,
    /// The HTTP status of the answer; null when there was none within five seconds.
    pub(super) status: Option<u16>,
}

struct Progress {
    state: State,
    tries: Vec<Try>,
}

impl Event {
    /// The event that tells a fact.
    pub(super) fn new(id: String, fact: Fact, created_at: DateTime<Utc>, secret: &SecretString) -> Self {
        let contains: Vec<_> = fact.entities.iter().map(|(name, _)| *name).collect();
        let payload: Map<String, Value> = fact
            .entities
            .iter()
            .map(|(name, entity)| ((*name).to_owned(), json!({ "entity": entity })))
            .collect();
        let body = php_json::write(&json!({
            "entity": "event",
            "account_id": ACCOUNT_ID,
            "event": fact.event,
            "contains": contains,
            "payload": payload,
            "created_at": fact.at,
        }));
        Self {
            id,
            name: fact.event,
            created_at,
            signature: auth::sign(secret, &body),
            body: Bytes::from(body),
            progress: Mutex::new(Progress { state: State::Waiting, tries: Vec::new() }),
        }
    }

    /// Notes a try.
    pub(super) fn note(&self, attempt: Try) {
        self.progress().tries.push(attempt);
    }

    /// Notes what became of it. What was delivered once stays so.
    pub(super) fn becomes(&self, state: State) {
        let mut progress = self.progress();
        if progress.state != State::Delivered {
            progress.state = state;
        }
    }

    /// As `GET /control/webhooks` shows it.
    pub(super) fn view(&self) -> Value {
        let progress = self.progress();
        json!({
            "eventId": self.id,
            "event": self.name,
            "createdAt": self.created_at,
            "state": progress.state,
            "tries": progress.tries,
            "signature": self.signature,
            "body": String::from_utf8_lossy(&self.body),
        })
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
