//! The client's address: the peer's, or the right-most hop that no trusted proxy of ours added.
//!
//! Nothing else is believed: the left part of `X-Forwarded-For` and the `Forwarded` header are the client's to choose.

use std::net::{IpAddr, Ipv4Addr};

use actix_web::dev::ServiceRequest;
use ipnet::IpNet;

/// Resolves the client's address.
pub(super) fn address(request: &ServiceRequest, trusted: &[IpNet]) -> IpAddr {
    let peer = request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip().to_canonical());
    let values = request.headers().get_all("x-forwarded-for");
    let hops: Vec<&[u8]> = values.flat_map(|value| value.as_bytes().split(|byte| *byte == b',')).collect();
    resolve(peer, &hops, trusted)
}

/// The hops are bytes, for a client may write anything before the proxy's own hop.
fn resolve(peer: IpAddr, hops: &[&[u8]], trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: &IpAddr| trusted.iter().any(|net| net.contains(address));
    let mut client = peer;
    for hop in hops.iter().rev() {
        if !is_trusted(&client) {
            break;
        }
        let hop = std::str::from_utf8(hop.trim_ascii()).ok().and_then(|hop| hop.parse::<IpAddr>().ok());
        match hop {
            Some(address) => client = address.to_canonical(),
            // What a trusted proxy passed on cannot be read: believe the proxy's own address and nothing before it.
            None => break,
        }
    }
    client
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;
    use actix_web::test::TestRequest;

    use super::*;

    fn resolved(peer: &str, hops: &[&str]) -> String {
        let hops: Vec<&[u8]> = hops.iter().map(|hop| hop.as_bytes()).collect();
        let trusted: Vec<IpNet> = vec!["127.0.0.0/8".parse().unwrap(), "10.0.0.0/8".parse().unwrap()];
        resolve(peer.parse().unwrap(), &hops, &trusted).to_string()
    }

    #[test]
    fn a_stranger_cannot_choose_an_address() {
        assert_eq!(resolved("203.0.113.9", &["198.51.100.1"]), "203.0.113.9");
    }

    #[test]
    fn what_is_no_text_hides_no_hop_to_its_right() {
        let request = TestRequest::default()
            .peer_addr("127.0.0.1:1".parse().unwrap())
            .insert_header(("x-forwarded-for", HeaderValue::from_bytes(b"\xff\xe9, 203.0.113.9").unwrap()))
            .to_srv_request();
        assert_eq!(address(&request, &["127.0.0.0/8".parse().unwrap()]).to_string(), "203.0.113.9");
    }

    #[test]
    fn behind_a_proxy_the_right_most_untrusted_hop_counts() {
        assert_eq!(resolved("127.0.0.1", &["198.51.100.1", "203.0.113.9"]), "203.0.113.9");
        assert_eq!(resolved("127.0.0.1", &["198.51.100.1", "203.0.113.9", "10.1.2.3"]), "203.0.113.9");
        assert_eq!(resolved("127.0.0.1", &[]), "127.0.0.1");
        assert_eq!(resolved("127.0.0.1", &["spoof", "unknown"]), "127.0.0.1");
    }
}
