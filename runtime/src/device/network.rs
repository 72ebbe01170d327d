//! The client's address: the rightmost one that no trusted proxy has. Knows addresses, not headers.

use std::net::IpAddr;

use crate::settings::Cidr;

/// The path of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Network {
    /// The address that opened the connection: the client's, or that of the last proxy.
    pub peer: Option<IpAddr>,
    /// The trusted proxies that it came through, the nearest first.
    pub proxies: Vec<IpAddr>,
}

impl Network {
    /// Finds the client's address of a connection from `peer`, and the proxies in between:
    /// `reported` gives the addresses that the proxies wrote, the last one first, `None` for one
    /// that cannot be read.
    ///
    /// The walk ends at the first address that no trusted proxy has, because the host at that
    /// address wrote the earlier ones. It also ends where an address cannot be read, after sixteen
    /// proxies, and with the first address that was written; then the last known address is the
    /// client's.
    #[must_use]
    pub fn trace(
        peer: IpAddr,
        trusted: &[Cidr],
        reported: impl Iterator<Item = Option<IpAddr>>,
    ) -> (IpAddr, Self) {
        let is_trusted = |ip: IpAddr| trusted.iter().any(|range| range.contains(ip));
        let (mut client, mut proxies) = (peer.to_canonical(), Vec::new());
        let mut reported = reported.take(MOST_PROXIES);
        while is_trusted(client) {
            let Some(Some(before)) = reported.next() else {
                break;
            };
            proxies.push(client);
            client = before.to_canonical();
        }
        (
            client,
            Self {
                peer: Some(peer.to_canonical()),
                proxies,
            },
        )
    }
}

/// The number of proxies that are followed at most.
const MOST_PROXIES: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn trace(peer: &str, reported: &[&str]) -> (String, usize) {
        let trusted = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        let reported = reported.iter().rev().map(|text| text.parse().ok());
        let (client, network) = Network::trace(peer.parse().unwrap(), &trusted, reported);
        (client.to_string(), network.proxies.len())
    }

    /// R111.
    #[test]
    fn the_client_is_the_rightmost_address_that_no_trusted_proxy_has() {
        for (peer, reported, client, proxies) in [
            ("203.0.113.9", &[][..], "203.0.113.9", 0),
            ("203.0.113.9", &["192.0.2.1"], "203.0.113.9", 0),
            ("10.0.0.1", &["192.0.2.1"], "192.0.2.1", 1),
            ("10.0.0.1", &["198.51.100.1", "192.0.2.1"], "192.0.2.1", 1),
            (
                "10.0.0.1",
                &["198.51.100.1", "192.0.2.1", "10.0.0.2", "fd00::7"],
                "192.0.2.1",
                3,
            ),
            ("10.0.0.1", &["10.0.0.3", "10.0.0.2"], "10.0.0.3", 2),
            ("10.0.0.1", &["192.0.2.1", "garbage"], "10.0.0.1", 0),
            ("10.0.0.1", &["garbage", "192.0.2.1"], "192.0.2.1", 1),
            (
                "10.0.0.1",
                &["192.0.2.1", "garbage", "10.0.0.2"],
                "10.0.0.2",
                1,
            ),
            ("::ffff:10.0.0.1", &["::ffff:192.0.2.1"], "192.0.2.1", 1),
        ] {
            assert_eq!(
                trace(peer, reported),
                (client.to_owned(), proxies),
                "{peer} {reported:?}"
            );
        }
    }

    #[test]
    fn a_chain_without_end_is_not_followed() {
        assert_eq!(
            trace("10.0.0.1", &["10.0.0.2"; 10_000]),
            ("10.0.0.2".to_owned(), MOST_PROXIES)
        );
    }
}
