//! Connecting: what is refused, with words that name the server and never the password.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use redis::{Client, ConnectionAddr, ErrorKind as Kind, RedisError, ServerErrorKind, Value};

use super::connect::{Connector, Tls};
use super::link::{Link, Replicas};
use super::wake::Waiting;
use super::{Inner, Outcome, RedisStore, reply};
use crate::error::{Error, ErrorKind};

/// How a server is connected to. Made by [`RedisStore::options`].
#[derive(Clone)]
pub struct RedisOptions {
    url: String,
    deployment: String,
    connect_timeout: Duration,
    response_timeout: Duration,
    connections: usize,
    replicas: Option<Replicas>,
    roots: Option<Vec<u8>>,
}

impl RedisOptions {
    pub(super) fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            deployment: "tollgate".to_owned(),
            connect_timeout: Duration::from_secs(2),
            response_timeout: Duration::from_secs(5),
            connections: 1,
            replicas: None,
            roots: None,
        }
    }

    /// The deployment's name, with which its keys begin: `{name}:`. Default `tollgate`.
    #[must_use]
    pub fn deployment(mut self, name: impl Into<String>) -> Self {
        self.deployment = name.into();
        self
    }

    /// How long connecting may take. Default 2 s.
    #[must_use]
    pub const fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long an answer may take, before the operation is answered with an error and its
    /// connection given up. Default 5 s.
    #[must_use]
    pub const fn response_timeout(mut self, timeout: Duration) -> Self {
        self.response_timeout = timeout;
        self
    }

    /// How many connections there are. Default 1: Redis runs one script at a time, and a connection
    /// carries many operations at once. With [`wait_for_replicas`](Self::wait_for_replicas) a
    /// connection waits together with whoever uses it, so a few more help.
    #[must_use]
    pub const fn connections(mut self, connections: usize) -> Self {
        self.connections = connections;
        self
    }

    /// Answers a write only when so many replicas have it, and with an error where they have not
    /// within `timeout` (`WAIT`). The write is done then all the same, on the primary. Default
    /// none. It makes the loss of an answered operation at a failover unlikely; it does not make
    /// Redis linearizable.
    #[must_use]
    pub const fn wait_for_replicas(mut self, replicas: u32, timeout: Duration) -> Self {
        self.replicas = Some(Replicas {
            count: replicas,
            timeout,
        });
        self
    }

    /// Whose certificates are trusted over TLS (`rediss://`): these, in PEM, and nobody else's.
    /// Default those that browsers trust.
    #[must_use]
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.roots = Some(pem.into());
        self
    }

    /// Connects, and checks that the server keeps what it is given.
    ///
    /// # Errors
    /// As [`RedisStore::connect`]; the deployment's name is empty or has braces.
    pub async fn connect(self) -> Result<RedisStore, Error> {
        if self.deployment.is_empty() || self.deployment.contains(['{', '}']) {
            return Err(Error::new(
                ErrorKind::Store,
                "a deployment's name is not empty and has no braces",
            ));
        }
        let (client, tls) = self.client()?;
        let address = client.get_connection_info().addr().to_string();
        let response = self.response_timeout.saturating_add(
            self.replicas
                .map_or(Duration::ZERO, |replicas| replicas.timeout),
        );
        let connector = Connector::new(client, self.connect_timeout, response, tls);
        let prefix = format!("{{{}}}:", self.deployment);
        let waiting = Waiting::new(response / 2);
        let link = Link::new(connector, self.connections, self.replicas, prefix);

        let about = link.ask(&redis::cmd("INFO")).await;
        if let Err(error) = &about
            && !is_forbidden(error)
        {
            return Err(refused(&address, error));
        }
        let refusal =
            |what: String| Error::new(ErrorKind::Store, format!("Redis at `{address}` {what}"));
        let facts = about.as_ref().ok().map(facts).unwrap_or_default();
        check_server(&facts).map_err(refusal)?;
        let has_log = facts
            .get("aof_enabled")
            .is_none_or(|enabled| enabled == "1");
        check_eviction(&link, about)
            .await
            .map_err(|what| refusal(what.to_string()))?;
        if !has_log {
            tracing::warn!(
                server = %address,
                "Redis keeps no append-only file: what it answered since its last dump is gone when it stops. Set `appendonly yes`"
            );
        }
        Ok(RedisStore(Arc::new(Inner {
            link,
            address,
            deployment: ArcSwapOption::empty(),
            waiting,
        })))
    }

    /// What the URL says. The library's own words about it are left out, for they may repeat a part
    /// of it.
    fn client(&self) -> Result<(Client, Option<Tls>), Error> {
        let unreadable = |_| {
            Error::new(
                ErrorKind::Store,
                "the URL of Redis is not `redis[s]://[user:password@]host[:port][/database]`",
            )
        };
        let secure = ["rediss:", "valkeys:"]
            .into_iter()
            .find_map(|scheme| self.url.strip_prefix(scheme));
        let Some(rest) = secure else {
            return Ok((Client::open(self.url.as_str()).map_err(unreadable)?, None));
        };
        let client = Client::open(format!("redis:{rest}")).map_err(unreadable)?;
        let host = match client.get_connection_info().addr() {
            ConnectionAddr::Tcp(host, _) => host.clone(),
            _ => String::new(),
        };
        let tls = Tls::new(&host, self.roots.as_deref()).map_err(|error| {
            Error::new(ErrorKind::Store, "TLS to Redis cannot be set up").because(error)
        })?;
        Ok((client, Some(tls)))
    }
}

impl fmt::Debug for RedisOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisOptions")
            .field("deployment", &self.deployment)
            .field("connect_timeout", &self.connect_timeout)
            .field("response_timeout", &self.response_timeout)
            .field("connections", &self.connections)
            .field("replicas", &self.replicas)
            .finish_non_exhaustive()
    }
}

/// Why a server cannot be used, from what went wrong with it.
fn refused(address: &str, error: &RedisError) -> Error {
    let text = error.to_string();
    let what = if text.contains("NOAUTH") {
        "asks for a password, and the URL has none"
    } else if text.contains("WRONGPASS")
        || error.kind() == Kind::AuthenticationFailed
        || text.contains("invalid password")
    {
        "refuses the user or the password"
    } else if error.kind() == Kind::Server(ServerErrorKind::BusyLoading) {
        "is still loading its data"
    } else if text.contains("certificate") {
        "shows a certificate that is not trusted"
    } else if error.is_timeout() {
        "does not answer in time"
    } else if error.is_io_error() {
        "cannot be reached"
    } else {
        "does not answer as Redis does"
    };
    Error::new(ErrorKind::Store, format!("Redis at `{address}` {what}")).because(error.clone())
}

fn is_forbidden(error: &RedisError) -> bool {
    error.kind() == Kind::Server(ServerErrorKind::NoPerm)
}

type Facts = std::collections::HashMap<String, String>;

/// What `INFO` says, a `name:value` a line.
fn facts(about: &Value) -> Facts {
    let Ok(text) = reply::text(about.clone()) else {
        return Facts::new();
    };
    let lines = text.lines().filter_map(|line| line.split_once(':'));
    lines
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect()
}

fn check_server(facts: &Facts) -> Result<(), String> {
    let number = |text: &str| text.parse::<u32>().unwrap_or(0);
    if let Some(version) = facts.get("redis_version") {
        let mut parts = version.split('.').map(number);
        if (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) < OLDEST {
            return Err(format!(
                "is version {version}; {}.{} is the oldest that works",
                OLDEST.0, OLDEST.1
            ));
        }
    }
    if facts.get("role").is_some_and(|role| role == "slave") {
        return Err("is a replica: connect to the primary".to_owned());
    }
    Ok(())
}

/// Refuses a server that may evict what it holds (R101), and one that does not say whether it may.
pub(super) async fn check_eviction(link: &Link, about: Result<Value, RedisError>) -> Outcome<()> {
    let policy = match about {
        Ok(about) => facts(&about).remove("maxmemory_policy"),
        Err(error) if is_forbidden(&error) => None,
        Err(error) => return Err(error.into()),
    };
    let policy = match policy {
        Some(policy) => policy,
        None => asked_policy(link).await?,
    };
    if policy == "noeviction" {
        return Ok(());
    }
    Err(format!(
        "may evict what it holds: its `maxmemory-policy` is `{policy}`, and has to be `noeviction`"
    )
    .into())
}

/// The policy as `CONFIG` says it, where `INFO` did not.
async fn asked_policy(link: &Link) -> Outcome<String> {
    let unknown =
        "does not say whether it evicts what it holds: allow this user the command `INFO`";
    let mut command = redis::cmd("CONFIG");
    command.arg("GET").arg("maxmemory-policy");
    match link.ask(&command).await {
        Ok(answer) => {
            let policy = reply::list(answer)
                .ok()
                .and_then(|answer| answer.into_iter().nth(1));
            policy
                .map(reply::text)
                .transpose()?
                .ok_or_else(|| unknown.into())
        }
        Err(error) if error.is_io_error() => Err(error.into()),
        Err(_) => Err(unknown.into()),
    }
}

/// The oldest version that has every command that the scripts use (`XADD … MINID`).
const OLDEST: (u32, u32) = (6, 2);
