//! The server that `make bench` measures: everybody is in one room, and `go` sends the room a hundred bytes.

use actix_web::{App, HttpServer};
use async_trait::async_trait;
use clap::Parser;
use mimalloc::MiMalloc;
use realtime::{
    Admission, Args, Config, ConnectRequest, EngineConfig, Event, Handle, Namespace, Origins, Realtime,
    Refused, Socket,
};
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use tokio::net::TcpSocket;

/// The gateway's allocator.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// As actix-web's.
const BACKLOG: u32 = 1024;

/// Broadcasts on demand.
#[derive(Parser)]
struct Cli {
    /// Where to listen.
    #[arg(long)]
    bind: SocketAddr,
    /// Threads that serve connections.
    #[arg(long, default_value_t = 2)]
    workers: usize,
    /// Bytes that may wait for one client.
    #[arg(long, default_value_t = EngineConfig::default().max_queue)]
    max_queue: usize,
    /// Write through the HTTP server.
    #[arg(long)]
    through_server: bool,
    /// Bytes of a connection that the kernel holds before it makes us wait; its own choice unless given. Between two
    /// programs of one machine that is above a megabyte, which no network gives.
    #[arg(long)]
    send_buffer: Option<u32>,
}

/// Where connections are accepted, which have its buffers.
fn listen(cli: &Cli) -> std::io::Result<std::net::TcpListener> {
    let socket = match cli.bind {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    if let Some(size) = cli.send_buffer {
        socket.set_send_buffer_size(size)?;
    }
    socket.bind(cli.bind)?;
    socket.listen(BACKLOG)?.into_std()
}

struct Room {
    handle: Arc<OnceLock<Handle>>,
    tick: Args,
}

#[async_trait]
impl Namespace for Room {
    async fn admit(&self, _request: &ConnectRequest) -> Result<Admission, Refused> {
        Ok(Admission::new("anybody").room("all"))
    }

    async fn event(&self, socket: &Socket, event: Event) {
        if event.name == "go"
            && let Some(handle) = self.handle.get()
            && let Err(error) = handle.to("all").except_socket(socket.id()).emit_args("tick", &self.tick)
        {
            tracing::warn!(%error, "the broadcast cannot be written");
        }
    }
}

#[actix_web::main]
async fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    let config = Config {
        engine: EngineConfig {
            path: "/socket.io".to_owned(),
            origins: Origins::Any,
            max_queue: cli.max_queue,
            ..EngineConfig::default()
        },
        ..Config::default()
    };
    let handle = Arc::new(OnceLock::new());
    // With its frame's head and `42["tick",""]`, a hundred bytes.
    let tick = Args::one(&"x".repeat(86))?;
    let realtime = Realtime::builder()
        .config(config)
        .namespace("/", Room { handle: Arc::clone(&handle), tick })
        .build()?;
    drop(handle.set(realtime.handle()));
    let server = HttpServer::new(move || {
        App::new()
            .configure(|app| realtime.configure(app))
            .route("/ready", actix_web::web::to(|| async { "yes" }))
    });
    let server = if cli.through_server { server } else { server.on_connect(realtime::on_connect) };
    server.workers(cli.workers).listen(listen(&cli)?)?.run().await?;
    Ok(())
}
