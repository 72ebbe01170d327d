//! Settings about clients: their proxies, their cookies, and what their tokens are bound to.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{Cidr, Settings};
use crate::clock::Timestamp;

/// Settings of the client's address: `client.*`.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ClientSettings {
    /// The proxies whose header is trusted. By default none: the address is that of the connection.
    pub proxies: Vec<Cidr>,
    /// The one header in which the proxies write it. Other headers may come from any sender, and
    /// are not read.
    pub header: ForwardedHeader,
}

/// The header in which trusted proxies write addresses: `client.header`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ForwardedHeader {
    /// `X-Forwarded-For`.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// Settings of cookies: `cookies.*`. They are on where `cookies.path` is set, which needs the
/// feature `cookies`.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct CookieSettings {
    /// The path of the auth routes, as browsers see it: `/auth` unless the routes are nested. It
    /// turns cookies on, and is the path of a refresh cookie with the former name.
    pub path: Option<String>,
    /// The name of the refresh cookie, of two. By default `host`; `path` for a store that has
    /// sessions of releases before this one.
    pub refresh: Option<RefreshCookie>,
    /// The day (UTC) until whose beginning a refresh cookie with the former name is accepted, at
    /// refresh and sign-out, beside `refresh = "host"`. By default 30 days after this release first
    /// opened a store that has sessions of earlier ones.
    pub legacy_until: Option<Timestamp>,
    /// The requests of other sites that carry the access cookie. No request of another site carries
    /// the refresh cookie.
    pub same_site: SameSite,
    /// Other origins whose pages may change something with a cookie, as browsers write them:
    /// `https://app.example.com`.
    pub origins: Vec<String>,
}

/// The two names of the refresh cookie: `cookies.refresh`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RefreshCookie {
    /// `__Secure-tollgate-refresh`, under `cookies.path`: that of releases before this one. A page
    /// of a sibling subdomain can set it.
    Path,
    /// `__Host-tollgate-refresh`, for the whole host, which no sibling subdomain can set.
    Host,
}

/// The requests of other sites that carry the access cookie: `cookies.same_site`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SameSite {
    /// Links that are followed.
    #[default]
    Lax,
    /// No request of another site.
    Strict,
}

impl Settings {
    /// Returns whether browsers consider the origins that use the cookies secure: HTTPS, or this
    /// machine (W3C Secure Contexts, 3.1).
    pub(crate) fn has_secure_origin(&self) -> bool {
        let is_secure = |origin: &str| {
            let Some((scheme, rest)) = origin.split_once("://") else {
                return false;
            };
            let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
            let name = host
                .strip_prefix('[')
                .and_then(|ip| ip.split(']').next())
                .or_else(|| host.split(':').next());
            let is_here = name.is_some_and(|name| {
                name == "localhost"
                    || name.ends_with(".localhost")
                    || name.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
            });
            scheme.eq_ignore_ascii_case("https") || (scheme.eq_ignore_ascii_case("http") && is_here)
        };
        self.issuer
            .iter()
            .chain(&self.cookies.origins)
            .all(|origin| is_secure(origin))
    }
}

/// Settings of token binding: `binding.*`. By default tokens are bound to nothing, so that neither
/// an update of the browser nor another network signs a user out.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BindingSettings {
    /// The binding of access tokens to the device id of their sign-in.
    pub access_device: BindingMode,
    /// The binding of access tokens to the network of their sign-in: /24, or /56 of IPv6.
    pub access_network: BindingMode,
    /// The binding of refresh tokens to the device id of their sign-in.
    pub refresh_device: BindingMode,
    /// The binding of refresh tokens to the network of their sign-in: /24, or /56 of IPv6.
    pub refresh_network: BindingMode,
    /// The header in which a request with an access token names its device, in lower case. By
    /// default `x-device-id`.
    pub device_header: String,
}

impl Default for BindingSettings {
    fn default() -> Self {
        Self {
            access_device: BindingMode::default(),
            access_network: BindingMode::default(),
            refresh_device: BindingMode::default(),
            refresh_network: BindingMode::default(),
            device_header: "x-device-id".to_owned(),
        }
    }
}

impl BindingSettings {
    /// Returns the stronger of the two modes for a device id.
    pub(crate) fn device(&self) -> BindingMode {
        self.access_device.max(self.refresh_device)
    }

    /// Returns the stronger of the two modes for a network.
    pub(crate) fn network(&self) -> BindingMode {
        self.access_network.max(self.refresh_network)
    }
}

/// The effect of a binding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BindingMode {
    /// No effect: the values are not compared.
    #[default]
    Off,
    /// A difference is an event.
    Record,
    /// A difference is an event, and the request is refused. The session stays: the token is still
    /// valid on the right device or network. A sign-in without the value to bind to is refused.
    Enforce,
}
