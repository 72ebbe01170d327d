//! The client: what a request tells about its sender, and what a session remembers of it.

#[cfg(feature = "axum")]
mod agent;
mod mark;
mod network;

#[cfg(feature = "axum")]
pub use agent::Agent;
#[cfg(feature = "axum")]
pub(crate) use mark::mark_of_cookie;
pub use network::Network;

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::id::SessionId;

/// The sender of a request, as far as the gate knows it.
///
/// The address is that of the connection, or the one that trusted proxies report. Any sender can
/// write any header, so the user agent and the hints of the device are only text to show.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Client {
    /// The client's address, where the server was started with connection info. Behind the proxies
    /// of `client.proxies` it is the nearest address that is not one of theirs.
    pub ip: Option<IpAddr>,
    /// The raw `User-Agent`, cut at 512 bytes.
    pub user_agent: Option<String>,
    /// The name and id that the client chose, and what its browser reports about the machine.
    pub device: Device,
    /// The path of the request through proxies.
    pub network: Network,
    /// The way in which the client's tokens travel.
    pub transport: Transport,
    /// The sessions of the client's cookies: a sign-in replaces them.
    pub(crate) presented: Vec<SessionId>,
    /// The mark of the device cookie that the request brings.
    pub(crate) cookie_mark: Option<[u8; 32]>,
    /// The mark of the device cookie that the answer to a sign-in sets.
    pub(crate) next_cookie_mark: Option<[u8; 32]>,
}

impl Client {
    /// Returns a client of which nothing is known: a job, a test, a command line.
    #[must_use]
    pub fn unknown() -> Self {
        Self::default()
    }
}

/// The ways in which tokens travel between a client and the gate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Transport {
    /// In a header and in bodies, handled by the client's own code.
    #[default]
    Bearer,
    /// In cookies, handled by a browser.
    Cookie,
}

/// The device as its client names it: from `device_name` and `device_id` of the sign-in body, and
/// from the headers beside it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Device {
    /// A name for people, at most 128 bytes.
    pub name: Option<String>,
    /// A stable id that the client chose, at most 128 bytes.
    pub id: Option<String>,
    /// The raw user agent at sign-in.
    pub user_agent: Option<String>,
    /// The client's address at sign-in, as text.
    pub ip: Option<String>,
    /// The browser's report about itself and its machine.
    #[serde(default)]
    pub hints: Hints,
}

impl Device {
    /// The longest name or id that is kept, in bytes.
    pub const MAX_BYTES: usize = 128;

    /// Makes a device with a name and an id.
    #[must_use]
    pub fn new(name: Option<String>, id: Option<String>) -> Self {
        Self {
            name,
            id,
            ..Self::default()
        }
    }
}

/// Client hints (the W3C's User-Agent Client Hints and Device Memory): headers in which browsers
/// describe themselves, since user agents hardly differ any more. Each is at most 128 bytes of
/// printable ASCII, without the quotes around it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Hints {
    /// `Sec-CH-UA`, as it came: the brands and their versions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub brands: Option<String>,
    /// `Sec-CH-UA-Mobile`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mobile: Option<bool>,
    /// `Sec-CH-UA-Platform`: `Android`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// `Sec-CH-UA-Platform-Version`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform_version: Option<String>,
    /// `Sec-CH-UA-Model`: `Pixel 9`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// `Sec-CH-UA-Arch`: `arm`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub architecture: Option<String>,
    /// `Sec-CH-UA-Bitness`: `64`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bitness: Option<String>,
    /// `Sec-CH-UA-WoW64`: whether a browser of 32 bits runs on a system of 64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wow64: Option<bool>,
    /// `Sec-CH-UA-Form-Factors`, as it came: `"Mobile", "XR"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub form_factors: Option<String>,
    /// `Sec-CH-UA-Full-Version-List`, as it came: the brands and their full versions, at most 256
    /// bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub full_versions: Option<String>,
    /// `Device-Memory`, in GiB: `0.5`, `8`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<String>,
}

impl Hints {
    /// Returns whether the client sent no hints.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns the form in which stores keep the hints; `None` if the client sent no hints.
    #[allow(dead_code, reason = "not every store writes columns")]
    pub(crate) fn stored(&self) -> Option<String> {
        if self.is_empty() {
            None
        } else {
            serde_json::to_string(self).ok()
        }
    }

    /// Reads the hints that a store kept. A text that cannot be read counts as no hints.
    #[allow(dead_code, reason = "not every store writes columns")]
    pub(crate) fn from_stored(text: Option<&str>) -> Self {
        text.and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default()
    }
}
