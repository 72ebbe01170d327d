//! Connecting: the options of the URL and the builder, and the servers and databases that are
//! refused.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use tokio::time::timeout;

use super::asked::AskedSettings;
use super::parameters::PostgresUrl;
use super::pool::ConnectionPool;
use super::realm::Connection;
use super::run::{PostgresDatabase, PostgresNamespace};
use super::server::{obstacle, what_refused};
use super::wake::Wake;
use crate::error::{Error, ErrorKind};
use crate::store::shared::tables::RealmTables;

/// Sessions in a PostgreSQL database, version 13 or later. Clones share their connections.
///
/// Every operation is one transaction (READ COMMITTED, `synchronous_commit=on`), most of them one
/// statement. If another one holds a lock for longer than the lock time-out, no connection becomes
/// free or can be opened in time, or the server does not answer, the answer is
/// [`StoreError`](crate::store::StoreError), and the next operation starts afresh. After a deadlock
/// or a serialization failure the operation is tried again, a few times.
///
/// An operation that has begun runs to its end, even if its caller is gone.
///
/// Nodes learn of each other's revocations by `NOTIFY`, for which each listens on a connection of
/// its own, and by reading the log, one small statement a second and node. A refresh sends no
/// notification, because all commits would then wait for each other.
///
/// The tables' names begin with `tg_`, so they may be in a database of the program's own, in a
/// schema of their own if one was [given](PostgresOptions::schema). The store needs the right to
/// create them, at first, and to read and write them.
///
/// A pooler in between has to keep a connection for a client, as PgBouncer does in session mode.
/// The store sets options on each connection (`synchronous_commit`, time-outs, the search path) and
/// reads them back once it is open. A connection with another value is refused, with the name of
/// the setting: PgBouncer drops the ones that `ignore_startup_parameters` names, so there the role
/// must have these settings (`ALTER ROLE … SET …`).
#[derive(Clone)]
pub struct PostgresStore {
    pub(super) database: Arc<PostgresDatabase>,
    pub(super) namespace: Arc<PostgresNamespace>,
}

impl PostgresStore {
    /// Connects with the default options: see [`PostgresOptions`] for them, and for the parameters
    /// of the URL.
    ///
    /// # Errors
    /// The URL cannot be read, the server cannot be reached or refuses the user, it is too old, a
    /// standby or read-only, the database is not in UTF-8 or was written by a newer version. The
    /// message names user, host and database, and never the password.
    pub async fn connect(url: &str) -> Result<Self, Error> {
        Self::options(url).connect().await
    }

    /// Connects with other than the default options.
    #[must_use]
    pub fn options(url: &str) -> PostgresOptions {
        PostgresOptions::new(Base::Url(url.to_owned()), 10)
    }

    /// Connects as a pool of the program does, with at most four connections of the store's own: a
    /// program with a pool of sqlx gives `pool.connect_options()`. The pool itself is used only by
    /// [`AuthFlow::open_in`](crate::extract::AuthFlow::open_in) and
    /// [`Gate::revoke_in`](crate::gate::Gate::revoke_in).
    #[must_use]
    pub fn from_options(options: &PgConnectOptions) -> PostgresOptions {
        PostgresOptions::new(Base::Options(Box::new(options.clone())), 4)
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresStore({})", self.database.place)
    }
}

/// The options of a connection to a database. Made by [`PostgresStore::options`].
///
/// The URL is `postgres://user:password@host:port/database`, with special characters as `%40` and
/// the like. After it may come `?sslmode=`, one of `disable`, `prefer` (the default: TLS where the
/// server has it, but no proof that it is the right server), `require` (TLS, but no proof either),
/// `verify-ca` and `verify-full`: across a network use `verify-full`. Certificates are checked
/// against Mozilla's roots and the file of `sslrootcert=`; `sslcert=` and `sslkey=` are the
/// client's own. A host that begins with `/` is the folder of a Unix socket. The other parameters
/// that PostgreSQL's own programs know (`connect_timeout`, `channel_binding`,
/// `target_session_attrs` …) are honoured, or refused by name where they ask for something that is
/// not possible; several hosts are refused. Values that are missing from the URL come from the
/// variables and the password file that PostgreSQL's own programs read (`PGHOST`, `PGPASSWORD`,
/// `~/.pgpass` …).
#[derive(Clone)]
pub struct PostgresOptions {
    base: Base,
    schema: Option<String>,
    max_connections: u32,
    acquire_timeout: Option<Duration>,
    lock_timeout: Duration,
    statement_timeout: Duration,
    roots: Option<PathBuf>,
    client: Option<(PathBuf, PathBuf)>,
    verifies: bool,
}

/// The source of the options.
#[derive(Clone)]
enum Base {
    Url(String),
    Options(Box<PgConnectOptions>),
}

impl PostgresOptions {
    fn new(base: Base, max_connections: u32) -> Self {
        Self {
            base,
            schema: None,
            max_connections,
            acquire_timeout: None,
            lock_timeout: Duration::from_secs(2),
            statement_timeout: Duration::from_secs(5),
            roots: None,
            client: None,
            verifies: false,
        }
    }

    /// Sets the schema of the tables, which is created if it is missing. Letters, digits and `_`,
    /// at most 63 of them, and not a digit first. By default the first one of the role's search
    /// path, usually `public`.
    #[must_use]
    pub fn schema(mut self, name: &str) -> Self {
        self.schema = Some(name.to_owned());
        self
    }

    /// Sets how many connections this node opens at most, as they are needed, besides one on which
    /// it listens and one on which it notifies. By default 10. All nodes together have to stay
    /// below the server's `max_connections`.
    #[must_use]
    pub const fn max_connections(mut self, connections: u32) -> Self {
        self.max_connections = connections;
        self
    }

    /// Sets how long an operation waits for a connection, one that becomes free or a new one. By
    /// default `connect_timeout` of the URL, or 2 s without one.
    #[must_use]
    pub const fn acquire_timeout(mut self, timeout: Duration) -> Self {
        self.acquire_timeout = Some(timeout);
        self
    }

    /// Sets how long a statement waits for each lock that another transaction holds. By default 2
    /// s.
    #[must_use]
    pub const fn lock_timeout(mut self, timeout: Duration) -> Self {
        self.lock_timeout = timeout;
        self
    }

    /// Sets how long a statement may take, and, with a second more, a whole operation. By default 5
    /// s. After that a server that does not answer is given up. Migrations and the revocation of a
    /// client or of everything, which may change every row, have ten minutes.
    #[must_use]
    pub const fn statement_timeout(mut self, timeout: Duration) -> Self {
        self.statement_timeout = timeout;
        self
    }

    /// Adds a file of certificates, in PEM, that are trusted in addition to Mozilla's: replaces
    /// `sslrootcert=`.
    #[must_use]
    pub fn root_certificates(mut self, path: impl Into<PathBuf>) -> Self {
        self.roots = Some(path.into());
        self
    }

    /// Sets the files of the certificate by which this client identifies itself over TLS, and of
    /// its private key, both in PEM: replaces `sslcert=` and `sslkey=`.
    #[must_use]
    pub fn client_certificate(
        mut self,
        certificate: impl Into<PathBuf>,
        key: impl Into<PathBuf>,
    ) -> Self {
        self.client = Some((certificate.into(), key.into()));
        self
    }

    /// Requires TLS and a proof that the server is the one of the URL (`sslmode=verify-full`),
    /// whatever the URL says.
    #[must_use]
    pub const fn verify_tls(mut self) -> Self {
        self.verifies = true;
        self
    }

    /// Connects, and checks the server and the database.
    ///
    /// # Errors
    /// As [`PostgresStore::connect`]; and the name of the schema is not valid.
    pub async fn connect(self) -> Result<PostgresStore, Error> {
        let ParsedOptions {
            options,
            asked,
            acquire_timeout,
        } = self.parsed()?;
        let place = place(&options);
        let refused = |what: &str| {
            Error::new(
                ErrorKind::Store,
                format!("the PostgreSQL database `{place}` {what}"),
            )
        };

        let tables = Arc::new(RealmTables::of(None));
        let mut db = match timeout(acquire_timeout, options.connect()).await {
            Ok(Ok(db)) => db,
            Ok(Err(error)) => return Err(refused(what_refused(&error)).because(error)),
            Err(_) => return Err(refused("cannot be reached: there was no answer in time")),
        };
        match timeout(self.statement_timeout, asked.difference(&mut db)).await {
            Ok(Ok(None)) => {}
            Ok(Ok(Some(difference))) => return Err(refused(&difference)),
            Ok(Err(error)) => return Err(refused("cannot be read").because(error)),
            Err(_) => return Err(refused("cannot be read: there was no answer in time")),
        }
        let mut db = Connection::new(db, Arc::clone(&tables));
        match timeout(self.statement_timeout, obstacle(&mut db)).await {
            Ok(Ok(None)) => {}
            Ok(Ok(Some(obstacle))) => return Err(refused(&obstacle)),
            Ok(Err(fault)) => return Err(refused("cannot be read").because(fault.into_source())),
            Err(_) => return Err(refused("cannot be read: there was no answer in time")),
        }
        // The store opens its own connections when it needs them, so an error on closing this one
        // changes nothing.
        let _ = timeout(acquire_timeout, db.close()).await;

        let wake = Wake::new(options.clone(), None);
        let pool = ConnectionPool::new(options, asked, self.max_connections, acquire_timeout);
        let patience = self
            .statement_timeout
            .saturating_add(Duration::from_secs(1));
        let default = Arc::new(PostgresNamespace {
            tables,
            wake: Arc::new(wake),
        });
        Ok(PostgresStore {
            namespace: Arc::clone(&default),
            database: Arc::new(PostgresDatabase {
                place,
                schema: self.schema,
                pool,
                patience,
                default,
                realms: Mutex::default(),
            }),
        })
    }

    /// Returns the options for sqlx: those of the URL, and those that the store needs in any case.
    fn parsed(&self) -> Result<ParsedOptions, Error> {
        // No part of the URL is shown: if it cannot be read, any part may be the password.
        let refused = |what: &str| {
            Error::new(
                ErrorKind::Store,
                format!("the URL of the PostgreSQL database {what}"),
            )
        };
        let (options, connect_timeout, fallback_name) = match &self.base {
            Base::Options(options) => ((**options).clone(), None, None),
            Base::Url(url) => {
                if !["postgres://", "postgresql://"]
                    .iter()
                    .any(|scheme| url.starts_with(scheme))
                {
                    return Err(refused("does not begin with `postgres://`"));
                }
                let url = PostgresUrl::parse(url).map_err(|what| refused(&what))?;
                let options = PgConnectOptions::from_str(&url.url)
                    .map_err(|error| refused("cannot be read").because(error))?;
                (options, url.connect_timeout, url.application_name)
            }
        };

        let millis = |timeout: Duration| {
            timeout
                .as_millis()
                .clamp(1, i32::MAX.unsigned_abs().into())
                .to_string()
        };
        let mut asked = vec![
            ("synchronous_commit", "on".to_owned()),
            ("default_transaction_isolation", "read committed".to_owned()),
            ("lock_timeout", millis(self.lock_timeout)),
            ("statement_timeout", millis(self.statement_timeout)),
            (
                "idle_in_transaction_session_timeout",
                millis(self.statement_timeout),
            ),
        ];
        match &self.schema {
            Some(name) if is_name(name) => asked.push(("search_path", format!("\"{name}\""))),
            Some(name) => {
                return Err(Error::new(
                    ErrorKind::Store,
                    format!("`{name}` cannot be the name of a schema"),
                ));
            }
            None => {}
        }
        let asked = AskedSettings::new(asked);
        // The last value counts: it overrides what the URL or the environment set before.
        let options = options
            .options(asked.pairs().iter().map(|(name, value)| (*name, value)))
            .options([("client_min_messages", "warning")]);
        let options = match &self.roots {
            Some(path) => options.ssl_root_cert(path),
            None => options,
        };
        let options = match &self.client {
            Some((certificate, key)) => options.ssl_client_cert(certificate).ssl_client_key(key),
            None => options,
        };
        let options = if self.verifies {
            options.ssl_mode(PgSslMode::VerifyFull)
        } else {
            options
        };
        let has_name = options.get_application_name().is_some();
        let options = if has_name {
            options
        } else {
            options.application_name(fallback_name.as_deref().unwrap_or("tollgate"))
        };
        Ok(ParsedOptions {
            options: options.disable_statement_logging(),
            asked,
            acquire_timeout: self
                .acquire_timeout
                .or(connect_timeout)
                .unwrap_or(ACQUIRE_TIMEOUT),
        })
    }
}

impl fmt::Debug for PostgresOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (place, acquire_timeout) = match self.parsed() {
            Ok(parsed) => (place(&parsed.options), parsed.acquire_timeout),
            Err(error) => (error.to_string(), ACQUIRE_TIMEOUT),
        };
        f.debug_struct("PostgresOptions")
            .field("place", &place)
            .field("schema", &self.schema)
            .field("max_connections", &self.max_connections)
            .field("acquire_timeout", &acquire_timeout)
            .field("lock_timeout", &self.lock_timeout)
            .field("statement_timeout", &self.statement_timeout)
            .finish_non_exhaustive()
    }
}

/// The options of a URL and the builder together.
struct ParsedOptions {
    options: PgConnectOptions,
    asked: AskedSettings,
    acquire_timeout: Duration,
}

/// Returns the place of a database, for messages.
fn place(options: &PgConnectOptions) -> String {
    let host = options
        .get_socket()
        .map_or(options.get_host().into(), |folder| folder.to_string_lossy());
    let (user, port) = (options.get_username(), options.get_port());
    format!(
        "{user}@{host}:{port}/{}",
        options.get_database().unwrap_or(user)
    )
}

/// Returns whether a name means the same with and without quotes, in every statement.
fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    let first = bytes
        .next()
        .is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    first && name.len() <= 63 && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(2);
