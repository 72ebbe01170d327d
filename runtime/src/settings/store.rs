//! Settings of the store: `store.*`.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::value::{Scalar, SettingValue};

/// Settings of the store: `store.*`. [`Store::open`](crate::store::Store::open) reads them; a gate
/// whose store is made in code does not.
///
/// Where a setting is not set, the store's own default applies.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct StoreSettings {
    /// The kind of store, as the scheme, and its address.
    pub url: Option<StoreUrl>,
    /// The number of connections that this node opens at most. PostgreSQL (10), Redis (1).
    pub connections: Option<u32>,
    /// The time that an operation waits for a connection. PostgreSQL, Redis (2 s).
    pub connect_timeout: Option<Duration>,
    /// The time that a statement waits for a lock that another connection holds. PostgreSQL (2 s),
    /// SQLite (5 s).
    pub lock_timeout: Option<Duration>,
    /// The time that the server has for a statement. PostgreSQL, Redis (5 s).
    pub statement_timeout: Option<Duration>,
    /// The schema of the tables. PostgreSQL (the first of the search path).
    pub schema: Option<String>,
    /// The prefix of the keys. Redis (`tollgate`).
    pub deployment: Option<String>,
    /// The proof of identity that the server must give. PostgreSQL, Redis.
    pub tls: StoreTls,
    /// A file with the certificates, in PEM, that are trusted over TLS. PostgreSQL (in addition to
    /// those that browsers trust), Redis (instead of them).
    pub root_certificates: Option<String>,
    /// A file with the certificate by which this client identifies itself over TLS, in PEM.
    /// PostgreSQL, Redis.
    pub client_certificate: Option<String>,
    /// A file with the private key of that certificate, in PEM. PostgreSQL, Redis.
    pub client_key: Option<String>,
}

/// The proof of identity that a server must give: `store.tls`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StoreTls {
    /// As `store.url` says: `sslmode=` of PostgreSQL, which by default requires no proof; `rediss:`
    /// or not.
    #[default]
    AsUrl,
    /// The server must prove its identity: `sslmode=verify-full`, even if the URL says
    /// otherwise; with Redis, a URL without `rediss:` is refused.
    Verify,
}

/// The URL of a store. It may contain a password: `Debug` shows only the scheme, and no message
/// repeats it.
#[derive(Clone, PartialEq, Eq)]
pub struct StoreUrl(Zeroizing<String>);

impl StoreUrl {
    /// Takes the text as it is.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self(Zeroizing::new(url.into()))
    }

    /// Returns the text.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = [
            "sqlite",
            "postgres",
            "postgresql",
            "redis",
            "rediss",
            "redis+sentinel",
            "rediss+sentinel",
            "memory",
        ];
        let scheme = self
            .0
            .split(':')
            .next()
            .filter(|scheme| known.contains(scheme))
            .unwrap_or_default();
        write!(f, "StoreUrl({scheme}:[redacted])")
    }
}

impl SettingValue for StoreUrl {
    #[cfg(any(test, feature = "cli"))]
    fn schema() -> super::value::Schema {
        String::schema()
    }

    fn read(raw: Scalar<'_>) -> Result<Self, String> {
        String::read(raw).map(Self::new)
    }

    /// Shows a fixed text, because the URL may contain a password.
    fn show(&self) -> Option<String> {
        Some("[redacted]".to_owned())
    }
}
