//! The outbox: events written in the transaction of the change they tell of, delivered afterwards at least once
//! and, for one subject, in the order in which they were written.

mod append;
mod dead;
mod relay;
mod settle;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use kernel::EventId;
use sea_orm::DatabaseTransaction;
use serde_json::Value as Json;
use thiserror::Error;

use crate::{StoreError, StreamEntry};

pub use append::{
    NewEvent, append_event_in_txn, append_events_at_once, append_events_in_txn, append_events_together,
    forget_relayed_events,
};
pub use dead::{DeadEvent, dead_event, dead_events, outbox_lag, revive_dead_event};
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

/// A sink could not take an event; it is offered again.
#[derive(Debug, Error)]
pub enum SinkError {
    /// What went wrong. The text is kept, so it must hold no secret.
    #[error("{0}")]
    Refused(String),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

crate::store_errors!(SinkError);

/// Takes events, in two steps.
#[async_trait]
pub trait Sink: Send + Sync + 'static {
    /// Acts on one event outside the database. The same event may come twice, which must not matter.
    async fn deliver(&self, event: &OutboxEvent) -> Result<(), SinkError> {
        let _ = event;
        Ok(())
    }

    /// Writes what follows from the events in the transaction that marks them as relayed, so that it is written once,
    /// and gives what streams were told. Events of one subject come in their order.
    async fn write_in_txn(
        &self,
        txn: &DatabaseTransaction,
        events: &[OutboxEvent],
    ) -> Result<Vec<StreamEntry>, SinkError> {
        let _ = (txn, events);
        Ok(Vec::new())
    }

    /// Passes on what streams were told, once that has been committed. It may get lost when the process dies, so
    /// whoever listens compares numbers.
    fn tell(&self, entries: Vec<StreamEntry>) {
        let _ = entries;
    }
}
