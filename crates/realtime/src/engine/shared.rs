//! What all connections of an engine share.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::by_id::ById;
use crate::config::EngineConfig;
use crate::engine::Application;
use crate::engine::connection::Connection;
use crate::engine::shard::Shard;
use crate::id::Id;
use crate::meters::Meters;

/// Settings, the application, and the table of connections.
pub(crate) struct Shared {
    pub(crate) config: EngineConfig,
    pub(crate) meters: Arc<Meters>,
    application: Arc<dyn Application>,
    connections: Mutex<ById<Arc<Connection>>>,
    shards: Mutex<usize>,
    is_closing: AtomicBool,
}

impl Shared {
    pub(crate) fn new(config: EngineConfig, application: Arc<dyn Application>, meters: Arc<Meters>) -> Self {
        Self {
            config,
            meters,
            application,
            connections: Mutex::default(),
            shards: Mutex::default(),
            is_closing: AtomicBool::new(false),
        }
    }

    pub(crate) fn application(&self) -> &dyn Application {
        &*self.application
    }

    fn table(&self) -> MutexGuard<'_, ById<Arc<Connection>>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn find(&self, id: Id) -> Option<Arc<Connection>> {
        self.table().get(id).cloned()
    }

    /// Whether there was room for it. Checked and taken under one lock.
    pub(crate) fn insert(&self, connection: &Arc<Connection>) -> bool {
        let mut table = self.table();
        if self.is_closing.load(Ordering::Acquire) || table.len() >= self.config.max_connections {
            return false;
        }
        table.insert(Arc::clone(connection));
        true
    }

    pub(crate) fn remove(&self, id: Id) {
        self.table().remove(id);
    }

    pub(crate) fn count(&self) -> usize {
        self.table().len()
    }

    /// From now on nobody is let in; gives those who are.
    pub(crate) fn begin_closing(&self) -> Vec<Arc<Connection>> {
        let table = self.table();
        self.is_closing.store(true, Ordering::Release);
        table.iter().cloned().collect()
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
