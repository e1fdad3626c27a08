//! HTTP towards providers: every call has deadlines, follows no redirect, and reads no more than it must.

use std::net::IpAddr;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use url::{Host, Url};

/// How long a call may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// To connect, TLS included.
    pub connect: Duration,
    /// For the whole call, until the last byte of the answer.
    pub total: Duration,
}

impl Default for Timeouts {
    /// Two seconds and six.
    fn default() -> Self {
        Self { connect: Duration::from_secs(2), total: Duration::from_secs(6) }
    }
}

/// A client for a provider's API.
///
/// # Errors
/// When TLS cannot be set up.
pub fn client(timeouts: Timeouts) -> reqwest::Result<Client> {
    Client::builder()
        .user_agent(concat!("dgt-marketplace/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(timeouts.connect)
        .timeout(timeouts.total)
        // A redirect would carry credentials and contact details to whoever answers in the provider's name.
        .redirect(Policy::none())
        .no_proxy()
        .build()
}

/// Reads an answer of at most `limit` bytes; `None` when it is longer or breaks off.
pub async fn read_at_most(mut response: Response, limit: usize) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.ok()? {
        if body.len() + chunk.len() > limit {
            return None;
        }
        body.extend_from_slice(&chunk);
    }
    Some(body)
}

/// Whether nobody on the way can read what is sent there: HTTPS, or HTTP on this machine.
pub fn is_private(url: &Url) -> bool {
    url.scheme() == "https" || url.scheme() == "http" && is_loopback(url)
}

/// Whether the URL points at this machine, where nobody else can listen in.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        // Schemes that are not the web's keep an address as a name.
        Some(Host::Domain(name)) => {
            name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_spoken_to_in_the_clear() {
        for private in
            ["https://api.example.com", "http://127.0.0.1:4010", "http://[::1]:4010", "http://localhost"]
        {
            assert!(is_private(&private.parse().unwrap()), "{private}");
        }
        for public in
            ["http://api.example.com", "http://10.0.0.1", "http://127.0.0.1.example.com", "ftp://localhost"]
        {
            assert!(!is_private(&public.parse().unwrap()), "{public}");
        }
    }
}
