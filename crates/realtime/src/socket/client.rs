//! One connection as Socket.IO sees it: the namespaces it is in, and what its packets do there.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use bytestring::ByteString;
use smallvec::SmallVec;

use crate::engine::{Connection, Handler, Message};
use crate::reason::Reason;
use crate::socket::admission;
use crate::socket::core::{Core, Space};
use crate::socket::inbox::{self, Inbox, Job};
use crate::socket::log::Absent;
use crate::socket::members::RoomsLeft;
use crate::socket::namespace::{Ack, Event};
use crate::socket::packet::{self, Body, Incoming};
use crate::socket::socket::Socket;

/// The Socket.IO side of a connection.
pub(crate) struct Client {
    /// Itself, for the tasks that work for it.
    me: Weak<Self>,
    core: Arc<Core>,
    connection: Weak<Connection>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Mostly one.
    entries: SmallVec<[Entry; 1]>,
    assembling: Option<Box<Assembling>>,
    inbox: Inbox,
    /// It was in a namespace once.
    has_settled: bool,
    is_closed: bool,
}

/// Where a connection stands with a namespace, of this number if there is no socket to tell it.
enum Entry {
    Asking(usize),
    In(Socket),
    /// We put it out; what it sent before it knew is ignored.
    PutOut(usize),
}

impl Entry {
    fn space(&self) -> usize {
        match self {
            Self::Asking(space) | Self::PutOut(space) => *space,
            Self::In(socket) => socket.space_number(),
        }
    }
}

/// A packet whose attachments have not all come.
struct Assembling {
    packet: Incoming,
    attachments: Vec<Bytes>,
    bytes: usize,
}

impl Client {
    pub(crate) fn new(core: Arc<Core>, connection: &Arc<Connection>) -> Arc<Self> {
        let connection = Arc::downgrade(connection);
        Arc::new_cyclic(|me| Self { me: me.clone(), core, connection, state: Mutex::default() })
    }

    pub(crate) const fn core(&self) -> &Arc<Core> {
        &self.core
    }

    pub(crate) fn connection(&self) -> Option<Arc<Connection>> {
        self.connection.upgrade()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_text(&self, connection: &Arc<Connection>, text: &ByteString) -> Result<(), Reason> {
        let packet =
            packet::parse(text, self.core.config.max_attachments).map_err(|_error| Reason::ParseError)?;
        let mut state = self.state();
        if state.assembling.is_some() {
            return Err(Reason::ParseError);
        }
        if packet.attachments > 0 {
            let assembling = Assembling { packet, attachments: Vec::new(), bytes: 0 };
            state.assembling = Some(Box::new(assembling));
            return Ok(());
        }
        drop(state);
        self.take_packet(connection, packet, Vec::new())
    }

    fn take_attachment(&self, connection: &Arc<Connection>, data: Bytes) -> Result<(), Reason> {
        let mut state = self.state();
        let mut assembling = state.assembling.take().ok_or(Reason::ParseError)?;
        assembling.bytes += data.len();
        if assembling.bytes > self.core.config.max_attachment_bytes {
            return Err(Reason::ParseError);
        }
        assembling.attachments.push(data);
        if assembling.attachments.len() < assembling.packet.attachments {
            state.assembling = Some(assembling);
            return Ok(());
        }
        drop(state);
        self.take_packet(connection, assembling.packet, assembling.attachments)
    }

    fn take_packet(
        &self,
        connection: &Arc<Connection>,
        packet: Incoming,
        attachments: Vec<Bytes>,
    ) -> Result<(), Reason> {
        let space = self.core.spaces.get(&*packet.namespace);
        if let Body::Connect(auth) = packet.body {
            match space {
                Some(space) => self.ask(space, auth),
                None => {
                    let prefix = packet::prefix(&packet.namespace);
                    let error = r#"{"message":"Invalid namespace"}"#;
                    connection.push_or_cut(&packet::plain_packet(b'4' - b'0', &prefix, error));
                }
            }
            return Ok(());
        }
        let space = space.ok_or(Reason::ParseError)?;
        let Some(socket) = self.socket(space)? else { return Ok(()) };
        match packet.body {
            Body::Connect(_) => {}
            Body::Disconnect => {
                if self.remove(&socket, None) {
                    self.depart(&socket, Reason::ClientLeft);
                }
            }
            Body::Event { ack, payload } => {
                check_placeholders(&payload, &attachments)?;
                let (name, args) =
                    packet::event(&payload, attachments).map_err(|_error| Reason::ParseError)?;
                let ack = ack.map(|id| Ack { socket: socket.clone(), id });
                self.enqueue(Job::Event(socket, Event { name, args, ack }));
            }
            Body::Ack { id, payload } => {
                check_placeholders(&payload, &attachments)?;
                let args =
                    packet::acknowledgement(&payload, attachments).map_err(|_error| Reason::ParseError)?;
                socket.take_ack(id, args);
            }
        }
        Ok(())
    }

    /// The socket in a namespace; none if we put it out, an error if it never was in.
    fn socket(&self, space: &Space) -> Result<Option<Socket>, Reason> {
        let state = self.state();
        match state.entries.iter().find(|entry| entry.space() == space.number) {
            Some(Entry::In(socket)) => Ok(Some(socket.clone())),
            Some(Entry::PutOut(_)) => Ok(None),
            Some(Entry::Asking(_)) | None => Err(Reason::ParseError),
        }
    }

    fn ask(&self, space: &Arc<Space>, auth: Option<ByteString>) {
        {
            let mut state = self.state();
            match state.entries.iter_mut().find(|entry| entry.space() == space.number) {
                None => state.entries.push(Entry::Asking(space.number)),
                Some(entry @ Entry::PutOut(_)) => *entry = Entry::Asking(space.number),
                // Clients of reference can ask twice before they are answered; the one answer is for both.
                Some(Entry::Asking(_)) => return,
                // Each CONNECT is answered, and who is in stays who it is.
                Some(Entry::In(socket)) => {
                    let socket = socket.clone();
                    drop(state);
                    socket.post(admission::answer(&socket));
                    return;
                }
            }
        }
        self.enqueue(Job::Connect(Arc::clone(space), auth));
    }

    /// Notes that a socket is in; false when the connection has ended meanwhile.
    pub(crate) fn settle(&self, socket: &Socket) -> bool {
        let mut state = self.state();
        let number = socket.space_number();
        let is_closed = state.is_closed;
        match state.entries.iter_mut().find(|entry| entry.space() == number) {
            Some(entry) if !is_closed => *entry = Entry::In(socket.clone()),
            _ => return false,
        }
        state.has_settled = true;
        true
    }

    /// Notes that a namespace let nobody in; the client may ask again.
    pub(crate) fn unsettle(&self, space: &Space) {
        self.state().entries.retain(|entry| entry.space() != space.number);
    }

    /// Whether the socket was in, and is not any more.
    fn remove(&self, socket: &Socket, instead: Option<Entry>) -> bool {
        let mut state = self.state();
        let is_it = |entry: &Entry| matches!(entry, Entry::In(one) if one.id() == socket.id());
        let Some(at) = state.entries.iter().position(is_it) else { return false };
        drop(state.entries.swap_remove(at));
        state.entries.extend(instead);
        true
    }

    /// Puts a socket out, and tells its client.
    pub(crate) fn put_out(&self, socket: &Socket) {
        if !self.remove(socket, Some(Entry::PutOut(socket.space_number()))) {
            return;
        }
        let goodbye = packet::plain_packet(1, &socket.space().prefix, "");
        self.depart(socket, Reason::ServerDisconnect);
        socket.connection().push_or_cut(&goodbye);
    }

    /// Takes a socket out of its rooms and tells the handler.
    fn depart(&self, socket: &Socket, reason: Reason) {
        // Before the rooms forget it: what is sent from now on is kept, and nothing lies between.
        let mut log = socket.space().log();
        let (rooms, overflowed) = socket.hub().with_members(|members| members.depart(socket));
        socket.space().sockets().remove(socket.id());
        let was_in = rooms.is_some();
        if let (Some(log), Some(RoomsLeft { granted, joined }), true) =
            (&mut log, rooms, reason.is_recoverable())
        {
            let (secret, identity) = (socket.secret(), socket.identity().into());
            let absent = Absent { secret, identity, granted, joined, since: Instant::now() };
            log.remember(socket.id(), absent);
        }
        drop(log);
        overflowed.cut();
        socket.forget_acks();
        if was_in {
            self.enqueue(Job::Gone(socket.clone(), reason));
        }
    }

    fn enqueue(&self, job: Job) {
        if self.state().inbox.push(job)
            && let (Some(me), Some(connection)) = (self.me.upgrade(), self.connection())
        {
            connection.shard().spawn(inbox::drive(me));
        }
    }

    /// The next job. When there is none, the task that asked must end.
    pub(crate) fn next_job(&self) -> Option<Job> {
        self.state().inbox.next()
    }
}

fn check_placeholders(payload: &str, attachments: &[Bytes]) -> Result<(), Reason> {
    if attachments.is_empty() || packet::placeholders_fit(payload, attachments.len()) {
        Ok(())
    } else {
        Err(Reason::ParseError)
    }
}

impl Handler for Client {
    fn settle_within(&self) -> Option<Duration> {
        Some(self.core.config.connect_timeout)
    }

    fn has_settled(&self) -> bool {
        self.state().has_settled
    }

    fn message(&self, connection: &Arc<Connection>, message: Message) -> Result<(), Reason> {
        match message {
            Message::Text(text) => self.take_text(connection, &text),
            Message::Binary(data) => self.take_attachment(connection, data),
        }
    }

    fn poll_ready(&self, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.state();
        if state.is_closed {
            Poll::Ready(())
        } else {
            state.inbox.poll_room(self.core.config.max_inbox, context)
        }
    }

    fn closed(&self, _connection: &Arc<Connection>, reason: Reason) {
        let entries = {
            let mut state = self.state();
            state.is_closed = true;
            state.assembling = None;
            state.inbox.wake_reader();
            std::mem::take(&mut state.entries)
        };
        for entry in entries {
            if let Entry::In(socket) = entry {
                self.depart(&socket, reason);
            }
        }
    }
}
