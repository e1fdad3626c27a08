//! The desk where boosts are bought on PostgreSQL: those that are ordered at the same time share a transaction, and so its
//! round trips and the wait for the disk.
//!
//! One clerk sells what has queued up while it sold the last batch, and what those order again whom it has just answered; a
//! second would make the batches smaller, and each boost dearer. Of one seller there is one order in a batch.

use std::collections::HashSet;
use std::time::{Duration, Instant};

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
/// How long the clerk waits for those who may order again, as PostgreSQL's `commit_delay` does for those about to commit: most of
/// a batch's cost is the same whatever is in it. An order that meets nobody does not wait.
const LINGER: Duration = Duration::from_millis(3);
/// How long the clerk stays with a sale: longer than any lock is waited for. After that the orders are asked of transactions of
/// their own, which find out by their keys what became of them, while the sale goes on to its own end.
const PATIENCE: Duration = Duration::from_secs(5);

/// Sells boosts. Cheap to clone; its clerk ends when the last clone is dropped.
#[derive(Debug, Clone)]
pub struct BoostDesk(Option<mpsc::Sender<Waiting>>);

/// An order, the key that it is under, and what is answered when it is met.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) order: Order,
    pub(super) key: IdempotencyKey,
    pub(super) answer: fn(&Boosted) -> StoredAnswer,
}

/// An order, and who waits for what becomes of it.
#[derive(Debug)]
struct Waiting {
    sale: Wanted,
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
        let sale = Wanted { order, key: key.clone(), answer };
        self.0.as_ref()?.send(Waiting { sale, reply }).await.ok()?;
        replied.await.ok()?
    }
}

/// The clerk: sells batch after batch until nobody can order any more.
async fn sell(till: Till, mut queue: mpsc::Receiver<Waiting>) {
    let (mut batch, mut last) = (Vec::new(), 0);
    loop {
        let (queued, rested) = (queue.len(), Instant::now());
        if queue.recv_many(&mut batch, BATCH).await == 0 {
            return;
        }
        // Who has not come back by now is not about.
        let again = if rested.elapsed() > LINGER { 0 } else { last };
        gather(&mut queue, &mut batch, queued + again).await;
        last = batch.len();
        for round in rounds(std::mem::take(&mut batch), |waiting| waiting.sale.order.boost.seller) {
            sell_round(&till, round).await;
        }
    }
}

/// Adds what is ordered until there are so many, or for as long as the clerk waits.
async fn gather<T>(queue: &mut mpsc::Receiver<T>, batch: &mut Vec<T>, enough: usize) {
    let enough = enough.min(BATCH);
    let more = async {
        while batch.len() < enough {
            let room = BATCH - batch.len();
            if queue.recv_many(batch, room).await == 0 {
                return;
            }
        }
    };
    // Whoever has come by then is in the batch already.
    let _ = timeout(LINGER, more).await;
}

async fn sell_round(till: &Till, round: Vec<Waiting>) {
    let (wanted, replies): (Vec<_>, Vec<_>) =
        round.into_iter().map(|waiting| (waiting.sale, waiting.reply)).unzip();
    // In a task of its own, which runs to its end: a connection whose transaction is dropped half way may keep it open.
    let till = till.clone();
    let sale = tokio::spawn(async move { till.sell(&wanted).await });
    let sold = match timeout(PATIENCE, sale).await {
        Ok(sold) => sold.unwrap_or_default(),
        Err(_) => {
            tracing::warn!(orders = replies.len(), "boosts were not bought at the desk in time");
            Vec::new()
        }
    };
    let all = sold.into_iter().chain(std::iter::repeat_with(|| None));
    for (reply, sold) in replies.into_iter().zip(all) {
        // A caller that went away will ask again under its key.
        let _ = reply.send(sold);
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

    #[tokio::test]
    async fn a_batch_is_as_many_as_are_about_or_those_who_came_in_time() {
        let (orders, mut queue) = mpsc::channel(QUEUE);
        for n in 0..5 {
            orders.send(n).await.unwrap();
        }
        let mut batch = Vec::new();
        gather(&mut queue, &mut batch, 3).await;
        assert_eq!(batch, [0, 1, 2, 3, 4], "what is there is taken");
        orders.send(5).await.unwrap();
        gather(&mut queue, &mut batch, 7).await;
        assert_eq!(batch, [0, 1, 2, 3, 4, 5], "one too few, and nobody else came");
        drop(orders);
        gather(&mut queue, &mut batch, 7).await;
        assert_eq!(batch.len(), 6, "nobody can come any more");
        let (orders, mut queue) = mpsc::channel(QUEUE);
        for n in 0..QUEUE {
            orders.send(n).await.unwrap();
        }
        let mut full = Vec::new();
        gather(&mut queue, &mut full, QUEUE).await;
        assert_eq!(full.len(), BATCH);
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
