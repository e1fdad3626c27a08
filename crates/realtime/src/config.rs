//! What can be set, with defaults and units.

use std::collections::BTreeSet;
use std::time::Duration;

/// Who may open connections from a browser.
///
/// A request without an `Origin` header does not come from another site's page, and is let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origins {
    /// Every site. Right for public data, or where the credential is in the CONNECT payload and never in a cookie.
    Any,
    /// These alone, as `scheme://host[:port]`; others are refused with 403 on both transports.
    Listed(BTreeSet<String>),
}

impl Origins {
    /// The listed ones, such as `https://example.org`.
    pub fn listed<S: Into<String>>(origins: impl IntoIterator<Item = S>) -> Self {
        Self::Listed(origins.into_iter().map(Into::into).collect())
    }

    pub(crate) fn admit(&self, origin: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Listed(listed) => listed.contains(origin),
        }
    }
}

/// Settings of the Engine.IO layer: connections and their transports.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// Where it is mounted; a slash at the end is optional in requests. Default: `/engine.io`.
    pub path: String,
    /// Between two pings of the server. Default: 25 s.
    pub ping_interval: Duration,
    /// From a ping until the connection is given up for want of a pong. Default: 20 s.
    pub ping_timeout: Duration,
    /// Bytes of one message, and of one POST body. Default: 1 000 000.
    pub max_payload: usize,
    /// From a WebSocket's probe until it must have taken over. Default: 10 s.
    pub upgrade_timeout: Duration,
    /// Bytes that may wait for one client. One that reads too slowly for this is cut. Default: 1 MiB.
    pub max_queue: usize,
    /// How long the body of a POST may take to come. Default: 5 s.
    pub read_timeout: Duration,
    /// How long a connection that has ended is kept: for the client's own close frame, or for the GET by which a polling
    /// client hears of it. Default: 1 s.
    pub linger: Duration,
    /// Connections of this process; more are refused with 503. Default: 100 000.
    pub max_connections: usize,
    /// Connections of one client's address, as [`crate::engine::Engine::peer`] was told to find it; more are refused
    /// with 429. Default: 100 000.
    pub max_connections_per_peer: usize,
    /// Who may connect from a browser. Default: nobody but pages without an `Origin`, which is an empty list.
    pub origins: Origins,
    /// Names that must not stand in a query string, because proxies log it. Default: `token`, `access_token`,
    /// `auth`, `authorization`, `jwt`.
    pub forbidden_query: Vec<String>,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            path: "/engine.io".to_owned(),
            ping_interval: Duration::from_secs(25),
            ping_timeout: Duration::from_secs(20),
            max_payload: 1_000_000,
            upgrade_timeout: Duration::from_secs(10),
            max_queue: 1024 * 1024,
            read_timeout: Duration::from_secs(5),
            linger: Duration::from_secs(1),
            max_connections: 100_000,
            max_connections_per_peer: 100_000,
            origins: Origins::Listed(BTreeSet::new()),
            forbidden_query: ["token", "access_token", "auth", "authorization", "jwt"]
                .map(str::to_owned)
                .into(),
        }
    }
}

/// Settings of the Socket.IO layer; those of the connections below are in [`Config::engine`].
#[derive(Debug, Clone)]
pub struct Config {
    /// The connections. The path is `/socket.io` by default here.
    pub engine: EngineConfig,
    /// From the opening of a connection until it must be in a namespace. Default: 45 s.
    pub connect_timeout: Duration,
    /// Binary attachments of one packet. Default: 16.
    pub max_attachments: usize,
    /// Bytes of the attachments of one packet, together. Default: 1 000 000.
    pub max_attachment_bytes: usize,
    /// Packets of one connection that may wait for their handler; beyond it, nothing more is read. Default: 32.
    pub max_inbox: usize,
    /// Rooms of one socket; joining more fails. Default: 256.
    pub max_rooms: usize,
    /// Acknowledgements that may be awaited from one socket. Default: 128.
    pub max_acks: usize,
    /// Keep what a client missed. Default: off, because each event then carries one more argument.
    pub recovery: Option<RecoveryConfig>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            engine: EngineConfig { path: "/socket.io".to_owned(), ..EngineConfig::default() },
            connect_timeout: Duration::from_secs(45),
            max_attachments: 16,
            max_attachment_bytes: 1_000_000,
            max_inbox: 32,
            max_rooms: 256,
            max_acks: 128,
            recovery: None,
        }
    }
}

/// Bounds of what is kept for clients that come back. Whatever falls out makes a recovery impossible, never partial.
#[derive(Debug, Clone)]
pub struct RecoveryConfig {
    /// How long a client may be away. Default: 2 min.
    pub window: Duration,
    /// Events kept per namespace. Default: 10 000.
    pub max_events: usize,
    /// Bytes of events kept per namespace. Default: 8 MiB.
    pub max_bytes: usize,
    /// Clients that are away, per namespace. Default: 10 000.
    pub max_absent: usize,
}

impl Default for RecoveryConfig {
    fn default() -> Self {
        Self {
            window: Duration::from_secs(120),
            max_events: 10_000,
            max_bytes: 8 * 1024 * 1024,
            max_absent: 10_000,
        }
    }
}
