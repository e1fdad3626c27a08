//! What one worker thread keeps for its connections: their deadlines, and the task that looks after them.
//!
//! A connection has no task and no timer of its own. The shard of the thread that took it has one of each. The task writes
//! to its connections, or wakes them: both stay on the thread, except for a WebSocket that took over on another one.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering as Memory};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::Notify;

use crate::engine::connection::Connection;
use crate::engine::shared::Shared;

/// How long a busy shard gathers before it looks after its connections again.
const GATHER: Duration = Duration::from_millis(1);

/// How many connections are written to before other tasks have their turn.
const SLICE: usize = 64;

/// The connections of one worker thread.
pub struct Shard {
    index: usize,
    runtime: Handle,
    bell: Notify,
    timers: Mutex<BinaryHeap<Timer>>,
    /// Connections for which something new waits.
    marked: Mutex<Vec<Arc<Connection>>>,
    /// Of the earliest timer that the task sleeps for, in microseconds from its start; `u64::MAX` when it sleeps for none.
    sleeps_until: AtomicU64,
    started: Instant,
    is_alive: AtomicBool,
}

/// What falls due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    /// The next ping.
    Ping,
    /// The pong to the last one.
    Pong,
    /// The end of a probe.
    Upgrade,
    /// The application's own deadline for a new connection.
    Settle,
    /// The end of waiting for a client's close frame.
    Linger,
}

impl Due {
    const ALL: [Self; 5] = [Self::Ping, Self::Pong, Self::Upgrade, Self::Settle, Self::Linger];
}

/// Ordered by when it falls due, the earliest as the greatest, for the heap.
struct Timer {
    /// Microseconds from the shard's start, and in the lowest bits the place in [`Due::ALL`]: there are many of these.
    key: u64,
    connection: Weak<Connection>,
}

/// The lowest bits of a timer's key.
const DUE_BITS: u32 = 3;

impl Timer {
    fn new(at: u64, due: Due, connection: &Arc<Connection>) -> Self {
        let place = (0..).zip(Due::ALL).find_map(|(place, one)| (one == due).then_some(place)).unwrap_or(0);
        Self { key: at << DUE_BITS | place, connection: Arc::downgrade(connection) }
    }

    const fn at(&self) -> u64 {
        self.key >> DUE_BITS
    }

    fn due(&self) -> Option<Due> {
        let place = usize::try_from(self.key & !(u64::MAX << DUE_BITS)).ok()?;
        Due::ALL.get(place).copied()
    }
}

impl PartialEq for Timer {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for Timer {}

impl PartialOrd for Timer {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Timer {
    fn cmp(&self, other: &Self) -> Ordering {
        other.key.cmp(&self.key)
    }
}

impl Shard {
    /// Of the calling thread, which must run a runtime.
    pub(crate) fn new(index: usize) -> Arc<Self> {
        Arc::new(Self {
            index,
            runtime: Handle::current(),
            bell: Notify::new(),
            timers: Mutex::default(),
            marked: Mutex::default(),
            sleeps_until: AtomicU64::new(u64::MAX),
            started: Instant::now(),
            is_alive: AtomicBool::new(true),
        })
    }

    /// Its number, from zero, in the order in which threads took their first connection.
    pub const fn index(&self) -> usize {
        self.index
    }

    /// Asks the task to call [`crate::engine::Application::flush`] soon.
    pub fn ring(&self) {
        self.bell.notify_one();
    }

    /// Runs a future on its thread, from wherever this is called.
    pub(crate) fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        drop(self.runtime.spawn(future));
    }

    /// Whether its thread still runs.
    pub fn is_alive(&self) -> bool {
        self.is_alive.load(Memory::Acquire)
    }

    fn marked(&self) -> MutexGuard<'_, Vec<Arc<Connection>>> {
        self.marked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the task write what waits for a connection; false when there is no task any more.
    pub(crate) fn mark(&self, connection: &Arc<Connection>) -> bool {
        let mut marked = self.marked();
        if !self.is_alive() {
            return false;
        }
        marked.push(Arc::clone(connection));
        if marked.len() == 1 {
            self.ring();
        }
        true
    }

    /// Writes to the marked connections; other tasks of the thread come in between.
    async fn write_marked(&self) {
        loop {
            let slice: Vec<_> = {
                let mut marked = self.marked();
                let count = marked.len().min(SLICE);
                marked.drain(..count).collect()
            };
            slice.iter().for_each(Connection::write_out);
            if slice.len() < SLICE {
                return;
            }
            tokio::task::yield_now().await;
        }
    }

    fn timers(&self) -> MutexGuard<'_, BinaryHeap<Timer>> {
        self.timers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_timer(&self, at: Instant, due: Due, connection: &Arc<Connection>) {
        // Never early, so that whoever looks when it falls due finds the moment past.
        let at = self.micros(at).saturating_add(1);
        self.timers().push(Timer::new(at, due, connection));
        if at < self.sleeps_until.load(Memory::Acquire) {
            self.bell.notify_one();
        }
    }

    /// How long after its start a moment is.
    pub(super) fn micros(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.started).as_micros()).unwrap_or(u64::MAX)
    }

    fn take_due(&self, now: Instant) -> Vec<Timer> {
        let now = self.micros(now);
        let mut timers = self.timers();
        let mut due = Vec::new();
        while timers.peek().is_some_and(|timer| timer.at() <= now) {
            due.extend(timers.pop());
        }
        due
    }

    /// When to wake up next, noted so that an earlier timer rings.
    fn next(&self) -> Option<Instant> {
        let timers = self.timers();
        let next = timers.peek().map(Timer::at);
        self.sleeps_until.store(next.unwrap_or(u64::MAX), Memory::Release);
        next.map(|at| self.started + Duration::from_micros(at))
    }

    /// Looks after the connections until the engine is gone.
    pub(crate) async fn run(self: Arc<Self>, engine: Weak<Shared>) {
        // The thread may go at any await.
        let _alive = Alive(&self);
        loop {
            match self.next() {
                Some(at) => {
                    tokio::select! {
                        () = self.bell.notified() => {}
                        () = tokio::time::sleep_until(at.into()) => {}
                    }
                }
                None => self.bell.notified().await,
            }
            let Some(engine) = engine.upgrade() else { return };
            for timer in self.take_due(Instant::now()) {
                if let (Some(connection), Some(due)) = (timer.connection.upgrade(), timer.due()) {
                    connection.fall_due(due, self.started + Duration::from_micros(timer.at()));
                }
            }
            let is_busy = engine.application().flush(&self);
            drop(engine);
            self.write_marked().await;
            if is_busy {
                tokio::time::sleep(GATHER).await;
            }
        }
    }
}

struct Alive<'a>(&'a Shard);

impl Drop for Alive<'_> {
    fn drop(&mut self) {
        self.0.is_alive.store(false, Memory::Release);
        // Their bodies may live on another thread.
        let marked = std::mem::take(&mut *self.0.marked());
        marked.iter().for_each(|connection| connection.state().wake_writer());
    }
}
