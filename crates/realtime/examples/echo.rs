//! The server that the official test suites of both protocols expect, on localhost:3000.
//!
//! Engine.IO at `/engine.io/` says back every message. Socket.IO at `/socket.io/` has the namespaces `/` and `/custom`,
//! which emit `auth` with the payload of CONNECT, answer `message` by `message-back`, and acknowledge
//! `message-with-ack`, with the same arguments. For `tests/interop` there are also `ask-me`, `tell`, `cut` and `leave`.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use actix_web::{App, HttpServer};
use async_trait::async_trait;
use clap::Parser;
use realtime::engine::{Application, Connection, Engine, Handler, Message};
use realtime::{
    Admission, Args, Config, ConnectRequest, EngineConfig, Event, Handle, Namespace, Origins, Realtime,
    Reason, RecoveryConfig, Refused, Socket,
};
use serde_json::Value;
use serde_json::value::RawValue;

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
}

#[derive(Clone, Default)]
struct Echo {
    handle: Arc<OnceLock<Handle>>,
}

impl Application for Echo {
    fn open(&self, _connection: &Arc<Connection>) -> Box<dyn Handler> {
        Box::new(self.clone())
    }
}

impl Handler for Echo {
    fn message(&self, connection: &Arc<Connection>, message: Message) -> Result<(), Reason> {
        connection.send(&message);
        Ok(())
    }
}

#[async_trait]
impl Namespace for Echo {
    async fn admit(&self, request: &ConnectRequest) -> Result<Admission, Refused> {
        let auth: Value = request.auth().map_err(|_error| Refused::new("the payload cannot be read"))?;
        if auth.get("refuse").is_some() {
            return Err(Refused::new("refused").data(auth));
        }
        // As it was written, in the order of its fields.
        let auth = RawValue::from_string(request.auth_json().to_owned());
        let auth = auth.map_err(|_error| Refused::new("the payload cannot be read"))?;
        Ok(Admission::new("anybody").room("all").data(auth))
    }

    async fn connected(&self, socket: &Socket) {
        if let Some(auth) = socket.data::<Box<RawValue>>() {
            tell(Args::one(auth).and_then(|args| socket.emit("auth", &args)));
        }
    }

    async fn event(&self, socket: &Socket, event: Event) {
        match (event.name.as_str(), event.ack) {
            ("message", _) => tell(socket.emit("message-back", &event.args)),
            ("message-with-ack", Some(ack)) => ack.send(&event.args),
            // Asks back, and says what the client answered.
            ("ask-me", Some(ack)) => {
                let answer = socket.emit_with_ack("question", &event.args, Duration::from_secs(2)).await;
                ack.send(&answer.unwrap_or_default());
            }
            ("cut", _) => socket.connection().end(Reason::TransportError),
            ("tell", _) => {
                if let Some(handle) = self.handle.get() {
                    tell(handle.to("all").emit_args("told", &event.args));
                }
            }
            ("leave", _) => socket.disconnect(false),
            _ => {}
        }
    }
}

fn tell<E: std::fmt::Display>(result: Result<(), E>) {
    if let Err(error) = result {
        tracing::warn!(%error, "an event cannot be written");
    }
}

#[actix_web::main]
async fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    let engine_config = EngineConfig {
        ping_interval: Duration::from_millis(cli.ping_interval),
        ping_timeout: Duration::from_millis(cli.ping_timeout),
        origins: Origins::Any,
        ..EngineConfig::default()
    };
    let config = Config {
        engine: EngineConfig { path: "/socket.io".to_owned(), ..engine_config.clone() },
        connect_timeout: Duration::from_secs(1),
        recovery: cli.recovery.then(RecoveryConfig::default),
        ..Config::default()
    };
    let engine = Engine::new(engine_config, Arc::new(Echo::default()));
    let echo = Echo::default();
    let realtime = Realtime::builder()
        .config(config)
        .namespace("/", echo.clone())
        .namespace("/custom", echo.clone())
        .build()?;
    drop(echo.handle.set(realtime.handle()));
    let server = HttpServer::new(move || {
        App::new().configure(|app| engine.configure(app)).configure(|app| realtime.configure(app))
    });
    server.workers(2).bind(("127.0.0.1", cli.port))?.bind(("::1", cli.port))?.run().await?;
    Ok(())
}
