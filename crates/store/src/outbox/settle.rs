//! Writing down what came of a batch: what the sink writes and the note that the events were relayed commit together.

use std::sync::Arc;

use sea_orm::ConnectionTrait;

use super::relay::{Relay, Taken, among};
use super::{OutboxEvent, Sink, SinkError};
use crate::{StoreError, StreamEntry};

impl Relay {
    /// Writes down what came of deliveries. Where that fails, the lease runs out and the event is delivered again.
    pub(super) async fn settle(&self, delivered: Vec<(Taken, Result<(), SinkError>)>) {
        let mut told = Vec::with_capacity(delivered.len());
        for (taken, result) in delivered {
            match result {
                Ok(()) => told.push(taken),
                Err(error) => self.note_failure(&taken, error).await,
            }
        }
        match self.conclude(&told).await {
            Ok(()) => {}
            // One of them may be what the sink cannot take: each by itself, so that it holds up nothing but itself.
            Err(SinkError::Refused(_)) if told.len() > 1 => {
                for taken in &told {
                    self.conclude_one(taken).await;
                }
            }
            Err(error) => self.give_back(&told, error).await,
        }
    }

    async fn conclude_one(&self, taken: &Taken) {
        let one = std::slice::from_ref(taken);
        if let Err(error) = self.conclude(one).await {
            self.give_back(one, error).await;
        }
    }

    /// A failure of the sink is the event's; one of the database is nobody's, and the lease runs out.
    async fn give_back(&self, told: &[Taken], error: SinkError) {
        match error {
            SinkError::Store(error) => {
                tracing::warn!(events = told.len(), %error, "deliveries could not be written down");
            }
            SinkError::Refused(reason) => {
                for taken in told {
                    self.note_failure(taken, SinkError::Refused(reason.clone())).await;
                }
            }
        }
    }

    /// Lets the sink write what follows, marks the events as relayed, commits, and passes on what streams were told.
    async fn conclude(&self, told: &[Taken]) -> Result<(), SinkError> {
        if told.is_empty() {
            return Ok(());
        }
        let events: Vec<OutboxEvent> = told.iter().map(|taken| taken.event.clone()).collect();
        let sink: &Arc<dyn Sink> = &self.sink;
        let entries: Vec<StreamEntry> = self
            .db
            .in_txn(async |txn| {
                // The fence first: whoever lost the lease writes nothing.
                self.mark_relayed(txn, told).await?;
                sink.write_in_txn(txn, &events).await
            })
            .await?;
        for taken in told {
            metrics::counter!("outbox_relayed_total", "kind" => taken.event.kind.clone()).increment(1);
        }
        if !entries.is_empty() {
            sink.tell(entries);
        }
        Ok(())
    }

    /// The owner is new with each batch, so it alone is the fence.
    async fn mark_relayed(&self, txn: &impl ConnectionTrait, told: &[Taken]) -> Result<(), StoreError> {
        let Some(first) = told.first() else { return Ok(()) };
        let (these, positions) = among(told);
        let tell = format!(
            "UPDATE outbox_events SET due_at = NULL, lease_owner = NULL, relayed_at = ?, last_error = NULL \
             WHERE lease_owner = ? AND {these}"
        );
        let fence = [self.ambient.now().into(), first.owner.into()];
        let statement = self.db.engine().statement(&tell, fence.into_iter().chain(positions));
        let settled = txn.execute_raw(statement).await?.rows_affected();
        if settled == u64::try_from(told.len()).unwrap_or(u64::MAX) {
            Ok(())
        } else {
            Err(StoreError::LeaseLost)
        }
    }

    async fn note_failure(&self, taken: &Taken, error: SinkError) {
        if let Err(error) = self.settle_failure(taken, error).await {
            tracing::warn!(event.id = %taken.event.id, %error, "a failed delivery could not be written down");
        }
    }

    async fn settle_failure(&self, taken: &Taken, error: SinkError) -> Result<(), StoreError> {
        let now = self.ambient.now();
        let failures = u32::try_from(taken.attempt).unwrap_or(u32::MAX);
        let reason = error.to_string();
        let (changes, values) = if failures >= self.config.max_attempts {
            tracing::error!(event.id = %taken.event.id, event.kind = %taken.event.kind, %error, "an event was given up");
            metrics::counter!("outbox_dead_total").increment(1);
            ("due_at = NULL, lease_owner = NULL, dead_at = ?, last_error = ?", [now.into(), reason.into()])
        } else {
            let again = now + self.config.backoff.pause(failures, &self.ambient);
            ("due_at = ?, lease_owner = NULL, last_error = ?", [again.into(), reason.into()])
        };
        let sql = format!(
            "UPDATE outbox_events SET {changes} WHERE position = ? AND lease_owner = ? AND attempt = ?"
        );
        let fence = [taken.event.position.into(), taken.owner.into(), taken.attempt.into()];
        let statement = self.db.engine().statement(&sql, values.into_iter().chain(fence));
        match self.db.writer.execute_raw(statement).await?.rows_affected() {
            0 => Err(StoreError::LeaseLost),
            _ => Ok(()),
        }
    }
}
