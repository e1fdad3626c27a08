//! A client in a namespace.

use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::by_id::HasId;
use crate::engine::Connection;
use crate::id::Id;
use crate::reason::Reason;
use crate::socket::args::{Args, ArgsError};
use crate::socket::broadcast::{Broadcast, Target};
use crate::socket::client::Client;
use crate::socket::core::{Core, Space};
use crate::socket::hub::Hub;
use crate::socket::members::Place;
use crate::socket::packet;

/// A client in a namespace. Clones are the same one.
#[derive(Clone)]
pub struct Socket(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) id: Id,
    /// Known to its client alone: the second half of what it recovers by.
    pub(crate) secret: Id,
    pub(crate) connection: Arc<Connection>,
    pub(crate) space: Arc<Space>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) client: Arc<Client>,
    pub(crate) identity: Box<str>,
    pub(crate) data: Option<Arc<dyn Any + Send + Sync>>,
    pub(crate) place: Mutex<Place>,
}

/// Acknowledgements that are awaited.
#[derive(Default)]
pub(crate) struct Acks {
    next: u64,
    awaited: HashMap<u64, oneshot::Sender<Args>>,
}

/// Why there is no acknowledgement.
#[derive(Debug, thiserror::Error)]
pub enum AckError {
    /// The client did not answer in time.
    #[error("no acknowledgement came in time")]
    TimedOut,
    /// The client is gone, and perhaps never saw the event.
    #[error("the client is gone")]
    Gone,
    /// More are awaited already than may: see [`crate::Config::max_acks`].
    #[error("too many acknowledgements are awaited")]
    TooMany,
    /// The event cannot be written.
    #[error(transparent)]
    Args(#[from] ArgsError),
}

/// A socket cannot be in more rooms: see [`crate::Config::max_rooms`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many rooms")]
pub struct TooManyRooms;

impl Socket {
    pub(crate) fn new(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    pub(crate) fn place(&self) -> MutexGuard<'_, Place> {
        self.0.place.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn core(&self) -> &Core {
        self.0.client.core()
    }

    /// The connection that carries it, together with other namespaces of the client.
    pub fn connection(&self) -> &Arc<Connection> {
        &self.0.connection
    }

    pub(crate) fn hub(&self) -> &Hub {
        &self.0.hub
    }

    pub(crate) fn space(&self) -> &Arc<Space> {
        &self.0.space
    }

    pub(crate) fn space_number(&self) -> usize {
        self.0.space.number
    }

    /// Whether what it misses is kept for it.
    pub(crate) fn is_recoverable(&self) -> bool {
        self.core().config.recovery.is_some()
    }

    pub(crate) fn secret(&self) -> Id {
        self.0.secret
    }

    /// Its id. Not the one of its connection, so it may be told to others.
    pub fn id(&self) -> Id {
        self.0.id
    }

    /// The identity under which it was admitted.
    pub fn identity(&self) -> &str {
        &self.0.identity
    }

    /// What the application gave it in [`crate::Admission::data`].
    pub fn data<T: Any + Send + Sync>(&self) -> Option<&T> {
        self.0.data.as_deref()?.downcast_ref()
    }

    /// The namespace that it is in.
    pub fn namespace(&self) -> &str {
        &self.0.space.name
    }

    /// Whether it came back, with everything that it missed.
    pub fn was_recovered(&self) -> bool {
        self.place().was_recovered
    }

    /// Whether it is in its namespace.
    pub fn is_connected(&self) -> bool {
        self.place().is_in()
    }

    /// The rooms that it is in.
    pub fn rooms(&self) -> Vec<Arc<str>> {
        self.place().rooms().cloned().collect()
    }

    /// Puts it into a room. What is sent to the room afterwards reaches it.
    ///
    /// # Errors
    ///
    /// When it is in too many rooms.
    pub fn join(&self, room: &str) -> Result<(), TooManyRooms> {
        let (result, overflowed) = self.0.hub.with_members(|members| {
            if self.place().count() >= self.core().config.max_rooms {
                return Err(TooManyRooms);
            }
            members.join(self, room);
            Ok(())
        });
        overflowed.cut();
        result
    }

    /// Takes it out of a room.
    pub fn leave(&self, room: &str) {
        self.0.hub.with_members(|members| members.leave(self, room)).1.cut();
    }

    /// Takes it out of all rooms.
    pub fn leave_all(&self) {
        let ((), overflowed) = self.0.hub.with_members(|members| {
            for room in self.rooms() {
                members.leave(self, &room);
            }
        });
        overflowed.cut();
    }

    /// Sends it an event with these arguments.
    ///
    /// # Errors
    ///
    /// When the name has no JSON form.
    pub fn emit(&self, name: &str, args: &Args) -> Result<(), ArgsError> {
        self.core().emit(&self.0.space, Target::Socket(self.clone()), name, args, false)
    }

    /// Sends it an event only if it has read everything before: what is out of date in a moment needs no queue.
    ///
    /// # Errors
    ///
    /// When the name has no JSON form.
    pub fn emit_volatile(&self, name: &str, args: &Args) -> Result<(), ArgsError> {
        self.core().emit(&self.0.space, Target::Socket(self.clone()), name, args, true)
    }

    /// Sends it an event and waits for the answer. Such an event is not recovered.
    ///
    /// # Errors
    ///
    /// When no answer comes in time, or the client goes.
    pub async fn emit_with_ack(&self, name: &str, args: &Args, within: Duration) -> Result<Args, AckError> {
        let (sender, receiver) = oneshot::channel();
        let id = {
            let mut place = self.place();
            if !place.is_in() {
                return Err(AckError::Gone);
            }
            let acks = place.acks.get_or_insert_default();
            let id = acks.next;
            if acks.awaited.len() >= self.core().config.max_acks {
                return Err(AckError::TooMany);
            }
            acks.awaited.insert(id, sender);
            acks.next += 1;
            id
        };
        let _forget = Forget { socket: self, id };
        let packets = packet::event_packet(&self.0.space.prefix, Some(id), name, args, None)
            .map_err(ArgsError::Json)?;
        self.post(packets);
        match tokio::time::timeout(within, receiver).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) => Err(AckError::Gone),
            Err(_) => Err(AckError::TimedOut),
        }
    }

    pub(crate) fn send_ack(&self, id: u64, args: &Args) {
        self.post(packet::ack_packet(&self.0.space.prefix, id, args));
    }

    /// Queues packets for it alone, behind what was sent before.
    pub(crate) fn post(&self, packets: Arc<crate::engine::packets::Packets>) {
        let target = Arc::new(Target::Socket(self.clone()));
        let broadcast = Broadcast { space: self.space_number(), target, packets, is_volatile: false };
        self.0.hub.post(broadcast).cut();
    }

    /// The client answered. An answer that nobody waits for any more is dropped.
    pub(crate) fn take_ack(&self, id: u64, args: Args) {
        let sender = self.place().acks.as_mut().and_then(|acks| acks.awaited.remove(&id));
        if let Some(sender) = sender {
            drop(sender.send(args));
        }
    }

    /// Nobody will answer any more.
    pub(crate) fn forget_acks(&self) {
        self.place().acks = None;
    }

    /// Puts it out of its namespace; with `close`, ends its connection, so that no other namespace stays.
    pub fn disconnect(&self, close: bool) {
        self.0.client.put_out(self);
        if close {
            self.0.connection.end(Reason::ServerDisconnect);
        }
    }
}

/// Forgets an acknowledgement when it is not waited for any more.
struct Forget<'a> {
    socket: &'a Socket,
    id: u64,
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        if let Some(acks) = &mut self.socket.place().acks {
            acks.awaited.remove(&self.id);
        }
    }
}

impl HasId for Socket {
    fn id_ref(&self) -> &Id {
        &self.0.id
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket").field("namespace", &self.0.space.name).finish_non_exhaustive()
    }
}
