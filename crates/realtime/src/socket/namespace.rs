//! What an application says about a namespace: whom it lets in, and what it does with events.

use std::any::Any;
use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;
use bytestring::ByteString;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::reason::Reason;
use crate::socket::args::Args;
use crate::socket::socket::Socket;

/// A namespace of an application.
///
/// The calls for one connection come one after the other: an event is handled when the one before it is. While many
/// wait, nothing more is read from the client. A panic ends the connection.
#[async_trait]
pub trait Namespace: Send + Sync + 'static {
    /// Decides whether a client may come in, by what its CONNECT packet says. Runs on every CONNECT, on recoveries too.
    ///
    /// # Errors
    ///
    /// What the client is told in CONNECT_ERROR.
    async fn admit(&self, request: &ConnectRequest) -> Result<Admission, Refused>;

    /// A client is in: it is in its rooms and has its CONNECT answer.
    ///
    /// What takes rights away should first write that down and then put out the sockets of a room. Who read the old
    /// rights in [`Namespace::admit`] and joined the room after that is found here, by reading them again.
    async fn connected(&self, socket: &Socket) {
        let _ = socket;
    }

    /// An event came.
    async fn event(&self, socket: &Socket, event: Event) {
        let _ = (socket, event);
    }

    /// A client is out. Its rooms have forgotten it already.
    async fn disconnected(&self, socket: &Socket, reason: Reason) {
        let _ = (socket, reason);
    }
}

/// A client that asks to come in.
#[derive(Debug, Clone)]
pub struct ConnectRequest {
    pub(crate) auth: Option<ByteString>,
    pub(crate) peer: Option<IpAddr>,
    pub(crate) namespace: Arc<str>,
}

impl ConnectRequest {
    /// The payload of CONNECT, read as such a type; an absent payload is read as `{}`.
    ///
    /// # Errors
    ///
    /// When it is of another shape.
    pub fn auth<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.auth_json())
    }

    /// The payload of CONNECT as it was written: a JSON object.
    pub fn auth_json(&self) -> &str {
        self.auth.as_deref().unwrap_or("{}")
    }

    /// The client's address.
    pub const fn peer(&self) -> Option<IpAddr> {
        self.peer
    }

    /// The namespace that it asks for.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }
}

/// A client that may come in.
#[derive(Clone)]
pub struct Admission {
    pub(crate) identity: Box<str>,
    pub(crate) rooms: Vec<String>,
    pub(crate) data: Option<Arc<dyn Any + Send + Sync>>,
}

impl Admission {
    /// Lets somebody in. A recovery must yield the same identity, so it should name the person and what their rights
    /// rest on, such as the session.
    pub fn new(identity: impl Into<String>) -> Self {
        Self { identity: identity.into().into(), rooms: Vec::new(), data: None }
    }

    /// Into a room, before the client's CONNECT is answered.
    #[must_use]
    pub fn room(mut self, room: impl Into<String>) -> Self {
        self.rooms.push(room.into());
        self
    }

    /// With a value of the application's, which [`Socket::data`] gives back.
    #[must_use]
    pub fn data<T: Any + Send + Sync>(mut self, data: T) -> Self {
        self.data = Some(Arc::new(data));
        self
    }
}

/// A client that may not come in: what CONNECT_ERROR says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    pub(crate) message: String,
    pub(crate) data: Option<Value>,
}

impl Refused {
    /// With a message for the client.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), data: None }
    }

    /// And details that a program can read.
    #[must_use]
    pub fn data(mut self, data: Value) -> Self {
        self.data = Some(data);
        self
    }
}

/// An event of a client.
#[derive(Debug)]
pub struct Event {
    /// Its name.
    pub name: String,
    /// Its arguments.
    pub args: Args,
    /// By which to answer, if the client wants an answer.
    pub ack: Option<Ack>,
}

/// Answers an event, once.
#[derive(Debug)]
pub struct Ack {
    pub(crate) socket: Socket,
    pub(crate) id: u64,
}

impl Ack {
    /// Sends the answer. If the client is gone, so is the answer.
    pub fn send(self, args: &Args) {
        self.socket.send_ack(self.id, args);
    }
}
