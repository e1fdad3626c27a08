//! What is about to be sent to the sockets of one worker thread.
//!
//! An emit puts one entry into each thread's hub and rings; the thread's own task hands all entries out together. So an
//! emit costs the same for one socket and for thousands, waking stays on the thread, and what comes in quick succession
//! leaves in one write. Whoever looks at or changes the rooms hands out first what waits, so nothing overtakes: an emit
//! reaches exactly those who were in the room when it was made.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::engine::Shard;
use crate::reason::Reason;
use crate::socket::broadcast::{Broadcast, Target};
use crate::socket::members::Members;
use crate::socket::socket::Socket;

/// Entries and bytes that may wait to be handed out. Beyond, the emitter hands out itself, whatever its thread.
const MAX_PENDING: usize = 1_024;
const MAX_PENDING_BYTES: usize = 1024 * 1024;

/// The members of a thread's hub.
pub(crate) struct Hub {
    shard: Arc<Shard>,
    pending: Mutex<Pending>,
    members: Mutex<Members>,
    population: AtomicUsize,
}

#[derive(Default)]
struct Pending {
    entries: Vec<Broadcast>,
    bytes: usize,
}

/// Sockets that are to be cut once no lock is held.
#[must_use]
#[derive(Default)]
pub(crate) struct Overflowed(Vec<Socket>);

impl FromIterator<Overflowed> for Overflowed {
    fn from_iter<I: IntoIterator<Item = Self>>(all: I) -> Self {
        Self(all.into_iter().flat_map(|one| one.0).collect())
    }
}

impl Overflowed {
    pub(crate) fn cut(self) {
        for socket in self.0 {
            socket.connection().end(Reason::SlowConsumer);
        }
    }
}

impl Hub {
    pub(crate) fn new(shard: Arc<Shard>) -> Self {
        Self { shard, pending: Mutex::default(), members: Mutex::default(), population: AtomicUsize::new(0) }
    }

    /// Leaves packets to be handed out soon. The caller cuts what overflowed when it holds no lock.
    pub(crate) fn post(&self, broadcast: Broadcast) -> Overflowed {
        if self.population.load(Ordering::Acquire) == 0 {
            return Overflowed::default();
        }
        let is_full = {
            let mut pending = self.pending();
            pending.bytes += broadcast.packets.wire().len();
            pending.entries.push(broadcast);
            if pending.entries.len() == 1 {
                self.shard.ring();
            }
            pending.entries.len() >= MAX_PENDING || pending.bytes >= MAX_PENDING_BYTES
        };
        if is_full || !self.shard.is_alive() {
            return self.with_members(|_members| ()).1;
        }
        Overflowed::default()
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands out what waits; true when that was several broadcasts, so that more are likely soon.
    pub(crate) fn flush(&self) -> bool {
        let members = self.members.lock().unwrap_or_else(PoisonError::into_inner);
        let entries = std::mem::take(&mut *self.pending()).entries;
        let broadcasts =
            entries.iter().filter(|entry| matches!(*entry.target, Target::Rooms(_))).take(2).count();
        let overflowed = Overflowed(members.hand_out(entries));
        drop(members);
        overflowed.cut();
        broadcasts > 1
    }

    /// Looks at or changes the rooms, after what was sent before. The caller cuts what overflowed when it holds no lock.
    pub(crate) fn with_members<R>(&self, action: impl FnOnce(&mut Members) -> R) -> (R, Overflowed) {
        let mut members = self.members.lock().unwrap_or_else(PoisonError::into_inner);
        let entries = std::mem::take(&mut *self.pending()).entries;
        let overflowed = Overflowed(members.hand_out(entries));
        let result = action(&mut members);
        self.population.store(members.count(), Ordering::Release);
        (result, overflowed)
    }
}
