//! Who is where, among the connections of one worker thread, and what is about to be sent to them.
//!
//! An emit puts one entry into each thread's hub and rings; the thread's own task hands all entries out together. So an
//! emit costs the same for one socket and for thousands, waking stays on the thread, and what comes in quick succession
//! leaves in one write. Whoever looks at or changes the rooms hands out first what waits, so nothing overtakes: an emit
//! reaches exactly those who were in the room when it was made.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::engine::packets::Packets;
use crate::engine::{Pushed, Shard};
use crate::id::Id;
use crate::reason::Reason;
use crate::socket::socket::Socket;

/// Entries and bytes that may wait to be handed out. Beyond, the emitter hands out itself, whatever its thread.
const MAX_PENDING: usize = 1_024;
const MAX_PENDING_BYTES: usize = 1024 * 1024;

/// Packets for somebody.
#[derive(Clone)]
pub(crate) struct Broadcast {
    /// The number of the namespace.
    pub(crate) space: usize,
    pub(crate) target: Arc<Target>,
    pub(crate) packets: Arc<Packets>,
    pub(crate) is_volatile: bool,
}

/// For whom.
#[derive(Debug)]
pub(crate) enum Target {
    /// Everybody in a namespace, or in any of these rooms; except who is in one of those, or has one of those ids.
    Rooms(Audience),
    /// One socket.
    Socket(Socket),
}

/// Some sockets of a namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Audience {
    /// Any of these rooms; everybody, when there are none.
    pub(crate) rooms: Vec<String>,
    /// Rooms, and ids of sockets.
    pub(crate) except: Vec<String>,
}

impl Audience {
    /// Whether a socket with this id, in these rooms, is meant.
    pub(crate) fn includes(&self, id: Id, rooms: &[Arc<str>]) -> bool {
        let is_in = |room: &String| rooms.iter().any(|one| **one == **room);
        let is_excepted = |name: &String| is_in(name) || Id::parse(name) == Some(id);
        (self.rooms.is_empty() || self.rooms.iter().any(is_in)) && !self.except.iter().any(is_excepted)
    }
}

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

/// Sockets by namespace and room.
#[derive(Default)]
pub(crate) struct Members {
    spaces: Vec<Space>,
}

#[derive(Default)]
struct Space {
    all: Vec<Socket>,
    rooms: HashMap<Arc<str>, Vec<Socket>>,
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
        let overflowed = members.hand_out(entries);
        drop(members);
        overflowed.cut();
        broadcasts > 1
    }

    /// Looks at or changes the rooms, after what was sent before. The caller cuts what overflowed when it holds no lock.
    pub(crate) fn with_members<R>(&self, action: impl FnOnce(&mut Members) -> R) -> (R, Overflowed) {
        let mut members = self.members.lock().unwrap_or_else(PoisonError::into_inner);
        let entries = std::mem::take(&mut *self.pending()).entries;
        let overflowed = members.hand_out(entries);
        let result = action(&mut members);
        self.population.store(members.spaces.iter().map(|space| space.all.len()).sum(), Ordering::Release);
        (result, overflowed)
    }
}

impl Members {
    fn hand_out(&self, entries: Vec<Broadcast>) -> Overflowed {
        let mut overflowed = Vec::new();
        for group in entries.chunk_by(Broadcast::goes_with) {
            let Some(first) = group.first() else { continue };
            let joined;
            let packets = if group.len() > 1 {
                let each: Vec<_> = group.iter().map(|one| Arc::clone(&one.packets)).collect();
                joined = Packets::joined(&each);
                &joined
            } else {
                &first.packets
            };
            let mut give = |socket: &Socket| {
                if socket.connection().push(packets, first.is_volatile) == Pushed::Overflowed {
                    overflowed.push(socket.clone());
                }
            };
            match &*first.target {
                Target::Socket(socket) if socket.is_connected() => give(socket),
                Target::Socket(_) => {}
                Target::Rooms(audience) => self.each(first.space, audience, give),
            }
        }
        Overflowed(overflowed)
    }

    /// Each socket of an audience, once.
    pub(crate) fn each(&self, space: usize, audience: &Audience, mut action: impl FnMut(&Socket)) {
        let Some(space) = self.spaces.get(space) else { return };
        let in_room = |room: &String| space.rooms.get(room.as_str()).map(Vec::as_slice).unwrap_or_default();
        let excepted = audience.except.iter().filter_map(|name| Id::parse(name));
        let excepted: Vec<Id> =
            excepted.chain(audience.except.iter().flat_map(in_room).map(Socket::id)).collect();
        // Mostly nobody is excepted, or the sender alone; then looking through is faster than hashing.
        let many: HashSet<Id> =
            if excepted.len() > 8 { excepted.iter().copied().collect() } else { HashSet::new() };
        let is_meant = |socket: &&Socket| {
            let id = socket.id();
            if many.is_empty() { !excepted.contains(&id) } else { !many.contains(&id) }
        };
        match audience.rooms.as_slice() {
            [] => space.all.iter().filter(is_meant).for_each(action),
            [room] => in_room(room).iter().filter(is_meant).for_each(action),
            rooms => {
                let mut done = HashSet::new();
                for socket in rooms.iter().flat_map(in_room).filter(is_meant) {
                    if done.insert(socket.id()) {
                        action(socket);
                    }
                }
            }
        }
    }

    /// Puts a socket in, unless it is gone already.
    pub(crate) fn enter(&mut self, socket: &Socket, granted: &[Arc<str>], joined: &[Arc<str>]) -> bool {
        let number = socket.space_number();
        if self.spaces.len() <= number {
            self.spaces.resize_with(number + 1, Space::default);
        }
        let Some(space) = self.spaces.get_mut(number) else { return false };
        let mut place = socket.place();
        if place.is_gone {
            return false;
        }
        place.is_in = true;
        place.at = space.all.len();
        space.all.push(socket.clone());
        // Most sockets stay in the rooms that they begin with.
        place.rooms.reserve_exact(granted.len() + joined.len());
        for (rooms, is_granted) in [(granted, true), (joined, false)] {
            for room in rooms {
                space.join(socket, &mut place, room, is_granted);
            }
        }
        true
    }

    pub(crate) fn join(&mut self, socket: &Socket, room: &str) {
        if let Some(space) = self.spaces.get_mut(socket.space_number()) {
            let mut place = socket.place();
            if place.is_in {
                space.join(socket, &mut place, room, false);
            }
        }
    }

    pub(crate) fn leave(&mut self, socket: &Socket, room: &str) {
        if let Some(space) = self.spaces.get_mut(socket.space_number()) {
            let taken = socket.place().take(room);
            if let Some(membership) = taken {
                space.forget(&membership);
            }
        }
    }

    /// Takes a socket out of everything; gives its rooms. None if it was out already.
    pub(crate) fn depart(&mut self, socket: &Socket) -> Option<RoomsLeft> {
        let (at, rooms) = {
            let mut place = socket.place();
            place.is_gone = true;
            if !std::mem::take(&mut place.is_in) {
                return None;
            }
            (place.at, std::mem::take(&mut place.rooms))
        };
        let space = self.spaces.get_mut(socket.space_number())?;
        space.all.swap_remove(at);
        if let Some(moved) = space.all.get(at) {
            moved.place().at = at;
        }
        let mut left = RoomsLeft::default();
        for membership in rooms {
            space.forget(&membership);
            if membership.is_granted { &mut left.granted } else { &mut left.joined }.push(membership.room);
        }
        Some(left)
    }
}

impl Space {
    fn join(&mut self, socket: &Socket, place: &mut Place, room: &str, is_granted: bool) {
        if place.rooms.iter().any(|membership| *membership.room == *room) {
            return;
        }
        let name =
            self.rooms.get_key_value(room).map_or_else(|| Arc::from(room), |(name, _)| Arc::clone(name));
        let sockets = self.rooms.entry(Arc::clone(&name)).or_default();
        place.rooms.push(Membership { room: name, at: sockets.len(), is_granted });
        sockets.push(socket.clone());
    }

    fn forget(&mut self, membership: &Membership) {
        let Some(sockets) = self.rooms.get_mut(&membership.room) else { return };
        sockets.swap_remove(membership.at);
        if let Some(moved) = sockets.get(membership.at) {
            moved.place().move_in(&membership.room, membership.at);
        }
        if sockets.is_empty() {
            self.rooms.remove(&membership.room);
        }
    }
}

impl Broadcast {
    /// Whether both can be handed out as one.
    fn goes_with(&self, other: &Self) -> bool {
        let same = match (&*self.target, &*other.target) {
            (Target::Rooms(one), Target::Rooms(two)) => one == two,
            (Target::Socket(one), Target::Socket(two)) => one.id() == two.id(),
            _ => false,
        };
        same && self.space == other.space && !self.is_volatile && !other.is_volatile
    }
}

/// The rooms of a socket that left.
#[derive(Default)]
pub(crate) struct RoomsLeft {
    pub(crate) granted: Vec<Arc<str>>,
    pub(crate) joined: Vec<Arc<str>>,
}

/// Where a socket stands in the lists of its hub.
#[derive(Default)]
pub(crate) struct Place {
    at: usize,
    rooms: Vec<Membership>,
    is_in: bool,
    is_gone: bool,
}

struct Membership {
    room: Arc<str>,
    at: usize,
    /// By admission, not by a later join.
    is_granted: bool,
}

impl Place {
    pub(crate) fn rooms(&self) -> impl Iterator<Item = &Arc<str>> {
        self.rooms.iter().map(|membership| &membership.room)
    }

    pub(crate) const fn is_in(&self) -> bool {
        self.is_in
    }

    pub(crate) fn count(&self) -> usize {
        self.rooms.len()
    }

    fn take(&mut self, room: &str) -> Option<Membership> {
        let at = self.rooms.iter().position(|membership| *membership.room == *room)?;
        Some(self.rooms.swap_remove(at))
    }

    fn move_in(&mut self, room: &str, at: usize) {
        if let Some(membership) = self.rooms.iter_mut().find(|membership| *membership.room == *room) {
            membership.at = at;
        }
    }
}
