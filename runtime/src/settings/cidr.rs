//! Ranges of addresses, for settings and for comparing sessions.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

/// A range of IP addresses: `10.0.0.0/8`, `2001:db8::/32`, or one address alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cidr(IpNet);

impl Cidr {
    /// Returns the network around an address that most likely belongs to one subscriber or office:
    /// /24, or /56 of IPv6.
    #[must_use]
    pub fn around(ip: IpAddr) -> Self {
        let ip = ip.to_canonical();
        let len = if ip.is_ipv4() { 24 } else { 56 };
        Self(IpNet::new(ip, len).unwrap_or_else(|_| ip.into()).trunc())
    }

    /// Returns whether the range holds every address.
    #[cfg(feature = "cli")]
    pub(crate) fn is_everything(&self) -> bool {
        self.0.prefix_len() == 0
    }

    /// Returns whether the range contains an address. An IPv4 address that is written as an IPv6
    /// one counts as IPv4.
    #[must_use]
    pub fn contains(&self, ip: IpAddr) -> bool {
        self.0.contains(&ip.to_canonical())
    }
}

impl From<IpAddr> for Cidr {
    fn from(ip: IpAddr) -> Self {
        Self(ip.to_canonical().into())
    }
}

impl FromStr for Cidr {
    type Err = NotACidr;

    fn from_str(text: &str) -> Result<Self, NotACidr> {
        let net = text
            .parse::<IpNet>()
            .or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        net.map(|net| Self(net.trunc())).map_err(|_| NotACidr)
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The error for a text that is not a range of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotACidr;

impl fmt::Display for NotACidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("must be an address or a range of addresses such as `10.0.0.0/8`")
    }
}

impl std::error::Error for NotACidr {}
