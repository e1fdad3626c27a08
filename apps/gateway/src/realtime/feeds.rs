//! What this process's sockets have been told of each stream, so that every one of them hears all of it, in order.
//!
//! What the relay tells arrives here by way of the process that relayed it, and may arrive late, out of order, or not at
//! all: the numbers tell. What is next is emitted at once; what comes too early waits until the gap is filled from the
//! database. Every few seconds the heads of all streams that somebody listens to are compared, which finds what was
//! lost without a trace.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use store::{Database, Missed, StoreError, StreamEntry, entries_after, stream_heads};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// The most that somebody who was away is told; who missed more must read anew what it shows.
const MOST_MISSED: usize = 500;
/// How often a join reads on when the stream moves faster than it reads.
const MOST_READS: u32 = 8;

/// Where what streams are told goes out.
pub(crate) trait Outlet: Send + Sync + 'static {
    /// To everybody who listens to the entry's stream in this process.
    fn tell(&self, entry: &StreamEntry);
    /// To the same: something was lost, and they must read anew what they show.
    fn resync(&self, stream: &str, head: i64);
}

/// The streams that somebody in this process listens to.
pub(crate) struct Feeds {
    db: Database,
    outlet: Arc<dyn Outlet>,
    held: Mutex<HashMap<String, Held>>,
    /// Rung when a gap was seen.
    gap: Notify,
}

struct Held {
    listeners: usize,
    feed: Arc<Mutex<Feed>>,
}

/// One stream, as far as this process has told it.
#[derive(Default)]
struct Feed {
    /// The number of what was told last; none before the head was read.
    last: Option<i64>,
    /// What came before its turn.
    early: BTreeMap<i64, StreamEntry>,
}

/// How somebody begins to listen.
#[derive(Debug, PartialEq)]
pub(crate) struct Beginning {
    /// What was missed, oldest first.
    pub(crate) missed: Vec<StreamEntry>,
    /// The number after which everything will be heard.
    pub(crate) seq: i64,
    /// Whether something was missed that is not to be had.
    pub(crate) resync: bool,
}

impl Feeds {
    pub(crate) fn new(db: Database, outlet: Arc<dyn Outlet>) -> Self {
        Self { db, outlet, held: Mutex::default(), gap: Notify::new() }
    }

    /// Begins to listen, from after a number if one is given. `begin` runs while the stream stands still: what it lets
    /// in hears everything after [`Beginning::seq`], and nothing twice.
    ///
    /// # Errors
    /// When the database fails; nothing is held then.
    pub(crate) async fn listen(
        &self,
        stream: &str,
        after: Option<i64>,
        begin: impl FnOnce(&Beginning),
    ) -> Result<(), StoreError> {
        let feed = self.hold(stream);
        let beginning = self.begin(stream, &feed, after, begin).await;
        if beginning.is_err() {
            self.release(stream);
        }
        beginning
    }

    /// Goes on listening, for somebody whose place was kept: see [`release`](Self::release).
    pub(crate) fn keep(&self, stream: &str) {
        let _ = self.hold(stream);
    }

    /// Somebody listens no more.
    pub(crate) fn release(&self, stream: &str) {
        let mut held = lock(&self.held);
        if let Some(one) = held.get_mut(stream) {
            one.listeners = one.listeners.saturating_sub(1);
            if one.listeners == 0 {
                held.remove(stream);
            }
        }
    }

    /// Takes what streams were told, from whichever process relayed it.
    pub(crate) fn hear(&self, entries: Vec<StreamEntry>) {
        let mut is_gap = false;
        for entry in entries {
            let feed = lock(&self.held).get(&entry.told.stream).map(|held| Arc::clone(&held.feed));
            if let Some(feed) = feed {
                is_gap |= self.take(&mut lock(&feed), entry);
            }
        }
        if is_gap {
            self.gap.notify_one();
        }
    }

    /// Fills gaps as they are seen, and looks for those that left no trace at each pause, until told to stop.
    pub(crate) async fn run(&self, pause: impl Fn() -> Duration, stop: CancellationToken) {
        loop {
            let all = tokio::select! {
                () = stop.cancelled() => return,
                () = self.gap.notified() => false,
                () = tokio::time::sleep(pause()) => true,
            };
            if let Err(error) = self.look(all).await {
                tracing::warn!(%error, "streams could not be read; sockets hear of it later");
                tokio::time::sleep(Duration::from_millis(500)).await;
                self.gap.notify_one();
            }
        }
    }

    /// Reads what is missing: of streams with a gap, or of all.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn look(&self, all: bool) -> Result<(), StoreError> {
        let feeds: Vec<(String, Arc<Mutex<Feed>>)> = lock(&self.held)
            .iter()
            .filter(|(_, held)| all || !lock(&held.feed).early.is_empty())
            .map(|(stream, held)| (stream.clone(), Arc::clone(&held.feed)))
            .collect();
        let streams: Vec<String> = feeds.iter().map(|(stream, _)| stream.clone()).collect();
        let heads = stream_heads(self.db.reader()?, &streams).await?;
        for (stream, feed) in feeds {
            let head = heads.get(&stream).copied().unwrap_or(0);
            if lock(&feed).last.is_some_and(|last| last != head) {
                self.catch_up(&stream, &feed).await?;
            }
        }
        Ok(())
    }

    /// Tells everybody who listens what this process has not told yet.
    async fn catch_up(&self, stream: &str, feed: &Mutex<Feed>) -> Result<(), StoreError> {
        let Some(last) = lock(feed).last else { return Ok(()) };
        let missed = entries_after(self.db.reader()?, stream, last, MOST_MISSED).await?;
        let mut feed = lock(feed);
        match missed {
            Missed::Entries(entries) => {
                for entry in entries {
                    self.take(&mut feed, entry);
                }
            }
            Missed::Resync { head } => {
                // A head below is of a database that was restored: its numbers are given again.
                feed.last = if head < last { Some(head) } else { feed.last.max(Some(head)) };
                self.outlet.resync(stream, head);
                self.drain(&mut feed);
            }
        }
        Ok(())
    }

    fn hold(&self, stream: &str) -> Arc<Mutex<Feed>> {
        let mut held = lock(&self.held);
        let one =
            held.entry(stream.to_owned()).or_insert_with(|| Held { listeners: 0, feed: Arc::default() });
        one.listeners += 1;
        Arc::clone(&one.feed)
    }

    async fn begin(
        &self,
        stream: &str,
        feed: &Mutex<Feed>,
        after: Option<i64>,
        begin: impl FnOnce(&Beginning),
    ) -> Result<(), StoreError> {
        self.open(stream, feed).await?;
        for reads in 1.. {
            let missed = match after {
                Some(after) => entries_after(self.db.reader()?, stream, after, MOST_MISSED).await?,
                None => Missed::Entries(Vec::new()),
            };
            if after.is_some_and(|after| lock(feed).last.is_some_and(|last| last < after))
                && reads < MOST_READS
            {
                // Who was connected elsewhere has heard more than this process has told.
                self.catch_up(stream, feed).await?;
            }
            let mut feed = lock(feed);
            let last = feed.last.unwrap_or(0);
            let beginning = match (after, missed) {
                (None, _) => Beginning { missed: Vec::new(), seq: last, resync: false },
                (_, Missed::Resync { .. }) => Beginning { missed: Vec::new(), seq: last, resync: true },
                (Some(after), Missed::Entries(missed)) => {
                    let read = missed.last().map_or(after, |entry| entry.seq);
                    if read < last {
                        // The stream went on while this was read.
                        if reads < MOST_READS {
                            continue;
                        }
                        Beginning { missed: Vec::new(), seq: last, resync: true }
                    } else {
                        // This process may be behind what was read: the rest is told to everybody, in its turn.
                        for entry in missed.iter().filter(|entry| entry.seq > last) {
                            feed.early.insert(entry.seq, entry.clone());
                        }
                        let missed = missed.into_iter().filter(|entry| entry.seq <= last).collect();
                        Beginning { missed, seq: last, resync: false }
                    }
                }
            };
            begin(&beginning);
            self.drain(&mut feed);
            return Ok(());
        }
        Ok(())
    }

    /// Reads where the stream stands, for the first who listens to it.
    async fn open(&self, stream: &str, feed: &Mutex<Feed>) -> Result<(), StoreError> {
        if lock(feed).last.is_some() {
            return Ok(());
        }
        let head = stream_heads(self.db.reader()?, &[stream.to_owned()]).await?.remove(stream).unwrap_or(0);
        let mut feed = lock(feed);
        if feed.last.is_none() {
            feed.last = Some(head);
            feed.early.retain(|seq, _| *seq > head);
            self.drain(&mut feed);
        }
        Ok(())
    }

    /// Emits it if it is next, keeps it if it is early; tells whether something is missing before it.
    fn take(&self, feed: &mut Feed, entry: StreamEntry) -> bool {
        if feed.last.is_some_and(|last| entry.seq <= last) {
            return false;
        }
        feed.early.insert(entry.seq, entry);
        self.drain(feed);
        !feed.early.is_empty() && feed.last.is_some()
    }

    fn drain(&self, feed: &mut Feed) {
        let Some(mut last) = feed.last else { return };
        while let Some(next) = feed.early.first_entry().filter(|next| *next.key() <= last + 1) {
            let entry = next.remove();
            if entry.seq == last + 1 {
                last = entry.seq;
                self.outlet.tell(&entry);
            }
        }
        feed.last = Some(last);
    }
}

impl std::fmt::Debug for Feeds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Feeds").field("streams", &lock(&self.held).len()).finish_non_exhaustive()
    }
}

/// Nothing that is done under these locks leaves half a change behind when it panics.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
