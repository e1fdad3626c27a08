//! The outbox: events written in the transaction of the change they tell of, delivered afterwards at least once
//! and, for one subject, in the order in which they were written.

mod append;
mod relay;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use kernel::EventId;
use serde_json::Value as Json;
use thiserror::Error;

pub use append::{NewEvent, append_event_in_txn, append_events_in_txn, forget_relayed_events};
pub use relay::{Relay, RelayConfig};

/// An event on its way out.
#[derive(Debug, Clone, PartialEq)]
pub struct OutboxEvent {
    /// Its id: consumers remember it to act once.
    pub id: EventId,
    /// Where it stands among all events; it grows along each subject.
    pub position: i64,
    /// What it is about, such as `listing:018f…`; one subject's events arrive in order.
    pub subject: String,
    /// What happened, dotted: `listing.approved`.
    pub kind: String,
    /// The facts, without secrets or contact details.
    pub payload: Json,
    /// When it was written.
    pub at: DateTime<Utc>,
}

/// A sink could not take an event; it is offered again. The text is kept, so it must hold no secret.
#[derive(Debug, Error)]
#[error("{0}")]
pub struct SinkError(pub String);

/// Takes events. The same event may come twice; acting on it twice must not matter.
#[async_trait]
pub trait Sink: Send + Sync + 'static {
    /// Takes one event.
    async fn deliver(&self, event: &OutboxEvent) -> Result<(), SinkError>;
}
