//! What it says, and where.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::{App, HttpServer};
use async_trait::async_trait;
use realtime::engine::{Application, Connection, Engine, Handler, Message};
use realtime::{
    Admission, Args, Config, ConnectRequest, EngineConfig, Event, Handle, Namespace, Origins, Realtime,
    Reason, RecoveryConfig, Refused, Socket,
};
use serde_json::Value;
use serde_json::value::RawValue;

/// How it is to be served.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// The port, on both addresses of localhost; a free one of each for 0.
    pub(crate) port: u16,
    /// Between two pings.
    pub(crate) ping_interval: Duration,
    /// From a ping to the end.
    pub(crate) ping_timeout: Duration,
    /// Keeps what a client missed, which adds an argument to every event.
    pub(crate) recovery: bool,
    /// Writes to WebSockets through the HTTP server.
    pub(crate) through_server: bool,
}

impl Default for Options {
    fn default() -> Self {
        let (ping_interval, ping_timeout) = (Duration::from_millis(300), Duration::from_millis(200));
        Self { port: 3_000, ping_interval, ping_timeout, recovery: false, through_server: false }
    }
}

#[derive(Clone, Default)]
struct Echo {
    handle: Arc<OnceLock<Handle>>,
}

impl Application for Echo {
    fn open(&self, _connection: &Arc<Connection>) -> Arc<dyn Handler> {
        Arc::new(self.clone())
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

/// Begins to serve; gives the addresses too.
///
/// # Errors
///
/// When the port is taken.
pub(crate) fn serve(options: &Options) -> anyhow::Result<(Vec<SocketAddr>, Server)> {
    let engine_config = EngineConfig {
        ping_interval: options.ping_interval,
        ping_timeout: options.ping_timeout,
        origins: Origins::Any,
        ..EngineConfig::default()
    };
    let config = Config {
        engine: EngineConfig { path: "/socket.io".to_owned(), ..engine_config.clone() },
        connect_timeout: Duration::from_secs(1),
        recovery: options.recovery.then(RecoveryConfig::default),
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
    let server = if options.through_server { server } else { server.on_connect(realtime::on_connect) };
    let server = server.workers(2).bind(("127.0.0.1", options.port))?.bind(("::1", options.port))?;
    Ok((server.addrs(), server.run()))
}
