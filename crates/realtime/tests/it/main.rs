//! Both protocols on the wire, against a real server: what is answered, what is refused, what is bounded.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test stops at the first surprise"
)]

mod backplane;
mod client;
#[path = "../../examples/echo/server.rs"]
mod echo;
mod engine_polling;
mod engine_requests;
mod engine_upgrade;
mod engine_websocket;
mod fuzz;
mod line;
mod origins;
mod recovery;
mod redis_server;
mod rooms;
mod server;
mod slow_reader;
mod socket_connect;
mod socket_events;
mod suite_engine_io;
mod suite_socket_io;
