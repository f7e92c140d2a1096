//! Where a request comes from.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use ipnet::IpNet;

use crate::App;

/// Proxies that are believed when they say for whom they ask (`X-Forwarded-For`); of anybody else it is a claim.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

impl FromStr for TrustedProxies {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let network =
            |text: &str| text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).ok();
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let networks: Option<Vec<IpNet>> = parts.map(network).collect();
        networks.map(Self).ok_or("it lists addresses or networks, as in 10.0.0.7,172.16.0.0/12")
    }
}

impl TrustedProxies {
    fn has(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address.to_canonical()))
    }

    /// The client behind the peer of a connection: of the addresses that the proxies on the way added, the last that is
    /// none of theirs. Whatever stands before it the client may have written itself.
    fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer;
        let lines: Vec<&str> =
            headers.get_all("x-forwarded-for").iter().filter_map(|line| line.to_str().ok()).collect();
        let mut hops = lines.iter().rev().flat_map(|line| line.rsplit(','));
        while self.has(client) {
            let Some(before) = hops.next().and_then(address_of) else { break };
            client = before;
        }
        client
    }
}

/// An address as proxies write it, with or without a port.
fn address_of(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim();
    hop.parse().ok().or_else(|| hop.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

/// The address that a request comes from.
pub(crate) fn client_of(app: &App, request: &Parts) -> IpAddr {
    let peer = request.extensions.get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(peer)| peer.ip());
    app.config.trusted_proxies.client(peer, &request.headers)
}

/// The address of a handler's client.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Client(pub(crate) IpAddr);

impl FromRequestParts<App> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        Ok(Self(client_of(app, parts)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(trusted: &str, peer: &str, forwarded: &[&str]) -> String {
        let pairs = forwarded.iter().map(|line| ("x-forwarded-for".parse().unwrap(), line.parse().unwrap()));
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            let _: bool = headers.append::<axum::http::HeaderName>(name, value);
        }
        let trusted: TrustedProxies = trusted.parse().unwrap();
        trusted.client(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn only_trusted_proxies_say_for_whom_they_ask() {
        let forged = ["203.0.113.7"];
        assert_eq!(client("", "198.51.100.1", &forged), "198.51.100.1");
        assert_eq!(client("10.0.0.0/8", "198.51.100.1", &forged), "198.51.100.1");
        assert_eq!(client("10.0.0.0/8", "10.0.0.2", &forged), "203.0.113.7");
        assert_eq!(client("10.0.0.0/8", "::ffff:10.0.0.2", &forged), "203.0.113.7");
        assert_eq!(client("10.0.0.2", "10.0.0.3", &forged), "10.0.0.3");
        assert_eq!(client("10.0.0.0/8", "10.0.0.2", &[]), "10.0.0.2");
    }

    #[test]
    fn what_the_client_wrote_itself_is_not_believed() {
        let trusted = "10.0.0.0/8,fd00::/8";
        assert_eq!(client(trusted, "10.0.0.2", &["203.0.113.7, 198.51.100.1"]), "198.51.100.1");
        assert_eq!(client(trusted, "10.0.0.2", &["203.0.113.7", "198.51.100.1"]), "198.51.100.1");
        assert_eq!(client(trusted, "10.0.0.2", &["203.0.113.7, 198.51.100.1, 10.0.0.9"]), "198.51.100.1");
        assert_eq!(client(trusted, "10.0.0.2", &["198.51.100.1:4711,fd00::1"]), "198.51.100.1");
        assert_eq!(client(trusted, "10.0.0.2", &["[2001:db8::1]:4711"]), "2001:db8::1");
        assert_eq!(client(trusted, "10.0.0.2", &["203.0.113.7, unknown"]), "10.0.0.2");
        assert_eq!(client(trusted, "10.0.0.2", &["203.0.113.7, unknown, 10.0.0.9"]), "10.0.0.9");
        assert_eq!(client(trusted, "10.0.0.2", &["10.0.0.4, 10.0.0.3"]), "10.0.0.4");
    }

    #[test]
    fn proxies_are_listed_by_address_or_network() {
        for text in ["", "127.0.0.1", "::1", "10.0.0.7, 172.16.0.0/12,fd00::/8"] {
            assert!(text.parse::<TrustedProxies>().is_ok(), "{text}");
        }
        for wrong in ["proxy", "10.0.0.0/33", "10.0.0.1-10.0.0.9", "*"] {
            assert!(wrong.parse::<TrustedProxies>().is_err(), "{wrong}");
        }
    }
}
