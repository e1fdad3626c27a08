//! Real time: what streams are told goes out to the sockets of this process, and is passed on to other processes.
//!
//! Every process reads what happened from the streams and tells its own sockets; between processes go hints alone. So
//! whatever becomes of the line between them, each socket hears everything in its order, only later.

mod feeds;
mod hints;
mod lobby;
mod lookout;
mod outlet;
mod pace;
mod seats;

use std::sync::Arc;
use std::time::Duration;

use actix_web::{HttpMessage, web};
use marketplace::{Listener, Marketplace};
use realtime::backplane::{Backplane, Redis, RedisConfig, RedisState};
use realtime::{BuildError, Config as SocketConfig, EngineConfig, Origins, Realtime, RecoveryConfig};
use secrecy::ExposeSecret;
use thiserror::Error;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use self::feeds::Feeds;
use self::lobby::Lobby;
use self::lookout::Lookout;
use self::outlet::Sockets;
use self::seats::Seats;
use crate::config::Config;
use crate::http::middleware::{RequestFacts, aggregated};

/// Where clients connect.
pub(crate) const PATH: &str = "/socket.io";

/// How often it is looked for what other processes told, and for sessions that were revoked. A line to them does not make it
/// rarer: theirs may be down while ours is not.
const LOOK: Duration = Duration::from_secs(1);

/// How often it is looked for sessions that ended by time alone.
const LOOKOUT: Duration = Duration::from_secs(15);

/// Why there can be no sockets.
#[derive(Debug, Error)]
pub enum LiveError {
    /// The address of Redis.
    #[error("DGT__REDIS__URL cannot be read: expected redis://host:port or rediss://host:port")]
    Redis,
    /// The sockets.
    #[error(transparent)]
    Sockets(#[from] BuildError),
}

/// The sockets of this process, and the line to other processes. Cheap to clone.
#[derive(Clone)]
pub struct Live {
    sockets: Realtime,
    feeds: Arc<Feeds>,
    lookout: Arc<Lookout>,
    line: Option<Redis>,
}

impl Live {
    /// Sockets for this marketplace, and a line to other processes if one is configured.
    ///
    /// # Errors
    /// When the address of Redis cannot be read.
    pub fn new(config: &Config, market: &Marketplace) -> Result<Self, LiveError> {
        let lookout = Arc::new(Lookout::new(market.clone()));
        let outlet = Arc::new(Sockets::new(Arc::clone(&lookout)));
        let feeds = Arc::new(Feeds::new(market.db.clone(), Arc::<Sockets>::clone(&outlet)));
        let seats = Seats::new(config.realtime.max_connections_per_user);
        let lobby = Lobby { market: market.clone(), feeds: Arc::clone(&feeds), seats };
        let sockets = Realtime::builder()
            .config(socket_config(config))
            .peer(|request| request.extensions().get::<RequestFacts>().map(|facts| aggregated(facts.client)))
            .namespace("/", lobby)
            .build()?;
        outlet.open(sockets.handle());
        let redis = RedisConfig { channel: config.redis.channel.clone(), ..RedisConfig::default() };
        let line = config.redis.url.as_ref().map(|url| Redis::new(url.expose_secret(), redis));
        Ok(Self { sockets, feeds, lookout, line: line.transpose().map_err(|_unreadable| LiveError::Redis)? })
    }

    /// Mounts the sockets into a server thread.
    pub(crate) fn mount(&self, app: &mut web::ServiceConfig) {
        self.sockets.configure(app);
    }

    /// Whether a request with this query belongs to a connection that is open here, so that it opens none.
    pub(crate) fn knows(&self, query: &str) -> bool {
        self.sockets.knows(query)
    }

    /// Hears what streams were told by the relay of this process.
    pub fn listener(&self) -> Listener {
        let live = self.clone();
        Arc::new(move |entries| {
            if let Some(line) = &live.line {
                line.publish(hints::write(&entries));
            }
            live.feeds.hear(entries);
        })
    }

    /// Listens to other processes and looks for what was lost on the way, until told to stop.
    pub async fn run(&self, stop: CancellationToken) {
        let state = self.line.as_ref().map(|line| {
            let feeds = Arc::clone(&self.feeds);
            line.start(Box::new(move |message| feeds.hear(hints::read(message))));
            line.state()
        });
        let for_ended = async {
            while stop.run_until_cancelled(tokio::time::sleep(LOOKOUT)).await.is_some() {
                self.cut_ended_sessions().await;
            }
        };
        let for_revoked = async {
            while stop.run_until_cancelled(tokio::time::sleep(LOOK)).await.is_some() {
                self.cut_revoked_sessions().await;
            }
        };
        tokio::join!(
            self.feeds.run(LOOK, stop.clone()),
            self.heal(state, stop.clone()),
            for_ended,
            for_revoked
        );
    }

    /// Cuts the sockets whose session has ended by time alone, as [`run`](Self::run) does every quarter of a minute.
    pub async fn cut_ended_sessions(&self) {
        if let Err(error) = self.lookout.look(&self.sockets.handle()).await {
            tracing::warn!(%error, "sessions could not be read; sockets of those that ended are cut later");
        }
    }

    /// Cuts the sockets whose session was revoked more than a second ago, as [`run`](Self::run) does every second: their
    /// event may wait behind many others.
    pub async fn cut_revoked_sessions(&self) {
        if let Err(error) = self.lookout.look_for_revoked(&self.sockets.handle()).await {
            tracing::warn!(%error, "revoked sessions could not be read; their sockets are cut later");
        }
    }

    /// After each interruption of the line, looks at once for what was told meanwhile.
    async fn heal(&self, state: Option<watch::Receiver<RedisState>>, stop: CancellationToken) {
        let Some(mut state) = state else { return };
        loop {
            let changed = tokio::select! {
                () = stop.cancelled() => return,
                changed = state.changed() => changed,
            };
            if changed.is_err() {
                return;
            }
            if state.borrow().is_connected
                && let Err(error) = self.feeds.look(true).await
            {
                tracing::warn!(%error, "streams could not be read; sockets hear of it later");
            }
        }
    }

    /// Ends every connection, spread over the time, and lets nobody in any more.
    pub(crate) async fn close(&self, over: Duration) {
        self.sockets.close_all(over).await;
    }
}

impl std::fmt::Debug for Live {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Live").field("connections", &self.sockets.connections()).finish_non_exhaustive()
    }
}

fn socket_config(config: &Config) -> SocketConfig {
    let origins = config.server.cors_origins.iter().filter(|origin| *origin != "*" && *origin != "null");
    let engine = EngineConfig {
        path: PATH.to_owned(),
        // What clients say is short: tokens, and ids of listings.
        max_payload: 64 * 1024,
        max_queue: config.realtime.max_queue_bytes,
        max_connections: config.realtime.max_connections,
        max_connections_per_peer: config.realtime.max_connections_per_address,
        origins: Origins::listed(origins),
        ..EngineConfig::default()
    };
    SocketConfig {
        engine,
        connect_timeout: Duration::from_secs(20),
        max_attachments: 0,
        max_rooms: 80,
        recovery: Some(RecoveryConfig::default()),
        ..SocketConfig::default()
    }
}
