//! Who hears of events. A sink may be told twice; each acts so that it does not matter.

use async_trait::async_trait;
use store::{OutboxEvent, Sink, SinkError};

/// Shows operators what happens, by kind and subject; payloads stay where they are.
#[derive(Debug, Clone, Copy, Default)]
pub struct EventLog;

#[async_trait]
impl Sink for EventLog {
    async fn deliver(&self, event: &OutboxEvent) -> Result<(), SinkError> {
        tracing::debug!(event.id = %event.id, event.kind = %event.kind, event.subject = %event.subject, "happened");
        Ok(())
    }
}
