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
    /// | `sqlite:path/to/file.db`, also with `?mode=rwc` and `%20` | [`SqliteStore`] | `sqlite` |
    /// | `postgres://user:password@host/database` | [`PostgresStore`] | `postgres` |
    /// | `redis://user:password@host`, `rediss://…` (TLS), `redis+sentinel://host,host/name` | [`RedisStore`] | `redis` |
    /// | `memory:` | [`MemoryStore`], whose sessions end with the process | |
    ///
    /// [`SqliteStore`]: super::SqliteStore
    /// [`PostgresStore`]: super::PostgresStore
    /// [`RedisStore`]: super::RedisStore
    ///
    /// # Errors
    /// [`ErrorKind::Settings`], with one line for each setting that the store does not use; or
    /// `store.url` is missing, has another scheme, or one whose feature this program was built
    /// without. [`ErrorKind::Store`] if the store itself refuses.
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
            "redis" | "rediss" | "redis+unix" | "valkey" | "valkeys" | "redis+sentinel"
            | "rediss+sentinel" | "redis+cluster" | "rediss+cluster" => Some(Self::Redis),
            _ => None,
        }
    }

    /// Returns its name in messages.
    const fn name(self) -> &'static str {
        match self {
            Self::Memory => "a store in memory",
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
            Self::Redis => "Redis",
        }
    }

    /// Returns the settings that are given but that it does not use.
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
            (
                "store.client_certificate",
                settings.client_certificate.is_some(),
                networked,
            ),
            ("store.client_key", settings.client_key.is_some(), networked),
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
    let path = sqlite_path(url).map_err(|what| refuse(format!("`store.url`: {what}")))?;
    let mut options = super::SqliteStore::options(path);
    if let Some(timeout) = settings.lock_timeout {
        options = options.busy_timeout(timeout);
    }
    Ok(options.open().await?.into())
}

/// Reads the path of a URL as sqlx does: `sqlite:relative`, `sqlite://relative` and
/// `sqlite:///absolute`, with `%20` and the like, and parameters after `?`. A parameter is refused
/// by name where it asks for something that the store does not do.
#[cfg(feature = "sqlite")]
pub(crate) fn sqlite_path(url: &str) -> Result<String, String> {
    let rest = url.strip_prefix("sqlite:").unwrap_or(url);
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let (path, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    let path = super::shared::percent::decoded(path)
        .filter(|path| !path.contains('\0'))
        .ok_or("its path is not UTF-8")?;
    if path.is_empty() || path == ":memory:" {
        return Err("a file has to follow `sqlite:`; `memory:` keeps sessions in memory".into());
    }
    for parameter in parameters.split('&').filter(|text| !text.is_empty()) {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let why = match (name, value) {
            ("mode", "rwc") | ("cache", "private") | ("immutable", "false" | "0") => continue,
            ("mode", "rw") => "the file is made where it is missing: write `mode=rwc`",
            ("mode", "ro") => "the store writes",
            ("mode", "memory") => "`memory:` keeps sessions in memory",
            ("mode", _) => "it is `rwc` or left out",
            ("cache", _) => "the store's connections share no cache",
            ("immutable", _) => "the store writes, and so may other processes",
            ("vfs", _) => "the store works on files of the operating system alone",
            _ => "there is no such parameter, and a `?` in a path is written `%3F`",
        };
        let name: String = name.chars().take(40).flat_map(char::escape_debug).collect();
        return Err(format!("its parameter `{name}` cannot be taken: {why}"));
    }
    Ok(path)
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
    if let (Some(certificate), Some(key)) = (&settings.client_certificate, &settings.client_key) {
        options = options.client_certificate(certificate, key);
    }
    if settings.tls == StoreTls::Verify {
        options = options.verify_tls();
    }
    Ok(options.connect().await?.into())
}

#[cfg(feature = "redis")]
async fn redis(url: &str, settings: &StoreSettings) -> Result<Store, Error> {
    let is_secure = ["rediss:", "valkeys:", "rediss+sentinel:"]
        .iter()
        .any(|scheme| url.starts_with(scheme));
    if settings.tls == StoreTls::Verify && !is_secure {
        return Err(refuse(
            "`store.tls`: `verify` needs a `store.url` that begins with `rediss://`",
        ));
    }
    for (name, is_given) in [
        (
            "store.root_certificates",
            settings.root_certificates.is_some(),
        ),
        (
            "store.client_certificate",
            settings.client_certificate.is_some(),
        ),
    ] {
        if is_given && !is_secure {
            return Err(refuse(format!(
                "`{name}`: needs a `store.url` that begins with `rediss://`"
            )));
        }
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
        options = options.root_certificates(read("store.root_certificates", path)?);
    }
    if let (Some(certificate), Some(key)) = (&settings.client_certificate, &settings.client_key) {
        options = options.client_certificate(
            read("store.client_certificate", certificate)?,
            read("store.client_key", key)?,
        );
    }
    Ok(options.connect().await?.into())
}

/// Reads the file that a setting names.
#[cfg(feature = "redis")]
fn read(name: &str, path: &str) -> Result<Vec<u8>, Error> {
    std::fs::read(path)
        .map_err(|error| refuse(format!("`{name}`: `{path}` cannot be read: {error}")))
}

/// Returns the SQL that makes the tables of a realm in an empty database, for people who run it
/// themselves; `None` if the store of the URL has no tables.
#[cfg(feature = "cli")]
pub(crate) fn schema_script(url: &str, realm: Option<&crate::realm::RealmName>) -> Option<String> {
    match StoreKind::of(url.split(':').next()?)? {
        StoreKind::Sqlite => Some(super::sqlite::schema::script(realm)),
        StoreKind::Postgres => Some(super::postgres::schema::script(realm)),
        StoreKind::Memory | StoreKind::Redis => None,
    }
}

fn refuse(what: impl std::fmt::Display) -> Error {
    Error::new(
        ErrorKind::Settings,
        format!("the settings cannot be used:\n{what}"),
    )
}
