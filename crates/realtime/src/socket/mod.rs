//! Socket.IO protocol v5 on top of [`crate::engine`]: namespaces, events, acknowledgements, rooms, recovery.

mod admission;
mod args;
pub(crate) mod broadcast;
mod client;
pub(crate) mod core;
mod handle;
mod hub;
mod inbox;
mod log;
mod members;
mod namespace;
#[cfg(test)]
mod oracle;
mod packet;
#[expect(clippy::module_inception, reason = "a socket is the thing, Socket.IO the protocol")]
mod socket;

pub use args::{Args, ArgsError};
pub use handle::{BuildError, Builder, Handle, Realtime, Rooms};
pub use namespace::{Ack, Admission, ConnectRequest, Event, Namespace, Refused};
pub use socket::{AckError, Socket, TooManyRooms};
