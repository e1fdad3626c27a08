//! The clients of outside services.

pub mod http;
pub(crate) mod smtp;
pub(crate) mod twilio;

use std::net::IpAddr;

use url::{Host, Url};

/// Whether the URL points at this machine, where nobody else can listen in.
pub(crate) fn is_loopback(url: &Url) -> bool {
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
