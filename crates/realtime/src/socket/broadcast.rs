//! What is sent, and to whom.

use std::sync::Arc;

use crate::engine::packets::Packets;
use crate::id::Id;
use crate::socket::socket::Socket;

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

impl Broadcast {
    /// Whether both can be handed out as one.
    pub(crate) fn goes_with(&self, other: &Self) -> bool {
        let same = match (&*self.target, &*other.target) {
            (Target::Rooms(one), Target::Rooms(two)) => one == two,
            (Target::Socket(one), Target::Socket(two)) => one.id() == two.id(),
            _ => false,
        };
        same && self.space == other.space && !self.is_volatile && !other.is_volatile
    }
}
