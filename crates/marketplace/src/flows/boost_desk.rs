//! The desk where boosts are bought on PostgreSQL: those that are ordered at the same time share a transaction, and so its
//! round trips and the wait for the disk.
//!
//! One clerk sells what has queued up while it sold the last batch; a second would make the batches smaller, and each boost
//! dearer. Of one seller there is one order in a batch.

use std::collections::HashSet;
use std::time::Duration;

use catalog::Catalog;
use kernel::{Ambient, UserId};
use ledger::Ledger;
use store::{Database, Engine, IdempotencyKey, StoredAnswer};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::boost_bill::Order;
use super::boost_listing::Boosted;
use super::boost_till::Till;

/// Most orders that are sold at once.
const BATCH: usize = 64;
/// Orders that may wait; whoever brings more waits for room.
const QUEUE: usize = 1_024;
/// How long a sale may take. What is left undone then is undone, and asked of transactions of their own: one wallet that is
/// locked, or one connection that is dead, holds up the others no longer.
const PATIENCE: Duration = Duration::from_secs(2);

/// Sells boosts. Cheap to clone; its clerk ends when the last clone is dropped.
#[derive(Debug, Clone)]
pub struct BoostDesk(Option<mpsc::Sender<Waiting>>);

/// An order, and who waits for what becomes of it.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) order: Order,
    pub(super) key: IdempotencyKey,
    pub(super) answer: fn(&Boosted) -> StoredAnswer,
    reply: oneshot::Sender<Option<Boosted>>,
}

impl BoostDesk {
    /// Opens the desk; on other engines than PostgreSQL it sells nothing. Must be called inside a tokio runtime.
    pub fn open(db: &Database, ambient: &Ambient, catalog: &Catalog, ledger: &Ledger) -> Self {
        let till = Till {
            db: db.clone(),
            ambient: ambient.clone(),
            catalog: catalog.clone(),
            ledger: ledger.clone(),
        };
        Self((db.engine() == Engine::Postgres).then(|| {
            let (queue, waiting) = mpsc::channel(QUEUE);
            tokio::spawn(sell(till, waiting));
            queue
        }))
    }

    /// Buys the boost, with others or alone; what becomes of the others makes no difference to it. `None` when the desk does
    /// not sell it, for whatever reason: a transaction of its own then finds out what to answer. When the caller goes
    /// away meanwhile, it may be bought all the same.
    pub(super) async fn buy(
        &self,
        order: Order,
        key: &IdempotencyKey,
        answer: fn(&Boosted) -> StoredAnswer,
    ) -> Option<Boosted> {
        let (reply, replied) = oneshot::channel();
        self.0.as_ref()?.send(Waiting { order, key: key.clone(), answer, reply }).await.ok()?;
        replied.await.ok()?
    }
}

/// The clerk: sells batch after batch until nobody can order any more.
async fn sell(till: Till, mut queue: mpsc::Receiver<Waiting>) {
    let mut batch = Vec::new();
    while queue.recv_many(&mut batch, BATCH).await > 0 {
        for round in rounds(std::mem::take(&mut batch), |waiting| waiting.order.boost.seller) {
            let sold = timeout(PATIENCE, till.sell(&round)).await.unwrap_or_else(|_| {
                tracing::warn!(orders = round.len(), "boosts could not be bought at the desk in time");
                round.iter().map(|_| None).collect()
            });
            for (waiting, sold) in round.into_iter().zip(sold) {
                // A caller that went away will ask again under its key.
                let _ = waiting.reply.send(sold);
            }
        }
    }
}

/// The orders in rounds in which no seller is met twice: each one's first, then each one's second, …
fn rounds<T>(mut left: Vec<T>, seller: impl Fn(&T) -> UserId) -> Vec<Vec<T>> {
    let mut rounds = Vec::new();
    while !left.is_empty() {
        let mut met = HashSet::new();
        let (round, rest) = left.into_iter().partition(|order| met.insert(seller(order)));
        rounds.push(round);
        left = rest;
    }
    rounds
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn seller(n: u128) -> UserId {
        Uuid::from_u128(n).into()
    }

    #[test]
    fn no_seller_is_met_twice_in_a_round_and_each_keeps_the_order() {
        let orders = vec![(1, 'a'), (2, 'b'), (1, 'c'), (1, 'd'), (3, 'e'), (2, 'f')];
        let rounds = rounds(orders, |(n, _)| seller(*n));
        let letters: Vec<String> =
            rounds.iter().map(|round| round.iter().map(|(_, l)| l).collect()).collect();
        assert_eq!(letters, ["abe", "cf", "d"]);
    }
}
