//! What all connections of a [`crate::Realtime`] share: its namespaces, the hubs of its threads, the way out.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Instant;

use crate::backplane::{Backplane, Envelope, What};
use crate::by_id::ById;
use crate::config::Config;
use crate::engine::{Application, Connection, Handler, Shard};
use crate::meters::Meters;
use crate::socket::args::{Args, ArgsError};
use crate::socket::broadcast::{Audience, Broadcast, Target};
use crate::socket::client::Client;
use crate::socket::hub::Hub;
use crate::socket::log::{Addressee, Log};
use crate::socket::namespace::Namespace;
use crate::socket::packet;
use crate::socket::socket::Socket;

pub(crate) struct Core {
    pub(crate) config: Config,
    pub(crate) meters: Arc<Meters>,
    pub(crate) spaces: HashMap<Arc<str>, Arc<Space>>,
    /// By the number of their shard.
    hubs: RwLock<Vec<Arc<Hub>>>,
    pub(crate) backplane: Arc<dyn Backplane>,
}

/// A namespace and who is in it.
pub(crate) struct Space {
    pub(crate) number: usize,
    pub(crate) name: Arc<str>,
    /// Its name as packets have it.
    pub(crate) prefix: String,
    pub(crate) handler: Arc<dyn Namespace>,
    sockets: Mutex<ById<Socket>>,
    log: Option<Mutex<Log>>,
}

impl Space {
    pub(crate) fn new(number: usize, name: &str, handler: Arc<dyn Namespace>, config: &Config) -> Self {
        Self {
            number,
            name: Arc::from(name),
            prefix: packet::prefix(name),
            handler,
            sockets: Mutex::default(),
            log: config.recovery.clone().map(|recovery| Mutex::new(Log::new(recovery))),
        }
    }

    pub(crate) fn sockets(&self) -> MutexGuard<'_, ById<Socket>> {
        self.sockets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What may be recovered, if anything is kept. Locked before a hub, never after one.
    pub(crate) fn log(&self) -> Option<MutexGuard<'_, Log>> {
        Some(self.log.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Core {
    pub(crate) fn new(
        config: Config,
        meters: Arc<Meters>,
        spaces: Vec<(String, Arc<dyn Namespace>)>,
        backplane: Arc<dyn Backplane>,
    ) -> Self {
        let spaces = spaces
            .into_iter()
            .enumerate()
            .map(|(number, (name, handler))| Space::new(number, &name, handler, &config))
            .map(|space| (Arc::clone(&space.name), Arc::new(space)))
            .collect();
        Self { config, meters, spaces, hubs: RwLock::default(), backplane }
    }

    pub(crate) fn hubs(&self) -> Vec<Arc<Hub>> {
        self.hubs.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn hub(&self, shard: &Shard) -> Option<Arc<Hub>> {
        self.hubs.read().unwrap_or_else(PoisonError::into_inner).get(shard.index()).cloned()
    }

    /// Sends an event to sockets of this process.
    pub(crate) fn emit(
        &self,
        space: &Space,
        target: Target,
        name: &str,
        args: &Args,
        is_volatile: bool,
    ) -> Result<(), ArgsError> {
        let write = |offset: Option<&str>| packet::event_packet(&space.prefix, None, name, args, offset);
        // A volatile event is not worth keeping, so it has no offset either.
        let mut log = if is_volatile { None } else { space.log() };
        let packets = match &mut log {
            Some(log) => {
                let packets = write(Some(&log.next_offset()))?;
                let addressee = match &target {
                    Target::Rooms(audience) => Addressee::Audience(audience.clone()),
                    Target::Socket(socket) => Addressee::Socket(socket.id()),
                };
                log.keep(addressee, Arc::clone(&packets), Instant::now());
                packets
            }
            None => write(None)?,
        };
        let target = Arc::new(target);
        let broadcast = Broadcast { space: space.number, target, packets, is_volatile };
        // Posted while the log is locked: the order of offsets is the order of delivery.
        let overflowed = match &*broadcast.target {
            Target::Socket(socket) => socket.hub().post(broadcast.clone()),
            Target::Rooms(_) => self.hubs().iter().map(|hub| hub.post(broadcast.clone())).collect(),
        };
        drop(log);
        overflowed.cut();
        Ok(())
    }

    /// Sends an event to sockets of every process.
    pub(crate) fn emit_everywhere(
        &self,
        space: &Space,
        audience: &Audience,
        name: &str,
        args: &Args,
        is_volatile: bool,
    ) -> Result<(), ArgsError> {
        self.emit(space, Target::Rooms(audience.clone()), name, args, is_volatile)?;
        self.publish(space, audience, || What::emit(name, args, is_volatile), args);
        Ok(())
    }

    fn publish(&self, space: &Space, audience: &Audience, what: impl FnOnce() -> What, args: &Args) {
        if self.backplane.is_shared() {
            let envelope = Envelope::new(&space.name, audience, what());
            if let Some(message) = envelope.encode(args.attachments()) {
                self.backplane.publish(message);
            }
        }
    }

    /// Does something to sockets of every process.
    pub(crate) fn act_everywhere(&self, space: &Space, audience: &Audience, what: What) {
        self.act(space, audience, &what);
        self.publish(space, audience, || what, &Args::none());
    }

    fn act(&self, space: &Space, audience: &Audience, what: &What) {
        let sockets = self.sockets(space, audience);
        for socket in sockets {
            match what {
                What::Emit { .. } => {}
                What::Join { rooms } => {
                    for room in rooms {
                        let joined = socket.join(room);
                        if joined.is_err() {
                            tracing::debug!("a socket in too many rooms stays out of one more");
                        }
                    }
                }
                What::Leave { rooms } => rooms.iter().for_each(|room| socket.leave(room)),
                What::Disconnect { close } => socket.disconnect(*close),
            }
        }
    }

    /// The sockets of an audience in this process.
    pub(crate) fn sockets(&self, space: &Space, audience: &Audience) -> Vec<Socket> {
        let mut found = Vec::new();
        for hub in self.hubs() {
            let each = |socket: &Socket| found.push(socket.clone());
            hub.with_members(|members| members.each(space.number, audience, each)).1.cut();
        }
        found
    }

    /// Takes what another process sent.
    pub(crate) fn receive(&self, message: &[u8]) {
        let Some((envelope, attachments)) = Envelope::decode(message) else {
            tracing::warn!("a message of the backplane cannot be read");
            return;
        };
        let Some(space) = self.spaces.get(envelope.namespace()) else { return };
        let audience = envelope.audience();
        match envelope.what() {
            What::Emit { name, list, is_volatile, .. } => {
                let args = Args::from_list(list.clone(), attachments);
                if let Err(error) = self.emit(space, Target::Rooms(audience), name, &args, *is_volatile) {
                    tracing::warn!(%error, "an event of the backplane cannot be written");
                }
            }
            what => self.act(space, &audience, what),
        }
    }
}

/// Lets the engine talk to the core without owning it twice.
pub(crate) struct SocketIo(pub(crate) Arc<Core>);

impl Application for SocketIo {
    fn open(&self, connection: &Arc<Connection>) -> Arc<dyn Handler> {
        Client::new(Arc::clone(&self.0), connection)
    }

    fn shard_started(&self, shard: &Arc<Shard>) {
        let mut hubs = self.0.hubs.write().unwrap_or_else(PoisonError::into_inner);
        hubs.push(Arc::new(Hub::new(Arc::clone(shard))));
    }

    fn flush(&self, shard: &Shard) -> bool {
        self.0.hub(shard).is_some_and(|hub| hub.flush())
    }
}
