//! Sending a webhook: to vetted addresses alone, without following anything, and within its time.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use outbound::http;
use reqwest::redirect::Policy;
use url::Host;

use super::ClaimedHook;
use super::address::{HookUrl, Resolve, SystemResolver, is_public};

/// How long a receiver may take: to be connected to, and in all.
const CONNECT: Duration = Duration::from_secs(5);
const TOTAL: Duration = Duration::from_secs(15);

/// The most of an answer that is read; nothing of it is kept.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// What came of sending a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookSending {
    /// The receiver took it, with this HTTP status.
    Taken(u16),
    /// The receiver wants no more of them: 410.
    Gone,
    /// It answered otherwise.
    Refused(u16),
    /// Nobody answered in time.
    TimedOut,
    /// Nobody could be connected to, or the connection broke.
    NoConnection,
    /// The host has no address, or one that is not on the public network.
    Forbidden,
}

impl HookSending {
    pub(super) fn status(self) -> Option<u16> {
        match self {
            Self::Taken(status) | Self::Refused(status) => Some(status),
            Self::Gone => Some(410),
            Self::TimedOut | Self::NoConnection | Self::Forbidden => None,
        }
    }

    pub(super) fn error(self) -> Option<&'static str> {
        match self {
            Self::Taken(_) => None,
            Self::Gone => Some("gone"),
            Self::Refused(_) => Some("refused"),
            Self::TimedOut => Some("timeout"),
            Self::NoConnection => Some("no_connection"),
            Self::Forbidden => Some("address_forbidden"),
        }
    }
}

/// Sends webhooks. Cheap to clone.
#[derive(Clone)]
pub struct HookClient {
    resolver: Arc<dyn Resolve>,
    total: Duration,
}

impl HookClient {
    /// A client that asks the system what names mean.
    pub fn new() -> Self {
        Self::with(Arc::new(SystemResolver), TOTAL)
    }

    /// A client that asks somebody else, with a deadline of its own.
    pub fn with(resolver: Arc<dyn Resolve>, total: Duration) -> Self {
        Self { resolver, total }
    }

    /// Sends a webhook. Call it outside of any transaction; it ends within its deadline.
    pub async fn send(&self, claimed: &ClaimedHook) -> HookSending {
        tokio::time::timeout(self.total, self.deliver(claimed)).await.unwrap_or(HookSending::TimedOut)
    }

    async fn deliver(&self, claimed: &ClaimedHook) -> HookSending {
        let Some(addresses) = self.vetted(&claimed.url).await else {
            return HookSending::Forbidden;
        };
        let host = claimed.url.url().host_str().unwrap_or_default();
        let client = reqwest::Client::builder()
            .user_agent(concat!("dgt-marketplace-webhooks/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT.min(self.total))
            .timeout(self.total)
            // Where an answer points to has not been looked at.
            .redirect(Policy::none())
            .no_proxy()
            .resolve_to_addrs(host, &addresses)
            .pool_max_idle_per_host(0)
            .build();
        let Ok(client) = client else {
            return HookSending::NoConnection;
        };
        let request = client
            .post(claimed.url.url().clone())
            .header("content-type", "application/json")
            .header("webhook-id", &claimed.webhook_id)
            .header("webhook-timestamp", claimed.timestamp.to_string())
            .header("webhook-signature", &claimed.signature)
            .body(claimed.body.clone());
        match request.send().await {
            Ok(answer) => {
                let status = answer.status().as_u16();
                // Read so that the receiver sees its answer taken; what it says does not matter.
                drop(http::read_at_most(answer, MAX_ANSWER_BYTES).await);
                match status {
                    200..300 => HookSending::Taken(status),
                    410 => HookSending::Gone,
                    _ => HookSending::Refused(status),
                }
            }
            Err(error) if error.is_timeout() => HookSending::TimedOut,
            Err(_) => HookSending::NoConnection,
        }
    }

    /// The addresses to connect to: none unless every address of the host may be.
    async fn vetted(&self, target: &HookUrl) -> Option<Vec<SocketAddr>> {
        let url = target.url();
        let port = url.port_or_known_default()?;
        let addresses = match url.host()? {
            Host::Ipv4(address) => vec![SocketAddr::new(address.into(), port)],
            Host::Ipv6(address) => vec![SocketAddr::new(address.into(), port)],
            Host::Domain(name) => self.resolver.resolve(name, port).await,
        };
        let may = |address: &SocketAddr| match target.is_loopback() {
            true => address.ip().is_loopback(),
            false => is_public(address.ip()),
        };
        (!addresses.is_empty() && addresses.iter().all(may)).then_some(addresses)
    }
}

impl Default for HookClient {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for HookClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HookClient").field("total", &self.total).finish_non_exhaustive()
    }
}
