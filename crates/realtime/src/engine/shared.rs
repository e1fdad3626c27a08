//! What all connections of an engine share.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::by_id::ById;
use crate::config::EngineConfig;
use crate::engine::Application;
use crate::engine::connection::Connection;
use crate::engine::refusal::Refusal;
use crate::engine::shard::Shard;
use crate::id::Id;
use crate::meters::Meters;

/// Settings, the application, and the table of connections.
pub(crate) struct Shared {
    pub(crate) config: EngineConfig,
    pub(crate) meters: Arc<Meters>,
    application: Arc<dyn Application>,
    table: Mutex<Table>,
    shards: Mutex<usize>,
    is_closing: AtomicBool,
}

/// The connections of an engine.
#[derive(Default)]
struct Table {
    open: ById<Arc<Connection>>,
    /// Polling connections that have ended, until their client has heard so.
    parting: ById<Arc<Connection>>,
    /// How many are open, by the client's address.
    by_peer: HashMap<IpAddr, usize>,
}

impl Shared {
    pub(crate) fn new(config: EngineConfig, application: Arc<dyn Application>, meters: Arc<Meters>) -> Self {
        Self {
            config,
            meters,
            application,
            table: Mutex::default(),
            shards: Mutex::default(),
            is_closing: AtomicBool::new(false),
        }
    }

    pub(crate) fn application(&self) -> &dyn Application {
        &*self.application
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One that is open.
    pub(crate) fn find(&self, id: Id) -> Option<Arc<Connection>> {
        self.table().open.get(id).cloned()
    }

    /// One that is open, or whose client has still to hear that it ended.
    pub(crate) fn find_to_read(&self, id: Id) -> Option<Arc<Connection>> {
        let table = self.table();
        table.open.get(id).or_else(|| table.parting.get(id)).cloned()
    }

    pub(crate) fn is_parting(&self, id: Id) -> bool {
        self.table().parting.get(id).is_some()
    }

    /// Takes it in, if there is room for it. Checked and taken under one lock.
    pub(crate) fn insert(&self, connection: &Arc<Connection>) -> Result<(), Refusal> {
        let peer = connection.peer();
        let mut table = self.table();
        if self.is_closing.load(Ordering::Acquire) || table.open.len() >= self.config.max_connections {
            return Err(Refusal::Full);
        }
        if let Some(peer) = peer {
            let of_peer = table.by_peer.get(&peer).copied().unwrap_or(0);
            if of_peer >= self.config.max_connections_per_peer {
                return Err(Refusal::FullForPeer);
            }
            table.by_peer.insert(peer, of_peer + 1);
        }
        table.open.insert(Arc::clone(connection));
        Ok(())
    }

    /// It has ended; it is kept for its client's next GET if there is something to hear.
    pub(crate) fn remove(&self, connection: &Arc<Connection>, is_to_be_heard: bool) {
        let peer = connection.peer();
        let mut table = self.table();
        if table.open.get(connection.id()).is_none() {
            return;
        }
        table.open.remove(connection.id());
        if let Some(peer) = peer
            && let Some(of_peer) = table.by_peer.get_mut(&peer)
        {
            *of_peer -= 1;
            if *of_peer == 0 {
                table.by_peer.remove(&peer);
            }
        }
        if is_to_be_heard {
            table.parting.insert(Arc::clone(connection));
        }
    }

    /// Its client has heard that it ended, or did not ask in time.
    pub(crate) fn forget(&self, id: Id) {
        self.table().parting.remove(id);
    }

    pub(crate) fn count(&self) -> usize {
        self.table().open.len()
    }

    /// From now on nobody is let in; gives those who are.
    pub(crate) fn begin_closing(&self) -> Vec<Arc<Connection>> {
        let table = self.table();
        self.is_closing.store(true, Ordering::Release);
        table.open.iter().cloned().collect()
    }

    /// A shard for the calling thread, and the task that runs it.
    pub(crate) fn start_shard(self: &Arc<Self>) -> Arc<Shard> {
        let shard = {
            let mut shards = self.shards.lock().unwrap_or_else(PoisonError::into_inner);
            let shard = Shard::new(*shards);
            self.application.shard_started(&shard);
            *shards += 1;
            shard
        };
        actix_web::rt::spawn(Arc::clone(&shard).run(Arc::downgrade(self)));
        shard
    }
}
