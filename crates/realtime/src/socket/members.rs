//! The sockets of one worker thread by namespace and room, and what is handed out to them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::engine::Pushed;
use crate::engine::packets::Packets;
use crate::id::Id;
use crate::socket::broadcast::{Audience, Broadcast, Target};
use crate::socket::socket::{Acks, Socket};

/// From how many sockets on a thread has its own copy of what goes to a room: else the threads would take turns at one
/// count of references, for each of their sockets.
const MANY: usize = 64;

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

impl Members {
    /// How many sockets there are.
    pub(crate) fn count(&self) -> usize {
        self.spaces.iter().map(|space| space.all.len()).sum()
    }

    /// Queues what was sent for those who are meant; gives those for whom too much waits, to be cut.
    pub(crate) fn hand_out(&self, entries: Vec<Broadcast>) -> Vec<Socket> {
        let mut overflowed = Vec::new();
        for group in entries.chunk_by(Broadcast::goes_with) {
            let Some(first) = group.first() else { continue };
            let is_for_many = matches!(*first.target, Target::Rooms(_)) && self.count() >= MANY;
            let own;
            let packets = if group.len() > 1 || is_for_many {
                let each: Vec<_> = group.iter().map(|one| Arc::clone(&one.packets)).collect();
                own = Packets::joined(&each);
                &own
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
        overflowed
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
        place.add(Membership { room: name, at: sockets.len(), is_granted });
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

/// The rooms of a socket that left.
#[derive(Default)]
pub(crate) struct RoomsLeft {
    pub(crate) granted: Vec<Arc<str>>,
    pub(crate) joined: Vec<Arc<str>>,
}

/// Where a socket stands in the lists of its hub, and what it waits for there.
#[derive(Default)]
pub(crate) struct Place {
    at: usize,
    /// No longer than need be: most sockets stay in the rooms that they begin with.
    rooms: Box<[Membership]>,
    is_in: bool,
    is_gone: bool,
    /// It came back to it.
    pub(crate) was_recovered: bool,
    /// Boxed, and under this lock instead of one of their own, because nearly no socket has any.
    pub(crate) acks: Option<Box<Acks>>,
}

struct Membership {
    room: Arc<str>,
    at: usize,
    /// By admission, not by a later join.
    is_granted: bool,
}

impl Place {
    /// Of a socket that is about to enter.
    pub(crate) fn new(was_recovered: bool) -> Self {
        Self { was_recovered, ..Self::default() }
    }

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
        let mut rooms = std::mem::take(&mut self.rooms).into_vec();
        let membership = rooms.swap_remove(at);
        self.rooms = rooms.into_boxed_slice();
        Some(membership)
    }

    fn add(&mut self, membership: Membership) {
        let mut rooms = std::mem::take(&mut self.rooms).into_vec();
        rooms.reserve_exact(1);
        rooms.push(membership);
        self.rooms = rooms.into_boxed_slice();
    }

    fn move_in(&mut self, room: &str, at: usize) {
        if let Some(membership) = self.rooms.iter_mut().find(|membership| *membership.room == *room) {
            membership.at = at;
        }
    }
}
