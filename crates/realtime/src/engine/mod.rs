//! Engine.IO protocol v4 for actix-web: connections over HTTP long-polling and WebSocket, with an upgrade from the one
//! to the other.
//!
//! This layer can be used alone. [`crate::Realtime`] is its application that speaks Socket.IO.
//!
//! ```
//! use std::sync::Arc;
//!
//! use actix_web::{App, HttpServer};
//! use realtime::engine::{Application, Connection, Engine, Handler, Message};
//! use realtime::{EngineConfig, Reason};
//!
//! /// Says back what it hears.
//! struct Echo;
//!
//! impl Application for Echo {
//!     fn open(&self, _connection: &Arc<Connection>) -> Arc<dyn Handler> {
//!         Arc::new(Echo)
//!     }
//! }
//!
//! impl Handler for Echo {
//!     fn message(&self, connection: &Arc<Connection>, message: Message) -> Result<(), Reason> {
//!         connection.send(&message);
//!         Ok(())
//!     }
//! }
//!
//! let engine = Engine::new(EngineConfig::default(), Arc::new(Echo));
//! let server = HttpServer::new(move || App::new().configure(|app| engine.configure(app)));
//! # drop(server);
//! ```

mod connection;
mod fragments;
mod handshake;
mod line;
mod origin;
pub(crate) mod packets;
mod polling;
mod query;
mod queue;
mod refusal;
mod request;
mod shard;
mod shared;
mod shown;
mod state;
mod straight;
mod through;
mod turn;
mod websocket;

use std::cell::OnceCell;
use std::fmt;
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::{HttpRequest, web};
use bytes::Bytes;
use bytestring::ByteString;

use crate::config::EngineConfig;
pub use crate::engine::connection::Connection;
pub use crate::engine::line::on_connect;
use crate::engine::query::Query;
use crate::engine::request::Local;
pub use crate::engine::shard::Shard;
use crate::engine::shared::Shared;
pub(crate) use crate::engine::state::Pushed;
use crate::meters::Meters;
use crate::reason::Reason;

/// A message of either kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// Text.
    Text(ByteString),
    /// Bytes.
    Binary(Bytes),
}

/// What runs on top of the connections.
pub trait Application: Send + Sync + 'static {
    /// What answers a new connection.
    fn open(&self, connection: &Arc<Connection>) -> Arc<dyn Handler>;

    /// A thread takes its first connection. Called once for each, in the order of their numbers.
    fn shard_started(&self, shard: &Arc<Shard>) {
        drop(Arc::clone(shard));
    }

    /// Called on a shard's thread after [`Shard::ring`]; true when it pays to gather a moment before the next call.
    fn flush(&self, shard: &Shard) -> bool {
        let _ = shard;
        false
    }
}

/// What answers one connection. Its methods run on a worker thread and must not block.
pub trait Handler: Send + Sync {
    /// How soon after it opened [`Handler::has_settled`] must be true; always the same.
    fn settle_within(&self) -> Option<Duration> {
        None
    }

    /// Whether the client has done what a new connection is for. If not in time, the connection is ended.
    fn has_settled(&self) -> bool {
        true
    }

    /// The connection is open.
    fn opened(&self, connection: &Arc<Connection>) {
        let _ = connection;
    }

    /// A message came.
    ///
    /// # Errors
    ///
    /// The reason for which the connection is to be ended.
    fn message(&self, connection: &Arc<Connection>, message: Message) -> Result<(), Reason>;

    /// Whether more can be taken now. As long as not, nothing is read from the client.
    fn poll_ready(&self, context: &mut Context<'_>) -> Poll<()> {
        let _ = context;
        Poll::Ready(())
    }

    /// The connection has ended. Called once.
    fn closed(&self, connection: &Arc<Connection>, reason: Reason) {
        let _ = (connection, reason);
    }
}

/// How a client's address is found.
pub(crate) type PeerOf = Arc<dyn Fn(&HttpRequest) -> Option<IpAddr> + Send + Sync>;

/// The server of Engine.IO connections. Clones are the same one.
#[derive(Clone)]
pub struct Engine {
    shared: Arc<Shared>,
    peer_of: PeerOf,
}

impl Engine {
    /// An engine for an application.
    pub fn new(config: EngineConfig, application: Arc<dyn Application>) -> Self {
        Self::with_meters(config, application, Arc::new(Meters::new()))
    }

    pub(crate) fn with_meters(
        config: EngineConfig,
        application: Arc<dyn Application>,
        meters: Arc<Meters>,
    ) -> Self {
        let shared = Arc::new(Shared::new(config, application, meters));
        Self { shared, peer_of: Arc::new(|request| request.peer_addr().map(|address| address.ip())) }
    }

    /// Finds a client's address by the application's own rule; by default it is the other end of the connection, which
    /// behind a proxy is the proxy.
    #[must_use]
    pub fn peer(mut self, of: impl Fn(&HttpRequest) -> Option<IpAddr> + Send + Sync + 'static) -> Self {
        self.peer_of = Arc::new(of);
        self
    }

    /// Mounts it into an actix application, in each worker thread.
    pub fn configure(&self, app: &mut web::ServiceConfig) {
        let path = self.shared.config.path.trim_end_matches('/').to_owned();
        let local = Local {
            shared: Arc::clone(&self.shared),
            peer_of: Arc::clone(&self.peer_of),
            shard: Rc::new(OnceCell::new()),
        };
        let handle = move |request: HttpRequest, payload: web::Payload| {
            let local = local.clone();
            async move { request::handle(&local, &request, payload).await }
        };
        app.service(web::resource([format!("{path}/"), path]).route(web::route().to(handle)));
    }

    /// Whether a request with this query belongs to a connection that is open here: it is read as the engine itself reads
    /// it. Any other request opens a connection, or is refused.
    pub fn knows(&self, query: &str) -> bool {
        let sid = Query::parse(query, &self.shared.config).ok().and_then(|query| query.sid.flatten());
        sid.is_some_and(|sid| self.shared.find(sid).is_some())
    }

    /// How many connections are open.
    pub fn connections(&self) -> usize {
        self.shared.count()
    }

    /// Ends every connection, spread evenly over a time, and lets nobody in from now on. WebSockets get close code 1001.
    pub async fn close_all(&self, over: Duration) {
        let all = self.shared.begin_closing();
        let count = u32::try_from(all.len()).unwrap_or(u32::MAX).max(1);
        let step = over / count;
        let ends = (0..)
            .zip(all)
            .map(|(number, connection)| connection.end_after(step.saturating_mul(number), Reason::Shutdown));
        futures_util::future::join_all(ends).await;
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("config", &self.shared.config).finish_non_exhaustive()
    }
}
