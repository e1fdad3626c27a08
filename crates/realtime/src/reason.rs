//! Why a connection or a socket ended.

/// Why it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The client closed the connection, or its transport was lost.
    TransportClose,
    /// The transport failed, or the client broke the protocol of Engine.IO.
    TransportError,
    /// No pong came in time.
    PingTimeout,
    /// More waited for the client than may: see [`crate::EngineConfig::max_queue`].
    SlowConsumer,
    /// The client broke the protocol of Socket.IO.
    ParseError,
    /// The connection joined no namespace in time.
    ConnectTimeout,
    /// The client left the namespace.
    ClientLeft,
    /// The application put the socket out.
    ServerDisconnect,
    /// The process is going down.
    Shutdown,
}

impl Reason {
    /// The word for metrics and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TransportClose => "transport close",
            Self::TransportError => "transport error",
            Self::PingTimeout => "ping timeout",
            Self::SlowConsumer => "slow consumer",
            Self::ParseError => "parse error",
            Self::ConnectTimeout => "connect timeout",
            Self::ClientLeft => "client namespace disconnect",
            Self::ServerDisconnect => "server namespace disconnect",
            Self::Shutdown => "server shutting down",
        }
    }

    /// Whether the client may come back to where it was. Who left, or was put out, may not.
    pub const fn is_recoverable(self) -> bool {
        matches!(
            self,
            Self::TransportClose
                | Self::TransportError
                | Self::PingTimeout
                | Self::SlowConsumer
                | Self::Shutdown
        )
    }

    /// The code of the WebSocket's close frame (RFC 6455, 7.4.1).
    pub(crate) const fn close_code(self) -> u16 {
        match self {
            Self::Shutdown => 1001,
            Self::ParseError | Self::TransportError => 1002,
            Self::SlowConsumer | Self::ConnectTimeout | Self::PingTimeout => 1008,
            Self::TransportClose | Self::ClientLeft | Self::ServerDisconnect => 1000,
        }
    }
}
