//! Requests to servers of others: over https, to public addresses alone, unless the program allowed
//! more.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Url};

/// The requests that the program allowed beyond https to public addresses.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Allows {
    pub(crate) plain_http: bool,
    pub(crate) private_addresses: bool,
}

/// The reason why an address is not asked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum BadAddress {
    /// It has this scheme.
    Scheme(String),
    /// It has a user or a password.
    Credentials,
    /// It is that of a private network.
    Private,
}

/// Checks scheme, credentials and host of an address. An address in numbers is not resolved, so
/// that the resolver would not see it.
pub(crate) fn check(url: &Url, allows: Allows) -> Result<(), BadAddress> {
    let is_allowed = url.scheme() == "https" || (url.scheme() == "http" && allows.plain_http);
    if !is_allowed {
        return Err(BadAddress::Scheme(url.scheme().to_owned()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(BadAddress::Credentials);
    }
    let host = url.host_str().unwrap_or_default();
    let number: Option<IpAddr> = host
        .trim_start_matches('[')
        .trim_end_matches(']')
        .parse()
        .ok();
    match number {
        Some(address) if !allows.private_addresses && !is_public(address) => {
            Err(BadAddress::Private)
        }
        _ => Ok(()),
    }
}

/// Makes a client that follows no redirect, sends nothing by itself, and gives up in time.
pub(crate) fn client(allows: Allows, total: Duration) -> reqwest::Result<Client> {
    let builder = ClientBuilder::new()
        // A proxy would connect in place of this service, to addresses that were not checked.
        .no_proxy()
        .redirect(Policy::none())
        .referer(false)
        .connect_timeout(CONNECT)
        .timeout(total)
        .https_only(!allows.plain_http)
        .pool_max_idle_per_host(0)
        .user_agent(concat!("tollgate/", env!("CARGO_PKG_VERSION")));
    let builder = if allows.private_addresses {
        builder
    } else {
        builder.dns_resolver(Arc::new(OnlyPublic))
    };
    builder.build()
}

/// Resolves names as the system does, and returns only public addresses. The connection goes to the
/// address that was checked, so a name that resolves to another address later does no harm (R58).
struct OnlyPublic;

impl Resolve for OnlyPublic {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|address| is_public(address.ip())).collect();
            if public.is_empty() {
                return Err(Private.into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

/// The address belongs to a private network.
#[derive(Debug)]
pub(crate) struct Private;

impl fmt::Display for Private {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the name leads into a private network, where nothing is asked unless that was allowed",
        )
    }
}

impl std::error::Error for Private {}

/// Returns whether an address is one of the public internet (IANA's registries of special-purpose
/// addresses, RFC 6890).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_broadcast()
        || address.is_documentation()
        || address.is_multicast()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (18..20).contains(&b));
    !is_special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let inside = |high: u16, low: u16| {
        let ([p, q], [r, s]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(p, q, r, s))
    };
    match (a, b) {
        // ::ffff:0:0/96, NAT64 and 6to4 hold IPv4 addresses.
        (0, 0) if (c, d, e, f) == (0, 0, 0, 0xFFFF) => inside(g, h),
        (0x64, 0xFF9B) if (c, d, e, f) == (0, 0, 0, 0) => inside(g, h),
        (0x2002, high) => inside(high, c),
        // Teredo, documentation, benchmarking, ORCHID.
        (0x2001, b) => b != 0xDB8 && b >= 0x200,
        // All addresses that are assigned lie in 2000::/3.
        _ => (a & 0xE000) == 0x2000 && a != 0x3FFF,
    }
}

const CONNECT: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    /// R58.
    #[test]
    fn r58_private_and_special_addresses_are_not_public() {
        for address in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.8.8.8",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::7f00:1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "fe80::1",
            "fec0::1",
            "fc00::1",
            "fd12:3456::1",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:a00:1::",
            "100::1",
            "3fff::1",
            "4000::1",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
        for address in [
            "1.1.1.1",
            "8.8.8.8",
            "172.32.0.1",
            "192.0.1.1",
            "100.128.0.1",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
            "2606:4700::1111",
            "2001:4860:4860::8888",
            "2a00:1450::1",
            "2002:808:808::",
        ] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }
}
