//! Settings of a deployment: one struct, its defaults, its sources, its check as a whole.

mod check;
mod cidr;
mod client;
#[cfg(any(test, feature = "cli"))]
mod explain;
mod introspection;
mod origin;
mod problem;
mod service_link;
mod source;
mod store;
mod table;
mod throttle;
mod value;
mod words;

pub use introspection::{IntrospectionSettings, Service};
pub use throttle::{Allowance, Counted, ThrottleSettings};

pub use cidr::{Cidr, NotACidr};
pub use client::{
    BindingMode, BindingSettings, ClientSettings, CookieSettings, ForwardedHeader, RefreshCookie,
    SameSite,
};

/// The former name of [`BindingMode`].
#[deprecated(since = "0.1.0", note = "use `BindingMode`")]
pub type Bind = BindingMode;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::realm::RealmName;

#[cfg(feature = "cli")]
pub(crate) use explain::{ExplainedSetting, file_schema};
use origin::Origins;
pub use store::{StoreSettings, StoreTls, StoreUrl};
pub(crate) use value::civil;
#[cfg(feature = "cli")]
pub(crate) use value::parse_duration;

/// The settings of a gate.
///
/// Each comes from the strongest of four sources: the default, the file (`TOLLGATE_CONFIG`, or
/// otherwise `tollgate.toml` in the working directory), the environment (`access.ttl` is
/// `TOLLGATE_ACCESS__TTL`), the builder. [`Settings::load`] reads the first three; an assignment
/// afterwards is the fourth. Names outside the table are refused.
#[doc = include_str!("table.md")]
///
/// Durations are written `500ms`, `30s`, `10m`, `12h`, `30d`, or several of them in a row: `1h30m`.
/// Lists are arrays in the file and separated by commas in the environment.
///
/// Settings below `[realms.staff]` in the file, or after `TOLLGATE_REALMS__STAFF__` in the
/// environment, are for the realm `staff` alone: [`Settings::load_realm`] puts them over those of
/// the top level, of which it takes everything but `audience`.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use tollgate::settings::Settings;
///
/// let mut settings = Settings::from_sources(
///     Some((
///         "tollgate.toml",
///         "issuer = 'https://accounts.example.com'\n[access]\nttl = '5m'",
///     )),
///     [(
///         "TOLLGATE_AUDIENCE".to_owned(),
///         "https://api.example.com".to_owned(),
///     )],
/// )?;
/// settings.session.device_limit = Some(5);
/// settings.validate()?;
/// assert_eq!(settings.access.ttl, Duration::from_secs(300));
/// # Ok::<(), tollgate::error::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// The issuer of the tokens: the claim `iss`, compared byte for byte (RFC 7519 section 4.1.1).
    /// Has no default.
    pub issuer: Option<String>,
    /// The intended audience of the tokens: the claim `aud` (RFC 7519 section 4.1.3). Has no
    /// default.
    pub audience: Option<String>,
    /// The name of the realm; `None` is the default one. [`GateBuilder::realm`] sets it.
    ///
    /// [`GateBuilder::realm`]: crate::gate::GateBuilder::realm
    pub realm: Option<String>,
    /// The claim `client_id` (RFC 9068 section 2.2). By default `first-party`.
    pub client_id: String,
    /// The address of the gate's routes as clients see it, with the path under which they are
    /// nested: `https://api.example.com/v1`. Only the metadata of RFC 8414 needs it. Has no
    /// default.
    pub public_url: Option<String>,
    /// The time by which clocks may differ. By default 30 s, at most 120 s.
    pub leeway: Duration,
    /// The issuer, the audience and the kind that the realm had before, where one of them was
    /// changed on purpose.
    pub replaces: Replaces,
    /// Access tokens.
    pub access: AccessSettings,
    /// Refresh tokens.
    pub refresh: RefreshSettings,
    /// Sessions.
    pub session: SessionSettings,
    /// Revocation.
    pub revocation: RevocationSettings,
    /// Services that may ask about tokens.
    pub introspection: IntrospectionSettings,
    /// The key ring.
    pub keys: KeysSettings,
    /// The client's address.
    pub client: ClientSettings,
    /// Cookies.
    pub cookies: CookieSettings,
    /// Token binding.
    pub binding: BindingSettings,
    /// The throttle.
    pub throttle: ThrottleSettings,
    /// The tokens that the store lists one by one.
    pub registry: Registry,
    /// The archive of sessions that have ended.
    pub archive: ArchiveSettings,
    /// The sampling of events of requests.
    pub events: EventSettings,
    /// The OpenAPI document.
    pub openapi: OpenapiSettings,
    /// The store, for [`Store::open`](crate::store::Store::open).
    pub store: StoreSettings,
    /// The realms that have settings of their own in the file or the environment.
    pub(crate) realm_names: Vec<RealmName>,
    /// The settings of keys and store that stand inside the realm, by name.
    pub(crate) realm_parts: Vec<&'static str>,
    /// The source of each setting that is not a default, for messages.
    pub(crate) origins: Origins,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            issuer: None,
            audience: None,
            realm: None,
            replaces: Replaces::default(),
            client_id: "first-party".to_owned(),
            public_url: None,
            leeway: Duration::from_secs(30),
            access: AccessSettings::default(),
            refresh: RefreshSettings::default(),
            session: SessionSettings::default(),
            revocation: RevocationSettings::default(),
            introspection: IntrospectionSettings::default(),
            keys: KeysSettings::default(),
            client: ClientSettings::default(),
            cookies: CookieSettings::default(),
            binding: BindingSettings::default(),
            throttle: ThrottleSettings::default(),
            registry: Registry::default(),
            archive: ArchiveSettings::default(),
            events: EventSettings::default(),
            openapi: OpenapiSettings::default(),
            store: StoreSettings::default(),
            realm_names: Vec::new(),
            realm_parts: Vec::new(),
            origins: Origins::default(),
        }
    }
}

/// The former identity of a realm: `replaces.*`. Each value is the old one, so that a line that is
/// left in a file accepts no other change.
///
/// ```
/// use tollgate::settings::Replaces;
///
/// let moved = Replaces {
///     issuer: Some("https://old.example.com".to_owned()),
///     ..Replaces::default()
/// };
/// assert_eq!(moved.kind, None);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replaces {
    /// The former issuer.
    pub issuer: Option<String>,
    /// The former audience.
    pub audience: Option<String>,
    /// The former kind of backend.
    pub kind: Option<String>,
}

/// Settings of access tokens: `access.*`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AccessSettings {
    /// The lifetime of an access token. By default 10 minutes: a stolen token can be used for that
    /// long, and clients refresh that often.
    pub ttl: Duration,
    /// The longest life of any token that verifies, those of `gate.issue` too; `None` means
    /// [`ttl`](Self::ttl). Lower it only after the tokens with the longer life have expired.
    pub max_ttl: Option<Duration>,
    /// The effect of a refresh on the access tokens before it.
    pub on_refresh: OnRefresh,
    /// The header that carries the token, in lower case. By default `authorization`.
    pub header: String,
    /// The schemes in that header, compared without regard to case (RFC 9110 section 11.1). By
    /// default `Bearer` alone.
    pub schemes: Vec<String>,
    /// The memory for verified tokens on a node, in bytes, so that a token that comes again is not
    /// verified again; 0 for none. By default 8 MiB, for about 4500 tokens of 600 characters.
    /// Revocations are looked up each time.
    pub cache: u32,
}

impl AccessSettings {
    /// Returns the longest life of any token that verifies.
    #[must_use]
    pub fn max_ttl(&self) -> Duration {
        self.max_ttl.unwrap_or(self.ttl)
    }
}

impl Default for AccessSettings {
    fn default() -> Self {
        Self {
            ttl: Duration::from_secs(10 * 60),
            max_ttl: None,
            on_refresh: OnRefresh::default(),
            header: "authorization".to_owned(),
            schemes: vec!["Bearer".to_owned()],
            cache: 8 * 1024 * 1024,
        }
    }
}

/// The effect of a refresh on the access tokens before it: `access.on_refresh`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OnRefresh {
    /// They stay valid until they expire.
    #[default]
    Keep,
    /// They are revoked.
    Revoke,
}

/// Settings of refresh tokens: `refresh.*`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RefreshSettings {
    /// The time for which the predecessor of a refresh token is accepted as a concurrent request of
    /// the same client. By default 10 s, at most 60 s: a theft within this time is not noticed.
    pub window: Duration,
    /// The time for which a client that never received the answer of its refresh may ask again. By
    /// default 24 h, at most `session.idle`.
    pub lost_response_window: Duration,
    /// The reuse that is forgiven.
    pub policy: RefreshPolicy,
    /// `true` if the answer of a refresh has the refresh token in its body, as by default;
    /// `false` is for clients of [`RefreshPolicy::Fixed`] alone, whose token stays the same.
    pub answer_token: bool,
}

impl Default for RefreshSettings {
    fn default() -> Self {
        Self {
            window: Duration::from_secs(10),
            lost_response_window: Duration::from_secs(24 * 60 * 60),
            policy: RefreshPolicy::default(),
            answer_token: true,
        }
    }
}

/// The reuse of a replaced refresh token that is forgiven: `refresh.policy`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RefreshPolicy {
    /// No reuse: a second use ends the session, even after a lost answer.
    Strict,
    /// Concurrent requests within `refresh.window`.
    Window,
    /// Concurrent requests, and lost answers: until the successor is first used, within
    /// `refresh.lost_response_window`.
    #[default]
    ConfirmAware,
    /// The token never changes, so no reuse is noticed: a thief can use a copy of it until the
    /// session ends. A refresh moves the idle expiry. For clients that cannot store a new token
    /// each time.
    Fixed,
}

/// Settings of sessions: `session.*`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SessionSettings {
    /// The time without a refresh after which a session ends. By default 30 days, at most 90.
    pub idle: Duration,
    /// The time after which a session ends even if it is in use. By default 90 days, at most 400.
    pub absolute: Duration,
    /// The time without a refresh after which a session ends that is not to be remembered. By
    /// default 12 hours, never longer than `idle`.
    pub brief_idle: Duration,
    /// The time after which such a session ends even if it is in use. By default 24 hours, never
    /// longer than `absolute`.
    pub brief_absolute: Duration,
    /// The number of live sessions that a subject may have; `None` for any number, otherwise at
    /// least one.
    pub device_limit: Option<u32>,
    /// The treatment of a sign-in above the limit.
    pub on_limit: OnLimit,
    /// The number of former addresses and user agents that a session stores beside the latest one,
    /// at most 8. By default 0.
    pub history: u32,
}

impl SessionSettings {
    /// The largest [`history`](Self::history).
    pub const MAX_HISTORY: u32 = 8;
}

impl Default for SessionSettings {
    fn default() -> Self {
        Self {
            idle: Duration::from_secs(30 * 24 * 60 * 60),
            absolute: Duration::from_secs(90 * 24 * 60 * 60),
            brief_idle: Duration::from_secs(12 * 60 * 60),
            brief_absolute: Duration::from_secs(24 * 60 * 60),
            device_limit: None,
            on_limit: OnLimit::default(),
            history: 0,
        }
    }
}

/// The treatment of a sign-in above the limit: `session.on_limit`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OnLimit {
    /// The sessions that were used longest ago end. An attacker who knows the password can sign the
    /// owner out with it.
    #[default]
    EvictOldest,
    /// The sign-in is refused.
    Deny,
}

/// Settings of revocation: `revocation.*`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RevocationSettings {
    /// The data that a verifier reads before it accepts a token.
    pub consistency: Consistency,
    /// The age at which a node's view of the revocations is stale. By default 30 s.
    pub stale_limit: Duration,
    /// The behaviour of a node with a stale view.
    pub on_stale: OnStale,
}

impl Default for RevocationSettings {
    fn default() -> Self {
        Self {
            consistency: Consistency::default(),
            stale_limit: Duration::from_secs(30),
            on_stale: OnStale::default(),
        }
    }
}

/// The data that a verifier reads before it accepts a token: `revocation.consistency`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Consistency {
    /// This node's view, which follows the store within about a second: `eventual`.
    #[default]
    Eventual,
    /// The view while it is younger than this, otherwise the store: `bounded:2s`.
    Bounded(Duration),
    /// The store, each time: `strict`.
    Strict,
}

/// The behaviour of a node with a stale view: `revocation.on_stale`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OnStale {
    /// It asks the store, and answers 503 if the store cannot answer.
    #[default]
    Check,
    /// It goes on with the view that it has: later revocations have no effect on this node.
    Serve,
}

/// Settings of the key ring: `keys.*`.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct KeysSettings {
    /// `true` if a new ring may start beside a store with live sessions, all of which it ends.
    /// By default `false`: such a start usually means that the volume with the keys was lost.
    pub accept_new: bool,
    /// The permissions of the group of a ring's folder and files.
    /// [`RingOptions::settings`](crate::keys::RingOptions::settings) reads it.
    pub group: KeysGroup,
}

/// The permissions of the group of a key folder and its files: `keys.group`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum KeysGroup {
    /// Nothing: files that it can read, and a folder that it can write, are refused.
    #[default]
    Refuse,
    /// The permissions of the files' modes, where it is a group of this process. Kubernetes gives
    /// volumes to the group of `fsGroup`.
    Trust,
}

/// The tokens that the store lists one by one: `registry`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Registry {
    /// Only those that the program registers itself: sessions and the log are enough for everything
    /// else.
    #[default]
    Off,
    /// Each token of a session, in the step that issues it: a row for each access token, and one
    /// for all refresh tokens of a session.
    Tokens,
}

/// Settings of the events of requests: `events.*`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EventSettings {
    /// Of this many accepted requests one is reported; 0, the default, reports none.
    pub accepted: u32,
    /// Of this many refusals of an expired token one is reported; 0 reports none. By default 1:
    /// every refusal. There is one each time a client refreshes late.
    pub expired: u32,
}

impl Default for EventSettings {
    fn default() -> Self {
        Self {
            accepted: 0,
            expired: 1,
        }
    }
}

/// Settings of the OpenAPI document: `openapi.*`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OpenapiSettings {
    /// The path at which `install` serves the document. By default `/openapi.json`; if it is
    /// empty, the document is not served.
    pub path: String,
    /// The path at which `install` serves Swagger UI for the document (feature `swagger-ui`). By
    /// default `/docs/swagger`; if it is empty, and where the document is not served, there is
    /// no such page.
    pub swagger_ui: String,
    /// The title of the document. If not set, the name of the backend's package.
    pub title: Option<String>,
    /// The version of the application in the document. If not set, that of the backend's package.
    pub version: Option<String>,
    /// `true` if the document names the roles and scopes that each route requires. By default
    /// `false`, because everyone may read the document.
    pub policies: bool,
}

impl Default for OpenapiSettings {
    fn default() -> Self {
        Self {
            path: "/openapi.json".to_owned(),
            swagger_ui: "/docs/swagger".to_owned(),
            title: None,
            version: None,
            policies: false,
        }
    }
}

/// Settings of the archive: `archive.*`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ArchiveSettings {
    /// The time between two deletions of rows that have ended and are not needed any more; the
    /// first is a minute after the start. By default 1 h; zero for never, where the program calls
    /// `gate.archive` itself.
    pub interval: Duration,
    /// The time since its end after which a session is deleted. By default 7 d.
    pub age: Duration,
}

impl Default for ArchiveSettings {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(60 * 60),
            age: Duration::from_secs(7 * 24 * 60 * 60),
        }
    }
}
