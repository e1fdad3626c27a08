//! The posting service: journals of many callers share a commit, and so the wait for the disk.
//!
//! Each writer takes what has queued up while it wrote the last batch, and what those bring whom it has just answered. A
//! user's journals always go to the same writer, and a batch locks wallets in the order of the users' ids, so writers never
//! wait for each other in a ring.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use kernel::UserId;
use store::Engine;
use tokio::sync::{mpsc, oneshot};

use crate::journal::Settled;
use crate::{Ledger, LedgerError, NewJournal, Outcome};

/// Most journals that a writer takes at once.
const BATCH: usize = 64;
/// Journals that may wait for one writer; whoever brings more waits for room.
const QUEUE: usize = 1_024;

/// Posts journals together. Cheap to clone; its writers end when the last clone is dropped.
#[derive(Debug, Clone)]
pub struct Poster {
    ledger: Ledger,
    writers: Arc<[mpsc::Sender<Waiting>]>,
}

#[derive(Debug)]
struct Waiting {
    journal: NewJournal,
    answer: oneshot::Sender<Result<Settled, LedgerError>>,
}

impl Ledger {
    /// Starts a posting service. Must be called inside a tokio runtime.
    pub fn poster(&self) -> Poster {
        let writers = match self.db.engine() {
            // One transaction writes at a time there.
            Engine::Sqlite => 1,
            // While one waits for the disk another writes. Each more makes the batches smaller.
            Engine::Postgres | Engine::MariaDb => 2,
        };
        let start = |_| {
            let (queue, waiting) = mpsc::channel(QUEUE);
            tokio::spawn(write(self.clone(), waiting));
            queue
        };
        Poster { ledger: self.clone(), writers: (0..writers).map(start).collect() }
    }
}

impl Poster {
    /// Posts the journal, in a transaction with others or in one of its own. What becomes of the others makes no
    /// difference to it. When the caller goes away meanwhile, it is posted all the same.
    ///
    /// # Errors
    /// As [`Ledger::post`]; [`LedgerError::Unanswered`] when the database failed under the whole batch, or the service
    /// was stopped: whether the journal was posted is then told by posting it again.
    pub async fn post(&self, journal: NewJournal) -> Result<Outcome, LedgerError> {
        let Some(writer) = self.writer_of(&journal) else {
            return self.ledger.post(&journal).await;
        };
        let (answer, answered) = oneshot::channel();
        writer.send(Waiting { journal, answer }).await.ok().ok_or(LedgerError::Unanswered)?;
        answered.await.ok().ok_or(LedgerError::Unanswered)??.outcome()
    }

    /// Who writes the journals of this user; `None` for a journal of several, which belongs to no one writer.
    fn writer_of(&self, journal: &NewJournal) -> Option<&mpsc::Sender<Waiting>> {
        self.writers.get(place_of(journal, self.writers.len())?)
    }
}

/// The place of the journal's writer among so many: the same for all journals of one user.
fn place_of(journal: &NewJournal, writers: usize) -> Option<usize> {
    if journal.net.wallets.len() > 1 {
        return None;
    }
    let mut hasher = DefaultHasher::new();
    match user_of(journal) {
        Some(user) => user.hash(&mut hasher),
        None => journal.key.hash(&mut hasher),
    }
    usize::try_from(hasher.finish().checked_rem(u64::try_from(writers).ok()?)?).ok()
}

fn user_of(journal: &NewJournal) -> Option<UserId> {
    journal.net.wallets.first().map(|(user, _)| *user)
}

/// One writer: posts batch after batch until nobody can send any more.
async fn write(ledger: Ledger, mut queue: mpsc::Receiver<Waiting>) {
    let mut batch = Vec::with_capacity(BATCH);
    while queue.recv_many(&mut batch, BATCH).await != 0 {
        gather(&mut queue, &mut batch).await;
        // By user, and a user's in the order in which they came; what touches no user last, by key.
        batch.sort_by_cached_key(|waiting: &Waiting| {
            let user = user_of(&waiting.journal);
            (user.is_none(), user, user.is_none().then(|| waiting.journal.key.clone()))
        });
        let (journals, answers): (Vec<_>, Vec<_>) =
            batch.drain(..).map(|waiting| (waiting.journal, waiting.answer)).unzip();
        let settled = ledger.settle_together(&journals).await;
        for (answer, settled) in answers.into_iter().zip(settled) {
            // A caller that went away will ask again under its key.
            let _ = answer.send(settled);
        }
    }
}

/// Adds what those bring who have just been answered, as long as a turn of theirs brings something: a batch costs much
/// whatever is in it.
async fn gather(queue: &mut mpsc::Receiver<Waiting>, batch: &mut Vec<Waiting>) {
    let mut before = 0;
    while before < batch.len() && batch.len() < BATCH {
        before = batch.len();
        tokio::task::yield_now().await;
        while batch.len() < BATCH
            && let Ok(waiting) = queue.try_recv()
        {
            batch.push(waiting);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use kernel::Money;
    use uuid::Uuid;

    use super::*;
    use crate::{House, JournalKind, Leg, Purse, Reference};

    fn journal(key: u128, from: Option<u128>, to: Option<u128>) -> NewJournal {
        let account = |user: Option<u128>, house: House| match user {
            Some(n) => (UserId::from(Uuid::from_u128(n)), Purse::Available).into(),
            None => house.into(),
        };
        let leg = Leg {
            from: account(from, House::GatewayClearing),
            to: account(to, House::BankCurrent),
            amount: Money::inr(1),
        };
        let reference = Reference::new("thing", key);
        NewJournal::new(format!("key {key}"), JournalKind::Bonus, reference, vec![leg]).unwrap()
    }

    #[test]
    fn one_users_journals_have_one_writer_and_all_writers_have_work() {
        let places = |journals: Vec<NewJournal>| -> HashSet<Option<usize>> {
            journals.iter().map(|journal| place_of(journal, 4)).collect()
        };
        let all = HashSet::from([0, 1, 2, 3].map(Some));
        assert_eq!(places((0..64).map(|n| journal(n, None, Some(7))).collect()).len(), 1);
        assert_eq!(places((0..64).map(|n| journal(n, None, Some(n))).collect()), all);
        assert_eq!(places((0..64).map(|n| journal(n, None, None)).collect()), all, "by key");
        assert_eq!(
            places((0..64).map(|n| journal(n, Some(7), Some(n + 8))).collect()),
            HashSet::from([None])
        );
    }
}
