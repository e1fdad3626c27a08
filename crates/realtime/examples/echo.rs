//! The server that the official test suites of both protocols expect, on localhost:3000.
//!
//! Engine.IO at `/engine.io/` says back every message. Socket.IO at `/socket.io/` has the namespaces `/` and `/custom`,
//! which emit `auth` with the payload of CONNECT, answer `message` by `message-back`, and acknowledge
//! `message-with-ack`, with the same arguments. For `tests/interop` there are also `ask-me`, `tell`, `cut` and `leave`.

#[path = "echo/server.rs"]
mod server;

use std::time::Duration;

use clap::Parser;

use server::Options;

/// Says back what it hears.
#[derive(Parser)]
struct Cli {
    /// The port, on both addresses of localhost.
    #[arg(long, default_value_t = 3000)]
    port: u16,
    /// Between two pings, in milliseconds.
    #[arg(long, default_value_t = 300)]
    ping_interval: u64,
    /// From a ping to the end, in milliseconds.
    #[arg(long, default_value_t = 200)]
    ping_timeout: u64,
    /// Keeps what a client missed, which adds an argument to every event.
    #[arg(long)]
    recovery: bool,
    /// Writes to WebSockets through the HTTP server.
    #[arg(long)]
    through_server: bool,
}

#[actix_web::main]
async fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    let (_, server) = server::serve(&Options {
        port: cli.port,
        ping_interval: Duration::from_millis(cli.ping_interval),
        ping_timeout: Duration::from_millis(cli.ping_timeout),
        recovery: cli.recovery,
        through_server: cli.through_server,
    })?;
    server.await?;
    Ok(())
}
