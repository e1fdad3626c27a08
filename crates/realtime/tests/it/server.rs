//! Servers for the tests, on free ports of 127.0.0.1.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpServer, web};
use async_trait::async_trait;
use realtime::engine::{Application, Connection, Engine, Handler, Message};
use realtime::{
    Admission, Args, Builder, Config, ConnectRequest, EngineConfig, Event, Namespace, Origins, Realtime,
    Reason, RecoveryConfig, Refused, Socket,
};
use serde_json::Value;
use tokio::sync::Notify;

use crate::echo;

/// A running server.
pub(crate) struct Server {
    pub(crate) address: String,
    handle: ServerHandle,
}

impl Drop for Server {
    fn drop(&mut self) {
        // Without waiting: the runtime of the test is going down.
        drop(self.handle.stop(false));
    }
}

/// The servers that the protocols' own suites expect: for both ways of writing, one for each address of localhost.
pub(crate) fn echoes() -> Vec<Server> {
    let of_way = |through_server: bool| {
        let options = echo::Options { port: 0, through_server, ..echo::Options::default() };
        let (addresses, server) = echo::serve(&options).unwrap();
        let handle = server.handle();
        drop(actix_web::rt::spawn(server));
        addresses
            .into_iter()
            .map(move |address| Server { address: address.to_string(), handle: handle.clone() })
    };
    [true, false].into_iter().flat_map(of_way).collect()
}

/// Short times, so that tests need not wait.
pub(crate) fn engine_config() -> EngineConfig {
    EngineConfig {
        ping_interval: Duration::from_millis(300),
        ping_timeout: Duration::from_millis(200),
        upgrade_timeout: Duration::from_millis(400),
        origins: Origins::Any,
        ..EngineConfig::default()
    }
}

/// Times in which nothing is pinged or timed out.
pub(crate) fn quiet(config: EngineConfig) -> EngineConfig {
    EngineConfig { ping_interval: Duration::from_secs(60), ..config }
}

pub(crate) fn config() -> Config {
    Config {
        engine: EngineConfig { path: "/socket.io".to_owned(), ..quiet(engine_config()) },
        connect_timeout: Duration::from_secs(1),
        ..Config::default()
    }
}

pub(crate) fn with_recovery() -> Config {
    Config { recovery: Some(RecoveryConfig::default()), ..config() }
}

/// Says back every message, and counts what ended why.
#[derive(Clone, Default)]
pub(crate) struct Echo {
    pub(crate) ended: Arc<Mutex<Vec<Reason>>>,
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

    fn closed(&self, _connection: &Arc<Connection>, reason: Reason) {
        self.ended.lock().unwrap().push(reason);
    }
}

pub(crate) async fn start_engine(config: EngineConfig) -> (Server, Echo, Engine) {
    let echo = Echo::default();
    let engine = Engine::new(config, Arc::new(echo.clone()));
    let mounted = engine.clone();
    (run(Way::Straight, move |app| mounted.configure(app)), echo, engine)
}

/// How WebSockets are written to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Way {
    /// By the HTTP server, which is what those get who do nothing for it.
    Through,
    Straight,
}

fn run(way: Way, configure: impl Fn(&mut web::ServiceConfig) + Send + Clone + 'static) -> Server {
    let server = HttpServer::new(move || App::new().configure(configure.clone()));
    let server = match way {
        Way::Through => server,
        Way::Straight => server.on_connect(realtime::on_connect),
    };
    let server = server.workers(2).disable_signals().bind(("127.0.0.1", 0)).unwrap();
    let address = server.addrs()[0].to_string();
    let server = server.run();
    let handle = server.handle();
    drop(actix_web::rt::spawn(server));
    Server { address, handle }
}

/// A namespace for everything that the tests try.
#[derive(Clone, Default)]
pub(crate) struct Lab {
    pub(crate) gone: Arc<Mutex<Vec<Reason>>>,
    pub(crate) admitted: Arc<Mutex<usize>>,
    /// Names that are not let in.
    pub(crate) banned: Arc<Mutex<Vec<String>>>,
    /// Lets in who asked slowly.
    pub(crate) slow: Arc<Notify>,
}

#[async_trait]
impl Namespace for Lab {
    async fn admit(&self, request: &ConnectRequest) -> Result<Admission, Refused> {
        *self.admitted.lock().unwrap() += 1;
        let auth: Value = request.auth().unwrap();
        let name = auth["name"].as_str().unwrap_or("nobody").to_owned();
        if auth["slow"] == true {
            self.slow.notified().await;
        }
        if self.banned.lock().unwrap().contains(&name) {
            return Err(Refused::new("banned").data(auth));
        }
        let mut admission = Admission::new(name.clone()).room(format!("user:{name}"));
        if let Some(role) = auth["role"].as_str() {
            admission = admission.room(format!("role:{role}"));
        }
        Ok(admission.data(auth))
    }

    async fn connected(&self, socket: &Socket) {
        if let Some(greet) = socket.data::<Value>().and_then(|auth| auth.get("greet")) {
            socket.emit("greeting", &Args::one(greet).unwrap()).unwrap();
        }
    }

    async fn event(&self, socket: &Socket, event: Event) {
        let room = || event.args.get::<String>(0).unwrap_or_default();
        match event.name.as_str() {
            "message" => socket.emit("message-back", &event.args).unwrap(),
            "join" => socket.join(&room()).unwrap(),
            "leave" => socket.leave(&room()),
            "leave-all" => socket.leave_all(),
            "slow" => tokio::time::sleep(Duration::from_millis(200)).await,
            "panic" => panic!("as the test asked"),
            "out" => socket.disconnect(false),
            "close" => socket.disconnect(true),
            "ask" => {
                let answer = socket.emit_with_ack("question", &event.args, Duration::from_millis(300)).await;
                let told = answer.unwrap_or_else(|error| Args::one(&error.to_string()).unwrap());
                socket.emit("answered", &told).unwrap();
            }
            _ => {}
        }
        if let Some(ack) = event.ack {
            ack.send(&event.args);
        }
    }

    async fn disconnected(&self, _socket: &Socket, reason: Reason) {
        self.gone.lock().unwrap().push(reason);
    }
}

pub(crate) async fn start(config: Config) -> (Server, Realtime, Lab) {
    start_with(Realtime::builder().config(config)).await
}

pub(crate) async fn start_with(builder: Builder) -> (Server, Realtime, Lab) {
    start_in(Way::Straight, builder).await
}

pub(crate) async fn start_in(way: Way, builder: Builder) -> (Server, Realtime, Lab) {
    let lab = Lab::default();
    let realtime = builder.namespace("/", lab.clone()).namespace("/custom", lab.clone()).build().unwrap();
    let mounted = realtime.clone();
    (run(way, move |app| mounted.configure(app)), realtime, lab)
}

/// Waits until something is so, for two seconds at most.
pub(crate) async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..400 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("not in time: {what}");
}
