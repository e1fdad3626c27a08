//! Requests that come at the same time have their sessions read by one query: what arrives while the last query is under way
//! shares the next. Each is read after it has asked, so nobody is let in by what was so before.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kernel::SessionId;
use store::{Database, StoreError};
use tokio::sync::oneshot;

use super::rows::{self, Bearer};

/// Most sessions that one query reads.
const BATCH: usize = 64;
/// How many queries may be under way: while one waits for a connection that has died, the other goes on.
const READERS: usize = 2;

/// Those who have asked for a session and have no answer. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Arrivals(Arc<Mutex<Waiting>>);

#[derive(Debug, Default)]
struct Waiting {
    asked: Vec<Asked>,
    readers: usize,
}

type Answer = oneshot::Sender<Option<Bearer>>;

#[derive(Debug)]
struct Asked {
    session: SessionId,
    answer: Answer,
}

impl Arrivals {
    /// Reads the session, with others or alone.
    pub(super) async fn read(&self, db: &Database, session: SessionId) -> Result<Option<Bearer>, StoreError> {
        let (answer, answered) = oneshot::channel();
        if let Some(reader) = self.ask(Asked { session, answer }) {
            tokio::spawn(reader.read_all(db.clone()));
        }
        match answered.await {
            Ok(found) => Ok(found),
            // What went wrong with the others' query is told by one of its own.
            Err(_) => Ok(rows::bearers(db.reader()?, &[session]).await?.remove(&session)),
        }
    }

    /// Queues up; gives the reader that is needed for it.
    fn ask(&self, asked: Asked) -> Option<Reader> {
        let mut waiting = self.lock();
        waiting.asked.push(asked);
        let is_needed = waiting.readers < READERS;
        is_needed.then(|| {
            waiting.readers += 1;
            Reader { arrivals: self.clone(), is_at_work: true }
        })
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads for those who wait, until nobody does.
struct Reader {
    arrivals: Arrivals,
    is_at_work: bool,
}

impl Reader {
    async fn read_all(mut self, db: Database) {
        while let Some(asked) = self.next() {
            let sessions: Vec<SessionId> = asked.iter().map(|one| one.session).collect();
            let found = match db.reader() {
                Ok(reader) => rows::bearers(reader, &sessions).await,
                Err(error) => Err(error),
            };
            // Whoever is not answered asks alone.
            let Ok(found) = found else { continue };
            for Asked { session, answer } in asked {
                // Somebody who went away needs no answer.
                let _ = answer.send(found.get(&session).cloned());
            }
        }
    }

    /// Those who wait; when there are none, its work is done.
    fn next(&mut self) -> Option<Vec<Asked>> {
        let mut waiting = self.arrivals.lock();
        let first = waiting.asked.len().min(BATCH);
        if first == 0 {
            waiting.readers -= 1;
            self.is_at_work = false;
            return None;
        }
        Some(waiting.asked.drain(..first).collect())
    }
}

impl Drop for Reader {
    /// Its runtime may end while it is at work. Those who wait are let go, and ask alone.
    fn drop(&mut self) {
        if self.is_at_work {
            let mut waiting = self.arrivals.lock();
            waiting.readers -= 1;
            waiting.asked.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use kernel::{SessionId, TypedId};
    use uuid::Uuid;

    use super::*;

    fn asked(n: u128) -> (Asked, oneshot::Receiver<Option<Bearer>>) {
        let (answer, answered) = oneshot::channel();
        (Asked { session: SessionId::from(Uuid::from_u128(n)), answer }, answered)
    }

    #[test]
    fn those_who_come_while_the_readers_are_at_work_share_the_next_query() {
        let arrivals = Arrivals::default();
        let mut answers = Vec::new();
        let mut ask = |n| {
            let (asked, answered) = asked(n);
            answers.push(answered);
            arrivals.ask(asked)
        };
        let mut first = ask(1).expect("nobody is at work");
        assert_eq!(first.next().expect("one waits").len(), 1);
        let second = ask(2);
        assert!(second.is_some(), "two may be at work");
        for n in 3..=70 {
            assert!(ask(n).is_none(), "a third is not needed");
        }
        let next: Vec<u128> =
            first.next().expect("many wait").iter().map(|one| one.session.uuid().as_u128()).collect();
        assert_eq!(next, (2..=65).collect::<Vec<_>>());
        assert_eq!(first.next().expect("the rest").len(), 5);
        assert!(first.next().is_none());
        drop((first, second));
        assert!(ask(71).is_some(), "they have gone");
    }

    #[test]
    fn those_who_wait_for_a_reader_that_ends_are_let_go() {
        let arrivals = Arrivals::default();
        let (one, mut answered) = asked(1);
        drop(arrivals.ask(one));
        assert_eq!(answered.try_recv().err(), Some(oneshot::error::TryRecvError::Closed));
        assert!(arrivals.ask(asked(2).0).is_some());
    }
}
