//! Group commit: webhooks that arrive while a batch is being written make up the next one. A burst costs a few
//! transactions instead of one each, and a lone webhook waits for nobody.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::envelope::Envelope;
use super::{Received, WEBHOOK_JOB, rows};
use crate::{PaymentError, Payments};

/// Webhooks per transaction: eleven values each, and SQLite takes 32 766 in a statement.
const BATCH: usize = 256;

/// Webhooks that wait at most; the provider sends again what is refused beyond that.
const QUEUE: usize = 4_096;

/// One that waits, and who is told what became of it: nobody is when the batch fails.
struct Waiting {
    event: Envelope,
    tell: oneshot::Sender<Received>,
}

#[derive(Default)]
struct Queue {
    waiting: Vec<Waiting>,
    /// Whether a task is writing, and will look here again.
    is_writing: bool,
}

/// What waits to be written.
#[derive(Default)]
pub(crate) struct Intake(Mutex<Queue>);

impl Intake {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a webhook; tells whether somebody has to begin writing.
    fn push(&self, waiting: Waiting) -> Result<bool, PaymentError> {
        let mut queue = self.queue();
        if queue.waiting.len() >= QUEUE {
            return Err(PaymentError::Busy);
        }
        queue.waiting.push(waiting);
        Ok(!std::mem::replace(&mut queue.is_writing, true))
    }

    /// The next batch; without one, writing ends.
    fn next(&self) -> Vec<Waiting> {
        let mut queue = self.queue();
        let size = queue.waiting.len().min(BATCH);
        queue.is_writing = size > 0;
        queue.waiting.drain(..size).collect()
    }
}

/// Ends the writing of a task that is dropped with its runtime or panics: who waits is told nothing, and the next to
/// come begins anew.
struct Writing<'a> {
    intake: &'a Intake,
    is_over: bool,
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            let mut queue = self.intake.queue();
            queue.is_writing = false;
            queue.waiting.clear();
        }
    }
}

impl Payments {
    /// Has a webhook written, with whatever else waits.
    pub(super) async fn take_in(&self, event: Envelope) -> Result<Received, PaymentError> {
        let (tell, told) = oneshot::channel();
        if self.intake.push(Waiting { event, tell })? {
            let payments = self.clone();
            // A task of its own: who sent the webhook may hang up, and others wait for the same batch.
            tokio::spawn(async move { payments.write_batches().await });
        }
        told.await.ok().ok_or(PaymentError::Busy)
    }

    async fn write_batches(&self) {
        let mut writing = Writing { intake: &self.intake, is_over: false };
        loop {
            let batch = self.intake.next();
            if batch.is_empty() {
                // Another task may have begun by now: what waits is its own.
                writing.is_over = true;
                return;
            }
            let (events, tell): (Vec<_>, Vec<_>) =
                batch.into_iter().map(|waiting| (waiting.event, waiting.tell)).unzip();
            match self.write_batch(&events).await {
                Ok(received) => {
                    for (tell, received) in tell.into_iter().zip(received) {
                        // Whoever hung up need not know.
                        let _ = tell.send(received);
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, webhooks = events.len(), "webhooks could not be written")
                }
            }
        }
    }

    /// Writes a batch, and a job that works it off.
    async fn write_batch(&self, events: &[Envelope]) -> Result<Vec<Received>, PaymentError> {
        self.db
            .in_txn(async |txn| {
                let mut known = rows::known(txn, events).await?;
                let received: Vec<_> = events
                    .iter()
                    .map(|event| match known.insert(event.event_id.clone()) {
                        true => Received::New,
                        false => Received::Known,
                    })
                    .collect();
                let new = events.iter().zip(&received).filter(|(_, received)| **received == Received::New);
                let mut new: Vec<_> = new.map(|(event, _)| event).collect();
                // Rows in a fixed order, so that two processes with the same events do not wait for each other.
                new.sort_by(|a, b| a.event_id.cmp(&b.event_id));
                rows::insert(txn, &new, self.ambient.now()).await?;
                if new.iter().any(|event| event.target.is_some()) {
                    let job = store::NewJob::new(WEBHOOK_JOB, serde_json::json!({}));
                    store::enqueue_in_txn(txn, &self.ambient, job).await?;
                }
                Ok(received)
            })
            .await
    }
}
