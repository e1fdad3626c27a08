//! What this process's sockets have been told of each stream, so that every one of them hears all of it, in order.
//!
//! What the relay tells arrives here by way of the process that relayed it, and may arrive late, out of order, or not at
//! all: the numbers tell. What is next is emitted at once; what comes too early says that something is missing, and is
//! read from the database with it, which alone knows what stands at which number. Every second the heads of all streams
//! that somebody listens to are compared, which finds what was lost without a trace.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use identity::IdentityError;
use store::{Database, Missed, StoreError, StreamEntry, entries_after, stream_heads};
use thiserror::Error;
use tokio::sync::Notify;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

/// The most that somebody who was away is told; who missed more must read anew what it shows.
const MOST_MISSED: usize = 500;
/// How often a join reads on when the stream moves faster than it reads.
const MOST_READS: u32 = 8;

/// Why a stream could not be told further.
#[derive(Debug, Error)]
pub(crate) enum FeedError {
    /// It could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Those who listen could not be looked at.
    #[error(transparent)]
    Listeners(#[from] IdentityError),
}

/// Where what streams are told goes out.
#[async_trait]
pub(crate) trait Outlet: Send + Sync + 'static {
    /// To everybody who listens to the entry's stream in this process.
    fn tell(&self, entry: &StreamEntry);
    /// Some of what the stream was told will not be told here: puts out whoever may listen no more because of it.
    async fn pass_over(&self, stream: &str) -> Result<(), IdentityError>;
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
    /// Whether something came before its turn, so that the database knows more.
    is_behind: bool,
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
    ) -> Result<(), FeedError> {
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
                is_gap |= self.take(&mut lock(&feed), &entry);
            }
        }
        if is_gap {
            self.gap.notify_one();
        }
    }

    /// Fills gaps as they are seen, and looks for those that left no trace at each pause, until told to stop.
    pub(crate) async fn run(&self, pause: Duration, stop: CancellationToken) {
        let mut pauses = tokio::time::interval_at(Instant::now() + pause, pause);
        pauses.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let all = tokio::select! {
                () = stop.cancelled() => return,
                _ = pauses.tick() => true,
                () = self.gap.notified() => false,
            };
            if let Err(error) = self.look(all).await {
                tracing::warn!(%error, "streams could not be told further; sockets hear of it later");
            }
        }
    }

    /// Reads what is missing: of streams with a gap, or of all.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn look(&self, all: bool) -> Result<(), FeedError> {
        // Whatever comes early from here on may be missing from what is read now.
        let feeds: Vec<(String, Arc<Mutex<Feed>>)> = lock(&self.held)
            .iter()
            .filter(|(_, held)| std::mem::take(&mut lock(&held.feed).is_behind) || all)
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
    async fn catch_up(&self, stream: &str, feed: &Mutex<Feed>) -> Result<(), FeedError> {
        let Some(last) = lock(feed).last else { return Ok(()) };
        match entries_after(self.db.reader()?, stream, last, MOST_MISSED).await? {
            Missed::Entries(entries) => {
                let mut feed = lock(feed);
                for entry in &entries {
                    self.take(&mut feed, entry);
                }
            }
            Missed::Resync { head } => {
                self.outlet.pass_over(stream).await?;
                let mut feed = lock(feed);
                // A head below is of a database that was restored: its numbers are given again.
                feed.last = if head < last { Some(head) } else { feed.last.max(Some(head)) };
                self.outlet.resync(stream, head);
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
    ) -> Result<(), FeedError> {
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
            let mut ahead = Vec::new();
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
                        let (missed, rest) = missed.into_iter().partition(|entry| entry.seq <= last);
                        ahead = rest;
                        Beginning { missed, seq: last, resync: false }
                    }
                }
            };
            begin(&beginning);
            for entry in &ahead {
                self.take(&mut feed, entry);
            }
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
            if feed.is_behind {
                self.gap.notify_one();
            }
        }
        Ok(())
    }

    /// Emits it if it is next; tells whether something is missing before it. What is early is not kept: it may be of a
    /// database that is not ours, or no more.
    fn take(&self, feed: &mut Feed, entry: &StreamEntry) -> bool {
        match feed.last {
            Some(last) if entry.seq <= last => false,
            Some(last) if entry.seq == last + 1 => {
                feed.last = Some(entry.seq);
                self.outlet.tell(entry);
                false
            }
            _ => {
                feed.is_behind = true;
                true
            }
        }
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
