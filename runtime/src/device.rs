//! Who is asking: what a request tells about its sender, and what a session remembers of it.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// What the gate knows about the sender of a request.
///
/// Nothing here is taken from a header that any sender could have written, the raw user agent aside.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Client {
    /// The peer's address, where the server was started with connection info.
    pub ip: Option<IpAddr>,
    /// The raw `User-Agent`, cut at 512 bytes.
    pub user_agent: Option<String>,
    /// The name and id that the client gave itself.
    pub device: Device,
}

impl Client {
    /// A client of which nothing is known: a job, a test, a command line.
    #[must_use]
    pub fn unknown() -> Self {
        Self::default()
    }
}

/// The device as its client names it: from `device_name` and `device_id` of the sign-in body.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Device {
    /// A name for people, at most 128 bytes.
    pub name: Option<String>,
    /// A stable id that the client chose, at most 128 bytes.
    pub id: Option<String>,
    /// The raw user agent at sign-in.
    pub user_agent: Option<String>,
    /// The peer's address at sign-in, as text.
    pub ip: Option<String>,
}

impl Device {
    /// The longest name or id that is kept, in bytes.
    pub const MAX_BYTES: usize = 128;

    /// A device with a name and an id.
    #[must_use]
    pub fn new(name: Option<String>, id: Option<String>) -> Self {
        Self { name, id, ..Self::default() }
    }
}
