//! Describes the sender of a request: the address through trusted proxies, the user agent, the
//! hints.

use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use http::header::{FORWARDED, HeaderName, USER_AGENT};
use http::request::Parts;
use http::{Extensions, HeaderMap};

use super::super::problem::Rejection;
use super::super::transport::known_device;
use crate::device::{Client, Device, Hints, Network};
use crate::error::Refusal;
use crate::gate::{AuthBackend, Gate, Running};
use crate::settings::{ClientSettings, ForwardedHeader};

impl<B: AuthBackend> Gate<B> {
    /// Returns the sender of a request, as far as the request describes it: for handlers that call
    /// [`sign_in`](Self::sign_in) and the like themselves.
    ///
    /// The address needs a server that was started with
    /// `into_make_service_with_connect_info::<SocketAddr>()`.
    #[must_use]
    pub fn client(&self, parts: &Parts) -> Client {
        self.running().client(parts)
    }
}

impl Running {
    /// Returns the sender of a request, as far as the request describes it.
    pub(in crate::http) fn client(&self, parts: &Parts) -> Client {
        let mut client = client(parts, &self.settings().client);
        let cookie = known_device(self, &parts.headers);
        client.cookie_mark = cookie.map(|cookie| cookie.mark());
        client
    }

    /// Returns a refusal as its client sees it.
    pub(in crate::http) fn reject(&self, refusal: impl Into<Refusal>) -> Rejection {
        Rejection::new(refusal, &self.scheme)
    }
}

/// Returns the sender of a request, as far as the request describes it.
fn client(parts: &Parts, settings: &ClientSettings) -> Client {
    let mut client = Client::unknown();
    if let Some((ip, network)) = trace(&parts.headers, &parts.extensions, settings) {
        (client.ip, client.network) = (Some(ip), network);
    }
    client.user_agent = parts
        .headers
        .get(USER_AGENT)
        .and_then(|value| value.to_str().ok())
        .map(|text| {
            // `to_str` accepts ASCII only, so every index is a boundary.
            text.get(..MAX_USER_AGENT).unwrap_or(text).to_owned()
        });
    client.device.hints = hints(&parts.headers);
    client
}

/// Returns the client's address alone.
pub(in crate::http) fn address(
    headers: &HeaderMap,
    extensions: &Extensions,
    settings: &ClientSettings,
) -> Option<IpAddr> {
    trace(headers, extensions, settings).map(|(ip, _)| ip)
}

/// Returns the path of a request through proxies (R111). The header of proxies is read only if a
/// trusted proxy may have written it.
fn trace(
    headers: &HeaderMap,
    extensions: &Extensions,
    settings: &ClientSettings,
) -> Option<(IpAddr, Network)> {
    let ConnectInfo(peer) = extensions.get::<ConnectInfo<SocketAddr>>()?;
    let name = match settings.header {
        ForwardedHeader::XForwardedFor => X_FORWARDED_FOR,
        ForwardedHeader::Forwarded => FORWARDED,
    };
    // The last line is the nearest proxy's, and so is the last element in it.
    let lines = headers
        .get_all(name)
        .iter()
        .rev()
        .map(|line| line.to_str().unwrap_or_default());
    let said = lines.flat_map(|line| {
        let elements: Box<dyn Iterator<Item = Option<IpAddr>>> = match settings.header {
            ForwardedHeader::XForwardedFor => {
                Box::new(line.rsplit(',').map(|element| address_of(element.trim())))
            }
            ForwardedHeader::Forwarded => Box::new(
                rfc7239::parse(line)
                    .rev()
                    .map(|element| element.ok()?.forwarded_for?.ip().copied()),
            ),
        };
        elements
    });
    Some(Network::trace(peer.ip(), &settings.proxies, said))
}

/// Reads an element of `X-Forwarded-For`: an address, and a port where the proxy writes one.
fn address_of(element: &str) -> Option<IpAddr> {
    let bare = element
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(element);
    bare.parse().ok().or_else(|| {
        element
            .parse::<SocketAddr>()
            .ok()
            .map(|address| address.ip())
    })
}

/// Reads the client hints. One that is not printable ASCII, or longer than a device's name may be,
/// is left out.
fn hints(headers: &HeaderMap) -> Hints {
    let said = |name: &str| {
        let text = headers.get(name)?.to_str().ok()?.trim();
        // A list of brands with whole versions is the longest.
        let most = match name {
            "sec-ch-ua-full-version-list" => 2 * Device::MAX_BYTES,
            _ => Device::MAX_BYTES,
        };
        (!text.is_empty() && text.len() <= most).then(|| text.to_owned())
    };
    // A boolean of RFC 9651 section 3.3.6.
    let flag = |name: &str| match said(name).as_deref() {
        Some("?1") => Some(true),
        Some("?0") => Some(false),
        _ => None,
    };
    // A string of RFC 9651 section 3.3.3, or a token.
    let word = |name: &str| {
        let text = said(name)?;
        let inner = text
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'))
            .unwrap_or(&text);
        (!inner.is_empty()).then(|| inner.replace("\\\"", "\"").replace("\\\\", "\\"))
    };
    Hints {
        brands: said("sec-ch-ua"),
        mobile: flag("sec-ch-ua-mobile"),
        platform: word("sec-ch-ua-platform"),
        platform_version: word("sec-ch-ua-platform-version"),
        model: word("sec-ch-ua-model"),
        architecture: word("sec-ch-ua-arch"),
        bitness: word("sec-ch-ua-bitness"),
        wow64: flag("sec-ch-ua-wow64"),
        form_factors: said("sec-ch-ua-form-factors"),
        full_versions: said("sec-ch-ua-full-version-list"),
        memory: word("device-memory").or_else(|| word("sec-ch-device-memory")),
    }
}

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const MAX_USER_AGENT: usize = 512;
