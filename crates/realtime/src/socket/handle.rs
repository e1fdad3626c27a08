//! What an application holds: the server to mount, and a handle to send from anywhere.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Weak};
use std::time::Duration;

use actix_web::{HttpRequest, web};
use serde::Serialize;

use crate::backplane::{Backplane, InProcess, What};
use crate::config::Config;
use crate::engine::Engine;
use crate::id::Id;
use crate::meters::Meters;
use crate::socket::args::{Args, ArgsError};
use crate::socket::broadcast::Audience;
use crate::socket::core::{Core, SocketIo, Space};
use crate::socket::namespace::Namespace;
use crate::socket::socket::Socket;

/// A Socket.IO server for actix applications. Clones are the same one.
#[derive(Clone)]
pub struct Realtime {
    engine: Engine,
    core: Arc<Core>,
}

/// A server in the making.
#[must_use]
pub struct Builder {
    config: Config,
    spaces: Vec<(String, Arc<dyn Namespace>)>,
    backplane: Arc<dyn Backplane>,
    peer: Option<PeerOf>,
}

type PeerOf = Box<dyn Fn(&HttpRequest) -> Option<IpAddr> + Send + Sync>;

/// A server that cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// A namespace's name must begin with `/` and hold neither a comma nor a question mark.
    #[error("{0:?} is no name for a namespace")]
    Name(String),
    /// A namespace was given twice.
    #[error("the namespace {0:?} is there twice")]
    Twice(String),
}

impl Realtime {
    /// Begins to build one.
    pub fn builder() -> Builder {
        Builder { config: Config::default(), spaces: Vec::new(), backplane: Arc::new(InProcess), peer: None }
    }

    /// Mounts it into an actix application, in each worker thread.
    pub fn configure(&self, app: &mut web::ServiceConfig) {
        self.engine.configure(app);
    }

    /// Whether a request with this query belongs to a connection that is open here, so that it opens none. For whoever
    /// counts the connections that a client opens.
    pub fn knows(&self, query: &str) -> bool {
        self.engine.knows(query)
    }

    /// By which to send, in the main namespace.
    pub fn handle(&self) -> Handle {
        Handle { core: Arc::clone(&self.core), namespace: Arc::from("/") }
    }

    /// How many connections are open in this process.
    pub fn connections(&self) -> usize {
        self.engine.connections()
    }

    /// Ends every connection, spread evenly over a time so that the clients do not all come back at once, and lets
    /// nobody in from now on.
    pub async fn close_all(&self, over: Duration) {
        self.engine.close_all(over).await;
    }
}

impl Builder {
    /// With these settings.
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// At this path; `/socket.io` by default, which clients expect.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.config.engine.path = path.into();
        self
    }

    /// With a namespace. The main one is `/`.
    pub fn namespace(mut self, name: impl Into<String>, namespace: impl Namespace) -> Self {
        self.spaces.push((name.into(), Arc::new(namespace)));
        self
    }

    /// With other processes behind this backplane.
    pub fn backplane(mut self, backplane: impl Backplane) -> Self {
        self.backplane = Arc::new(backplane);
        self
    }

    /// Finds a client's address by the application's own rule: see [`Engine::peer`].
    pub fn peer(mut self, of: impl Fn(&HttpRequest) -> Option<IpAddr> + Send + Sync + 'static) -> Self {
        self.peer = Some(Box::new(of));
        self
    }

    /// The server. Counters are registered here, so a metrics recorder must be installed before; and the backplane
    /// starts here, which for one over a network needs a tokio runtime.
    ///
    /// # Errors
    ///
    /// When a namespace has no right name, or is there twice.
    pub fn build(self) -> Result<Realtime, BuildError> {
        let mut names = BTreeSet::new();
        for (name, _) in &self.spaces {
            if !name.starts_with('/') || name.contains([',', '?']) {
                return Err(BuildError::Name(name.clone()));
            }
            if !names.insert(name) {
                return Err(BuildError::Twice(name.clone()));
            }
        }
        let meters = Arc::new(Meters::new());
        let engine_config = self.config.engine.clone();
        let core = Core::new(self.config, Arc::clone(&meters), self.spaces, self.backplane);
        let core = Arc::new(core);
        let receiver: Weak<Core> = Arc::downgrade(&core);
        core.backplane.start(Box::new(move |message| {
            if let Some(core) = receiver.upgrade() {
                core.receive(message);
            }
        }));
        let mut engine = Engine::with_meters(engine_config, Arc::new(SocketIo(Arc::clone(&core))), meters);
        if let Some(peer) = self.peer {
            engine = engine.peer(peer);
        }
        Ok(Realtime { engine, core })
    }
}

/// Sends to sockets of a namespace, from anywhere. Nothing here waits for a socket: one that reads too slowly is cut.
#[derive(Clone)]
pub struct Handle {
    core: Arc<Core>,
    namespace: Arc<str>,
}

impl Handle {
    /// The same for another namespace; none when there is no such.
    pub fn of(&self, namespace: &str) -> Option<Self> {
        let (namespace, _) = self.core.spaces.get_key_value(namespace)?;
        Some(Self { core: Arc::clone(&self.core), namespace: Arc::clone(namespace) })
    }

    /// Everybody in the namespace, in all processes.
    pub fn everybody(&self) -> Rooms {
        Rooms { handle: self.clone(), audience: Audience::default(), is_volatile: false }
    }

    /// Everybody in a room, in all processes.
    pub fn to(&self, room: impl Into<String>) -> Rooms {
        self.everybody().and(room)
    }

    /// A socket of this process.
    pub fn socket(&self, id: Id) -> Option<Socket> {
        self.space()?.sockets().get(id).cloned()
    }

    fn space(&self) -> Option<&Space> {
        self.core.spaces.get(&self.namespace).map(|space| &**space)
    }
}

/// Some sockets of a namespace: those in any of some rooms, except others.
#[derive(Clone)]
#[must_use]
pub struct Rooms {
    handle: Handle,
    audience: Audience,
    is_volatile: bool,
}

impl Rooms {
    /// And those in this room. Who is in several gets one of each event.
    pub fn and(mut self, room: impl Into<String>) -> Self {
        self.audience.rooms.push(room.into());
        self
    }

    /// But none in this room.
    pub fn except(mut self, room: impl Into<String>) -> Self {
        self.audience.except.push(room.into());
        self
    }

    /// But not this socket.
    pub fn except_socket(self, id: Id) -> Self {
        self.except(id.to_string())
    }

    /// Only to those who have read everything before.
    pub const fn volatile(mut self) -> Self {
        self.is_volatile = true;
        self
    }

    /// Sends an event with one argument.
    ///
    /// # Errors
    ///
    /// When the argument has no JSON form.
    pub fn emit<T: Serialize + ?Sized>(&self, name: &str, argument: &T) -> Result<(), ArgsError> {
        self.emit_args(name, &Args::one(argument)?)
    }

    /// Sends an event.
    ///
    /// # Errors
    ///
    /// When the name has no JSON form.
    pub fn emit_args(&self, name: &str, args: &Args) -> Result<(), ArgsError> {
        match self.handle.space() {
            Some(space) => {
                self.handle.core.emit_everywhere(space, &self.audience, name, args, self.is_volatile)
            }
            None => Ok(()),
        }
    }

    /// Puts them into a room. One that is in too many rooms already stays out.
    pub fn join(&self, room: impl Into<String>) {
        self.act(What::Join { rooms: vec![room.into()] });
    }

    /// Takes them out of a room.
    pub fn leave(&self, room: impl Into<String>) {
        self.act(What::Leave { rooms: vec![room.into()] });
    }

    /// Puts them out of the namespace; with `close`, ends their connections.
    pub fn disconnect(&self, close: bool) {
        self.act(What::Disconnect { close });
    }

    fn act(&self, what: What) {
        if let Some(space) = self.handle.space() {
            self.handle.core.act_everywhere(space, &self.audience, what);
        }
    }

    /// Those of this process.
    pub fn sockets(&self) -> Vec<Socket> {
        self.handle.space().map(|space| self.handle.core.sockets(space, &self.audience)).unwrap_or_default()
    }
}

impl fmt::Debug for Realtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Realtime").field("connections", &self.connections()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("namespace", &self.namespace).finish_non_exhaustive()
    }
}
