//! The loop that takes events under a fenced lease and hands them to a sink.
//!
//! Of each subject only the oldest undelivered event can be taken, so a subject's events stay in order however
//! many relays run, and one that cannot be delivered holds up its own subject alone. After the last try it is set
//! aside as dead, which lets the subject go on.

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::{FutureExt, StreamExt};
use kernel::Ambient;
use sea_orm::{ConnectionTrait, QueryResult, Value};
use tokio::time::Instant;
use uuid::Uuid;

use super::{OutboxEvent, Sink, SinkError};
use crate::{Backoff, Database, Engine, StoreError, filled};

/// How many events of a batch are delivered at once.
const SIDE_BY_SIDE: usize = 16;

/// How a relay works.
#[derive(Debug, Clone, Copy)]
pub struct RelayConfig {
    /// How many events it takes at a time, each of another subject; they are delivered side by side.
    pub batch: usize,
    /// For how long it takes them.
    pub lease: Duration,
    /// How often it looks for events that nobody woke it for.
    pub poll: Duration,
    /// After how many tries an event is set aside.
    pub max_attempts: u32,
    /// The pauses between tries.
    pub backoff: Backoff,
}

impl Default for RelayConfig {
    fn default() -> Self {
        Self {
            batch: 64,
            lease: Duration::from_secs(30),
            poll: Duration::from_secs(1),
            max_attempts: 12,
            backoff: Backoff { base: Duration::from_millis(500), cap: Duration::from_secs(300) },
        }
    }
}

/// Hands events to a sink.
pub struct Relay {
    pub(super) db: Database,
    pub(super) ambient: Ambient,
    pub(super) config: RelayConfig,
    pub(super) sink: Arc<dyn Sink>,
}

pub(super) struct Taken {
    pub(super) event: OutboxEvent,
    pub(super) owner: Uuid,
    pub(super) attempt: i32,
    /// Since when it was due.
    due: DateTime<Utc>,
}

/// A batch that was delivered.
struct Relayed {
    count: usize,
    /// Since when its first event was due.
    first: DateTime<Utc>,
}

/// Where a relay that has much to do looks next; one that has little looks at everything.
///
/// An index keeps what was taken out of it until the engine clears up, and a look at all that is due walks over that. What is
/// due lies behind where the last batch began, but for what others commit late or a subject held up: for these it looks
/// at everything now and then, and always before it rests.
#[derive(Default)]
struct Glance {
    from: Option<DateTime<Utc>>,
    everything: Option<Instant>,
}

impl Glance {
    /// Since when what it looks at next is due; everything if absent, which it is at least so often.
    fn since(&mut self, often: Duration) -> Option<DateTime<Utc>> {
        let since = self.from.filter(|_| self.everything.is_some_and(|at| at.elapsed() < often));
        if since.is_none() {
            self.everything = Some(Instant::now());
        }
        since
    }
}

impl Relay {
    /// A relay into the sink.
    pub fn new(db: Database, ambient: Ambient, config: RelayConfig, sink: Arc<dyn Sink>) -> Self {
        Self { db, ambient, config, sink }
    }

    /// Relays until `stop` completes.
    pub async fn run(&self, stop: impl Future<Output = ()>) {
        let mut bell = self.db.bell();
        let mut glance = Glance::default();
        tokio::pin!(stop);
        loop {
            let since = glance.since(self.config.poll);
            let relayed = match self.relay(since).await {
                Ok(relayed) => relayed,
                Err(error) => {
                    tracing::warn!(%error, "events could not be relayed; trying again");
                    None
                }
            };
            // More of the same subjects may be waiting behind those just delivered, and more before where the look began.
            let goes_on = relayed.is_some() || since.is_some();
            glance.from = relayed.filter(|relayed| relayed.count > SIDE_BY_SIDE).map(|relayed| relayed.first);
            let pause = if goes_on { Duration::ZERO } else { self.config.poll };
            tokio::select! {
                () = &mut stop => return,
                _ = bell.changed() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Takes one batch and delivers it; gives how many events were taken.
    ///
    /// # Errors
    /// When events cannot be taken.
    pub async fn run_once(&self) -> Result<usize, StoreError> {
        Ok(self.relay(None).await?.map_or(0, |relayed| relayed.count))
    }

    /// Takes one batch of what has been due since the moment and delivers it; `None` if there was nothing to take.
    async fn relay(&self, since: Option<DateTime<Utc>>) -> Result<Option<Relayed>, StoreError> {
        let batch = self.take(since).await?;
        let Some(first) = batch.first().map(|taken| taken.due) else { return Ok(None) };
        let count = batch.len();
        let deliveries = futures_util::stream::iter(batch)
            .map(|taken| async move {
                let result = self.deliver(&taken.event).await;
                (taken, result)
            })
            .buffer_unordered(SIDE_BY_SIDE);
        // What was delivered by now is written down together: each commit waits for the disk.
        let mut settling = pin!(deliveries.ready_chunks(self.config.batch.max(1)));
        while let Some(delivered) = settling.next().await {
            self.settle(delivered).await;
        }
        Ok(Some(Relayed { count, first }))
    }

    async fn deliver(&self, event: &OutboxEvent) -> Result<(), SinkError> {
        // A panic would end the loop, and no event would go out any more.
        let delivery = AssertUnwindSafe(self.sink.deliver(event)).catch_unwind().await;
        delivery.unwrap_or_else(|_| Err(SinkError::Refused("the sink panicked".to_owned())))
    }

    async fn take(&self, since: Option<DateTime<Utc>>) -> Result<Vec<Taken>, StoreError> {
        let owner = self.ambient.new_uuid();
        let engine = self.db.engine();
        // The offset keeps PostgreSQL from making a join of it, for which it may read all that waits for each event.
        let sql = format!(
            "SELECT e.position, e.id, e.subject, e.kind, e.payload, e.created_at, e.attempt, e.due_at FROM outbox_events e \
             WHERE e.due_at >= ? AND e.due_at <= ? AND NOT EXISTS (SELECT 1 FROM outbox_events p WHERE p.subject = e.subject \
             AND p.position < e.position AND {} LIMIT 1 OFFSET 0) ORDER BY e.due_at, e.position LIMIT {}{}",
            waits(engine),
            self.config.batch,
            engine.for_update_skip_locked(),
        );
        self.db
            .in_txn(async |txn| {
                let now = self.ambient.now();
                let between = [since.unwrap_or(DateTime::UNIX_EPOCH).into(), now.into()];
                let rows = txn.query_all_raw(engine.statement(&sql, between)).await?;
                let batch = rows.iter().map(|row| read(row, owner)).collect::<Result<Vec<_>, _>>()?;
                if !batch.is_empty() {
                    let (these, positions) = among(&batch);
                    let take = format!(
                        "UPDATE outbox_events SET attempt = attempt + 1, lease_owner = ?, due_at = ? WHERE {these}"
                    );
                    let lease = [owner.into(), (now + self.config.lease).into()];
                    txn.execute_raw(engine.statement(&take, lease.into_iter().chain(positions))).await?;
                }
                Ok(batch)
            })
            .await
    }
}

/// That the event `p` was neither relayed nor given up, in the words of the index that has it.
fn waits(engine: Engine) -> &'static str {
    match engine {
        Engine::Sqlite | Engine::Postgres => "p.relayed_at IS NULL AND p.dead_at IS NULL",
        Engine::MariaDb => "p.due_at IS NOT NULL",
    }
}

/// The condition that names these events, of which there is one at least, and its values.
pub(super) fn among(events: &[Taken]) -> (String, impl Iterator<Item = Value>) {
    let (length, events) = filled(events);
    let positions = events.map(|taken| taken.event.position.into());
    (format!("position IN ({})", Engine::placeholders(length)), positions)
}

fn read(row: &QueryResult, owner: Uuid) -> Result<Taken, StoreError> {
    Ok(Taken {
        event: OutboxEvent {
            id: row.try_get::<Uuid>("", "id")?.into(),
            position: row.try_get("", "position")?,
            subject: row.try_get("", "subject")?,
            kind: row.try_get("", "kind")?,
            payload: row.try_get("", "payload")?,
            at: row.try_get("", "created_at")?,
        },
        owner,
        attempt: row.try_get::<i32>("", "attempt")? + 1,
        due: row.try_get("", "due_at")?,
    })
}

impl std::fmt::Debug for Relay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Relay")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_relay_looks_at_everything_at_first_and_every_so_often() {
        let from = Some(DateTime::UNIX_EPOCH);
        let mut glance = Glance { from, ..Glance::default() };
        let hour = Duration::from_secs(3_600);
        assert_eq!(glance.since(hour), None, "at first");
        assert_eq!(glance.since(hour), from);
        assert_eq!(glance.since(Duration::ZERO), None, "it is time");
        glance.from = None;
        assert_eq!(glance.since(hour), None, "the last look found nothing");
    }
}
