//! Socket.IO for actix-web: a server that official clients connect to with their default options.
//!
//! It speaks [Engine.IO protocol v4](https://github.com/socketio/engine.io-protocol) (HTTP long-polling, WebSocket, the
//! upgrade from one to the other) and [Socket.IO protocol v5](https://github.com/socketio/socket.io-protocol)
//! (namespaces, events, acknowledgements both ways, binary, rooms, connection state recovery). It knows nothing of the
//! application that it carries.
//!
//! ```
//! use actix_web::{App, HttpServer};
//! use realtime::{Admission, Args, ConnectRequest, Event, Namespace, Realtime, Refused, Socket};
//!
//! #[derive(serde::Deserialize)]
//! struct Auth {
//!     name: String,
//! }
//!
//! struct Chat;
//!
//! #[async_trait::async_trait]
//! impl Namespace for Chat {
//!     async fn admit(&self, request: &ConnectRequest) -> Result<Admission, Refused> {
//!         let auth: Auth = request.auth().map_err(|_error| Refused::new("say your name in auth.name"))?;
//!         Ok(Admission::new(&auth.name).room("everyone"))
//!     }
//!
//!     async fn event(&self, socket: &Socket, event: Event) {
//!         if event.name == "join" && let Ok(room) = event.args.get::<String>(0) {
//!             let joined = socket.join(&room).is_ok();
//!             if let (Some(ack), Ok(args)) = (event.ack, Args::one(&joined)) {
//!                 ack.send(&args);
//!             }
//!         }
//!     }
//! }
//!
//! let realtime = Realtime::builder().namespace("/", Chat).build()?;
//! // From anywhere, at any time: this waits for nobody.
//! let handle = realtime.handle();
//! handle.to("everyone").emit("hello", "world")?;
//!
//! let server = HttpServer::new(move || App::new().configure(|app| realtime.configure(app)));
//! # drop(server);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Invariants:
//! - No emit waits for a socket. What waits for a socket is bounded by bytes; one that reads too slowly is cut.
//! - Nothing overtakes: an emit reaches who was in the room when it was made, in the order in which emits were made.
//! - A recovery is whole or none, and runs the same admission as any other CONNECT.
//! - A page of a site that is not listed is refused on both transports, and a token in a URL always.
//! - A client can make neither a panic nor memory without bound.
//! - A socket that is idle has no task, no timer and no buffer of its own beside what actix keeps for a connection.

pub mod backplane;
mod by_id;
mod config;
pub mod engine;
mod id;
mod meters;
mod reason;
mod socket;

pub use config::{Config, EngineConfig, Origins, RecoveryConfig};
pub use engine::on_connect;
pub use id::Id;
pub use reason::Reason;
pub use socket::{
    Ack, AckError, Admission, Args, ArgsError, BuildError, Builder, ConnectRequest, Event, Handle, Namespace,
    Realtime, Refused, Rooms, Socket, TooManyRooms,
};
