//! Which addresses webhooks may go to: those on the public network, and nobody can talk us into another
//! (owasp.org, Server-Side Request Forgery Prevention).
//!
//! The host's name is resolved once, every address that it has is looked at, and the connection is made to exactly
//! those; a name that means something else a moment later changes nothing.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use async_trait::async_trait;
use kernel::ParseError;
use url::{Host, Url};

/// The longest address, in characters.
const MAX_URL: usize = 1_000;

/// An address that may be written down as an endpoint's. What its name means is looked at when something is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookUrl(Url);

impl HookUrl {
    /// Reads an address.
    ///
    /// # Errors
    /// When it is not `https` to a public host (or, where that is allowed, `http` to this machine), or carries
    /// credentials.
    pub fn parse(text: &str, allow_loopback: bool) -> Result<Self, ParseError> {
        let refuse = |message: &str| ParseError::new("invalid_url", message);
        if text.chars().count() > MAX_URL {
            return Err(ParseError::new("too_long", format!("must have at most {MAX_URL} characters")));
        }
        let url =
            Url::parse(text).ok().ok_or_else(|| refuse("must be a URL such as https://example.com/hooks"))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refuse("must not carry a user or password"));
        }
        if url.fragment().is_some() {
            return Err(refuse("must not have a fragment"));
        }
        if allow_loopback && url.scheme() == "http" && outbound::http::is_loopback(&url) {
            return Ok(Self(url));
        }
        if url.scheme() != "https" {
            return Err(refuse("must begin with https://"));
        }
        let is_public_host = match url.host() {
            Some(Host::Ipv4(address)) => is_public_v4(address),
            Some(Host::Ipv6(address)) => is_public_v6(address),
            Some(Host::Domain(name)) => is_public_name(name),
            None => false,
        };
        if is_public_host { Ok(Self(url)) } else { Err(refuse("must name a host on the public network")) }
    }

    /// The address.
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// Whether it leads to this machine, which only the switch for development lets it do.
    pub(super) fn is_loopback(&self) -> bool {
        self.0.scheme() == "http"
    }
}

/// Names that mean something inside a network alone, or nothing.
fn is_public_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let inside = [
        "localhost",
        "local",
        "internal",
        "intranet",
        "lan",
        "home",
        "corp",
        "arpa",
        "onion",
        "test",
        "invalid",
    ];
    let last = name.rsplit('.').next().unwrap_or_default();
    name.contains('.') && !name.ends_with('.') && !inside.contains(&last)
}

/// Whether an address is on the public network.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// What the IANA IPv4 Special-Purpose Address Registry does not call globally reachable is refused, and multicast.
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !matches!(
        (a, b, c),
        (0 | 10 | 127 | 224..=255, _, _)
            | (100, 64..=127, _)
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 0, 0 | 2)
            | (192, 88, 99)
            | (192, 168, _)
            | (198, 18..=19, _)
            | (198, 51, 100)
            | (203, 0, 113)
    )
}

/// Only global unicast (2000::/3), and of that nothing that is set aside or has an IPv4 address inside: mapped and
/// translated addresses, unique local and link-local ones all lie outside of it.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    let is_global_unicast = first & 0xe000 == 0x2000;
    let is_ietf = first == 0x2001 && second < 0x0200;
    let is_documentation = first == 0x2001 && second == 0x0db8 || first == 0x3fff && second < 0x1000;
    let is_6to4 = first == 0x2002;
    is_global_unicast && !is_ietf && !is_documentation && !is_6to4
}

/// Says what a host's name means.
#[async_trait]
pub trait Resolve: Send + Sync + 'static {
    /// The addresses of a host; none when it has none.
    async fn resolve(&self, host: &str, port: u16) -> Vec<SocketAddr>;
}

/// Asks the system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

#[async_trait]
impl Resolve for SystemResolver {
    async fn resolve(&self, host: &str, port: u16) -> Vec<SocketAddr> {
        tokio::net::lookup_host((host, port)).await.map(Iterator::collect).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_on_the_public_network_is_refused() {
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:10::1",
            "2001:20::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "3fff::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
        for address in [
            "8.8.8.8",
            "1.1.1.1",
            "100.63.255.255",
            "172.32.0.1",
            "192.0.1.1",
            "223.255.255.255",
            "2606:4700::1111",
        ] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn no_spelling_of_an_address_gets_past() {
        for url in [
            "http://example.com/",
            "ftp://example.com/",
            "file:///etc/passwd",
            "gopher://example.com/",
            "https://",
            "https:///x",
            "example.com",
            "https://user@example.com/",
            "https://user:pass@example.com/",
            "https://example.com@127.0.0.1/",
            "https://127.0.0.1/",
            "https://127.1/",
            "https://2130706433/",
            "https://0x7f000001/",
            "https://0x7f.0.0.1/",
            "https://0177.0.0.1/",
            "https://017700000001/",
            "https://127.0.0.1./",
            "https://１２７.0.0.1/",
            "https://127。0。0。1/",
            "https://0/",
            "https://0.0.0.0:8443/",
            "https://10.1.2.3/",
            "https://169.254.169.254/latest/meta-data/",
            "https://2852039166/",
            "https://192.168.0.1/",
            "https://100.100.100.200/",
            "https://[::1]/",
            "https://[::]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::ffff:7f00:1]/",
            "https://[0:0:0:0:0:ffff:a9fe:a9fe]/",
            "https://[64:ff9b::a9fe:a9fe]/",
            "https://[2002:7f00:1::]/",
            "https://[fd00:ec2::254]/",
            "https://[fe80::1]/",
            "https://localhost/",
            "https://LOCALHOST/",
            "https://localhost./",
            "https://x.localhost/",
            "https://metadata.google.internal/",
            "https://printer.local/",
            "https://intranet/",
            "https://example.com./",
            "https://example.com/#x",
        ] {
            assert!(HookUrl::parse(url, false).is_err(), "{url}");
        }
        for url in ["https://example.com/hooks?x=1", "https://8.8.8.8:8443/", "https://[2606:4700::1111]/"] {
            assert!(HookUrl::parse(url, false).is_ok(), "{url}");
        }
    }

    #[test]
    fn this_machine_is_for_development_alone() {
        for url in ["http://127.0.0.1:9000/x", "http://[::1]:9000/", "http://localhost:9000/"] {
            assert!(HookUrl::parse(url, true).is_ok() && HookUrl::parse(url, false).is_err(), "{url}");
        }
        for url in ["http://example.com/", "http://10.0.0.1/", "https://127.0.0.1/", "http://user@127.0.0.1/"]
        {
            assert!(HookUrl::parse(url, true).is_err(), "{url}");
        }
    }
}
