//! The relay's sink.

use std::sync::Arc;

use async_trait::async_trait;
use sea_orm::DatabaseTransaction;
use store::{OutboxEvent, Sink, SinkError, StreamEntry, append_to_streams_in_txn};

use super::audience;

/// Hears what streams were told, once it is committed: sockets of this process, and of others through the backplane.
pub type Listener = Arc<dyn Fn(Vec<StreamEntry>) + Send + Sync>;

/// Writes what follows from events, and passes on what streams were told.
#[derive(Clone)]
pub struct Telling {
    listener: Option<Listener>,
}

impl Telling {
    /// Passes on to the listener. Without one it only writes: a process without sockets and without a backplane leaves
    /// it to the others to find what is new.
    pub fn new(listener: Option<Listener>) -> Self {
        Self { listener }
    }
}

#[async_trait]
impl Sink for Telling {
    async fn write_in_txn(
        &self,
        txn: &DatabaseTransaction,
        events: &[OutboxEvent],
    ) -> Result<Vec<StreamEntry>, SinkError> {
        for event in events {
            tracing::debug!(event.id = %event.id, event.kind = %event.kind, event.subject = %event.subject, "happened");
        }
        Ok(append_to_streams_in_txn(txn, events.iter().flat_map(audience::entries).collect()).await?)
    }

    fn tell(&self, entries: Vec<StreamEntry>) {
        if let Some(listener) = &self.listener {
            listener(entries);
        }
    }
}

impl std::fmt::Debug for Telling {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Telling")
    }
}
