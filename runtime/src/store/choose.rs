//! A store from the settings: the scheme of the URL chooses it, and settings that it does not use
//! are refused.

use crate::error::{Error, ErrorKind};
use crate::settings::{StoreSettings, StoreTls};

use super::{MemoryStore, Store};

impl Store {
    /// Opens the store that `store.url` names, with the other settings of `store.*`:
    ///
    /// | URL | store | feature |
    /// |---|---|---|
    /// | `sqlite:path/to/file.db` | [`SqliteStore`] | `sqlite` |
    /// | `postgres://user:password@host/database` | [`PostgresStore`] | `postgres` |
    /// | `redis://user:password@host`, `rediss://…` (TLS) | [`RedisStore`] | `redis` |
    /// | `memory:` | [`MemoryStore`], whose sessions end with the process | |
    ///
    /// [`SqliteStore`]: super::SqliteStore
    /// [`PostgresStore`]: super::PostgresStore
    /// [`RedisStore`]: super::RedisStore
    ///
    /// # Errors
    /// [`ErrorKind::Settings`], with one line for each setting that the store has no use for; or
    /// `store.url` is missing, has another scheme, or one whose feature this program was built
    /// without. [`ErrorKind::Store`] where the store itself refuses.
    ///
    /// # Examples
    /// ```
    /// # use tollgate::prelude::*;
    /// # async fn example() -> Result<(), tollgate::error::Error> {
    /// let settings = Settings::from_sources(Some(("tollgate.toml", "[store]\nurl = 'memory:'")),
    /// [])?; let store = Store::open(&settings.store).await?;
    /// # drop(store);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn open(settings: &StoreSettings) -> Result<Self, Error> {
        let url = settings
            .url
            .as_ref()
            .map(crate::settings::StoreUrl::expose)
            .unwrap_or_default();
        let scheme = url
            .split(':')
            .next()
            .filter(|_| url.contains(':'))
            .unwrap_or_default();
        let kind = StoreKind::of(scheme).ok_or_else(|| {
            refuse(if url.is_empty() {
                "`store.url`: is missing: set it in the file, or as TOLLGATE_STORE__URL".to_owned()
            } else {
                "`store.url`: begins with none of `sqlite:`, `postgres:`, `redis:`, `rediss:` and \
                 `memory:`"
                    .to_owned()
            })
        })?;
        let useless: Vec<String> = kind
            .useless(settings)
            .map(|name| format!("`{name}`: means nothing to {}", kind.name()))
            .collect();
        if !useless.is_empty() {
            return Err(refuse(useless.join("\n")));
        }
        kind.open(url, settings).await
    }
}

/// The stores that a URL can name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum StoreKind {
    Memory,
    Sqlite,
    Postgres,
    Redis,
}

impl StoreKind {
    /// Returns the store of a URL's scheme.
    fn of(scheme: &str) -> Option<Self> {
        match scheme {
            "memory" => Some(Self::Memory),
            "sqlite" => Some(Self::Sqlite),
            "postgres" | "postgresql" => Some(Self::Postgres),
            "redis" | "rediss" | "redis+unix" | "valkey" | "valkeys" => Some(Self::Redis),
            _ => None,
        }
    }

    /// Returns what messages call it.
    const fn name(self) -> &'static str {
        match self {
            Self::Memory => "a store in memory",
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
            Self::Redis => "Redis",
        }
    }

    /// Returns the settings that are given and mean nothing to it.
    fn useless(self, settings: &StoreSettings) -> impl Iterator<Item = &'static str> {
        let StoreSettings {
            url: _,
            connections,
            connect_timeout,
            lock_timeout,
            statement_timeout,
            ..
        } = settings;
        let (networked, postgres) = (
            matches!(self, Self::Postgres | Self::Redis),
            self == Self::Postgres,
        );
        let given = [
            ("store.connections", connections.is_some(), networked),
            (
                "store.connect_timeout",
                connect_timeout.is_some(),
                networked,
            ),
            (
                "store.lock_timeout",
                lock_timeout.is_some(),
                matches!(self, Self::Postgres | Self::Sqlite),
            ),
            (
                "store.statement_timeout",
                statement_timeout.is_some(),
                networked,
            ),
            ("store.schema", settings.schema.is_some(), postgres),
            (
                "store.deployment",
                settings.deployment.is_some(),
                self == Self::Redis,
            ),
            ("store.tls", settings.tls != StoreTls::default(), networked),
            (
                "store.root_certificates",
                settings.root_certificates.is_some(),
                networked,
            ),
        ];
        given
            .into_iter()
            .filter(|(_, is_given, is_used)| *is_given && !is_used)
            .map(|(name, ..)| name)
    }

    /// Opens the store.
    async fn open(self, url: &str, settings: &StoreSettings) -> Result<Store, Error> {
        match self {
            Self::Memory if url == "memory:" => Ok(MemoryStore::new().into()),
            Self::Memory => Err(refuse("`store.url`: `memory:` stands alone")),
            #[cfg(feature = "sqlite")]
            Self::Sqlite => sqlite(url, settings).await,
            #[cfg(feature = "postgres")]
            Self::Postgres => postgres(url, settings).await,
            #[cfg(feature = "redis")]
            Self::Redis => redis(url, settings).await,
            #[allow(unreachable_patterns, reason = "with every feature there is no other")]
            _ => {
                let _ = settings;
                let name = self.name();
                Err(refuse(format!(
                    "`store.url`: this program was built without the feature of tollgate that \
                     brings {name}"
                )))
            }
        }
    }
}

#[cfg(feature = "sqlite")]
async fn sqlite(url: &str, settings: &StoreSettings) -> Result<Store, Error> {
    let path = url.trim_start_matches("sqlite:");
    // `sqlite://relative` and `sqlite:///absolute`, as sqlx writes them, mean the same.
    let path = path.strip_prefix("//").unwrap_or(path);
    if path.is_empty() || path == ":memory:" || path.contains('?') {
        return Err(refuse(
            "`store.url`: a file has to follow `sqlite:`, and nothing else",
        ));
    }
    let mut options = super::SqliteStore::options(path);
    if let Some(timeout) = settings.lock_timeout {
        options = options.busy_timeout(timeout);
    }
    Ok(options.open().await?.into())
}

#[cfg(feature = "postgres")]
async fn postgres(url: &str, settings: &StoreSettings) -> Result<Store, Error> {
    let mut options = super::PostgresStore::options(url);
    if let Some(connections) = settings.connections {
        options = options.max_connections(connections);
    }
    if let Some(timeout) = settings.connect_timeout {
        options = options.acquire_timeout(timeout);
    }
    if let Some(timeout) = settings.lock_timeout {
        options = options.lock_timeout(timeout);
    }
    if let Some(timeout) = settings.statement_timeout {
        options = options.statement_timeout(timeout);
    }
    if let Some(schema) = &settings.schema {
        options = options.schema(schema);
    }
    if let Some(path) = &settings.root_certificates {
        options = options.root_certificates(path);
    }
    if settings.tls == StoreTls::Verify {
        options = options.verify_tls();
    }
    Ok(options.connect().await?.into())
}

#[cfg(feature = "redis")]
async fn redis(url: &str, settings: &StoreSettings) -> Result<Store, Error> {
    let is_secure = ["rediss:", "valkeys:"]
        .iter()
        .any(|scheme| url.starts_with(scheme));
    if settings.tls == StoreTls::Verify && !is_secure {
        return Err(refuse(
            "`store.tls`: `verify` needs a `store.url` that begins with `rediss://`",
        ));
    }
    if settings.root_certificates.is_some() && !is_secure {
        return Err(refuse(
            "`store.root_certificates`: needs a `store.url` that begins with `rediss://`",
        ));
    }
    let mut options = super::RedisStore::options(url);
    if let Some(connections) = settings.connections {
        options = options.connections(usize::try_from(connections).unwrap_or(usize::MAX));
    }
    if let Some(timeout) = settings.connect_timeout {
        options = options.connect_timeout(timeout);
    }
    if let Some(timeout) = settings.statement_timeout {
        options = options.response_timeout(timeout);
    }
    if let Some(deployment) = &settings.deployment {
        options = options.deployment(deployment);
    }
    if let Some(path) = &settings.root_certificates {
        let pem = std::fs::read(path).map_err(|error| {
            refuse(format!(
                "`store.root_certificates`: `{path}` cannot be read: {error}"
            ))
        })?;
        options = options.root_certificates(pem);
    }
    Ok(options.connect().await?.into())
}

fn refuse(what: impl std::fmt::Display) -> Error {
    Error::new(
        ErrorKind::Settings,
        format!("the settings cannot be used:\n{what}"),
    )
}
