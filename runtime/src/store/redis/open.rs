//! Connecting: the servers that are refused, with words that name the server and never the
//! password.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use redis::{ConnectionAddr, IntoConnectionInfo as _};
use zeroize::Zeroizing;

use super::connect::{ClientCertificate, Connector, RedisTarget, Tls, server_name};
use super::link::{Link, Replicas};
use super::sentinel::Sentinels;
use super::server;
use super::wake::Waiting;
use crate::error::{Error, ErrorKind};
use crate::realm::RealmName;
use crate::store::shared::operation::Cause;

/// Sessions in Redis 6.2 or later, or in Valkey, for any number of nodes. Clones share their
/// connections.
///
/// Each operation is one Lua script, so no other operation sees half of it. All keys begin with the
/// deployment's name as a hash tag, `{tollgate}:`, so that several deployments may share a server.
///
/// # What the server has to be
/// * `maxmemory-policy noeviction`: with any other, [`connect`](Self::connect) and `build()` are
///   refused. If a session is evicted, its user is signed out; if a revocation is evicted, a
///   revoked token is accepted. A server that is full answers
///   [`StoreError`](crate::store::StoreError) until there is room.
/// * `appendonly yes` and `appendfsync always`, if an operation that was answered must survive a
///   crash of the server. With `everysec` a crash loses up to a second of sign-ins, refreshes and
///   sign-outs; without an append-only file it loses all since the last dump, and `connect` warns
///   about that.
/// * One primary, at a fixed address or found by Sentinel. Redis Cluster is refused: the store does
///   not follow a slot that moves.
///
/// # What replication does not promise
/// Redis replicates after it has answered. A failover may lose operations that were answered: a
/// rotation, whose client then seems to be ahead of the store
/// (`store_rollback_suspected`, 401), or a revocation, which nodes that have read it keep in memory
/// and nodes that start later never learn of. [`RedisOptions::wait_for_replicas`] makes that
/// unlikely (`WAIT`), not impossible: nothing here is linearizable.
///
/// # When everything is gone
/// If a running node finds Redis empty, or another deployment in its place, it founds the
/// deployment again and writes a global epoch that no token issued before can carry: every session
/// is over, and every node refuses all earlier access tokens as soon as it has read the log. If all
/// nodes stop while Redis loses everything, no node knows of the loss: access tokens that were
/// revoked within the last access lifetime are accepted again until they expire, and a revoked
/// signing key until it is taken out of the ring.
///
/// # What it costs
/// Ending the sessions of a client, or all of them, visits every session that was not ended before,
/// and Redis does nothing else meanwhile.
#[derive(Clone)]
pub struct RedisStore {
    pub(super) server: Arc<RedisServer>,
    pub(super) namespace: Arc<RedisNamespace>,
}

/// The server of a store, which all its realms share.
pub(super) struct RedisServer {
    pub(super) link: Link,
    /// Host and port, or the socket's path.
    address: String,
    pub(super) waiting: Waiting,
    pub(super) default: Arc<RedisNamespace>,
    /// The namespaces of the realms that this process has used.
    pub(super) realms: Mutex<BTreeMap<RealmName, Arc<RedisNamespace>>>,
}

/// The keys of a realm.
pub(super) struct RedisNamespace {
    /// The prefix of every key.
    pub(super) prefix: String,
    /// The deployment on which handles of this realm work: the id that was there when it was
    /// migrated.
    pub(super) deployment: ArcSwapOption<String>,
}

impl RedisNamespace {
    pub(super) fn new(prefix: String) -> Self {
        Self {
            prefix,
            deployment: ArcSwapOption::empty(),
        }
    }
}

impl RedisStore {
    /// Connects with the default options to `redis://[user:password@]host[:port][/database]`, over
    /// TLS to `rediss://…`, to `redis+unix:///path`, or to the primary that Sentinel names,
    /// `redis+sentinel://[user:password@]host[:port][,host[:port]…]/name[/database]` (over TLS
    /// `rediss+sentinel://…`; the login at the sentinels is
    /// `?sentinel_user=…&sentinel_password=…`).
    ///
    /// # Errors
    /// The address cannot be read or reached, the password is refused, the server is too old, is a
    /// replica, or may evict keys. The message names the server, never the password.
    pub async fn connect(url: impl AsRef<str>) -> Result<Self, Error> {
        Self::options(url).connect().await
    }

    /// Connects with other than the default options.
    #[must_use]
    pub fn options(url: impl AsRef<str>) -> RedisOptions {
        RedisOptions::new(url.as_ref())
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "RedisStore({}, {})",
            self.server.address,
            self.namespace.prefix.trim_end_matches(':')
        )
    }
}

/// The options of a connection to a server. Made by [`RedisStore::options`].
#[derive(Clone)]
pub struct RedisOptions {
    url: String,
    deployment: String,
    connect_timeout: Duration,
    response_timeout: Duration,
    connections: usize,
    replicas: Option<Replicas>,
    roots: Option<Vec<u8>>,
    client: Option<ClientCertificate>,
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
            client: None,
        }
    }

    /// Sets the deployment's name, with which its keys begin: `{name}:`. By default `tollgate`.
    #[must_use]
    pub fn deployment(mut self, name: impl Into<String>) -> Self {
        self.deployment = name.into();
        self
    }

    /// Sets how long connecting may take. By default 2 s.
    #[must_use]
    pub const fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Sets how long an answer may take; after that the operation is answered with an error and its
    /// connection is given up. By default 5 s.
    #[must_use]
    pub const fn response_timeout(mut self, timeout: Duration) -> Self {
        self.response_timeout = timeout;
        self
    }

    /// Sets how many connections there are. By default 1: Redis runs one script at a time, and a
    /// connection carries many operations at once. With
    /// [`wait_for_replicas`](Self::wait_for_replicas) all callers of a connection wait together, so
    /// a few more help.
    #[must_use]
    pub const fn connections(mut self, connections: usize) -> Self {
        self.connections = connections;
        self
    }

    /// Answers a write only when so many replicas have it, and with an error if they do not within
    /// `timeout` (`WAIT`). The write is then done all the same, on the primary. By default 0. It
    /// makes it unlikely that an answered operation is lost at a failover; it does not make Redis
    /// linearizable.
    #[must_use]
    pub const fn wait_for_replicas(mut self, replicas: u32, timeout: Duration) -> Self {
        self.replicas = Some(Replicas {
            count: replicas,
            timeout,
        });
        self
    }

    /// Sets the only certificates, in PEM, that are trusted over TLS (`rediss://`). By default
    /// those that browsers trust.
    #[must_use]
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.roots = Some(pem.into());
        self
    }

    /// Sets the certificate by which this client identifies itself over TLS (`rediss://`), followed
    /// by those of its issuers, and its private key, both in PEM. By default none.
    #[must_use]
    pub fn client_certificate(
        mut self,
        certificates: impl Into<Vec<u8>>,
        key: impl Into<Vec<u8>>,
    ) -> Self {
        self.client = Some(ClientCertificate {
            certificates: certificates.into(),
            key: Zeroizing::new(key.into()),
        });
        self
    }

    /// Connects, and checks that the server never evicts keys.
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
        let (target, tls) = self.target()?;
        let address = target.address();
        let response = self.response_timeout.saturating_add(
            self.replicas
                .map_or(Duration::ZERO, |replicas| replicas.timeout),
        );
        let connector = Connector::new(target, self.connect_timeout, response, tls);
        let prefix = format!("{{{}}}:", self.deployment);
        let waiting = Waiting::new(response / 2);
        let link = Link::new(connector, self.connections, self.replicas);

        let about = link.ask(&redis::cmd("INFO")).await;
        if let Err(error) = &about
            && !server::is_forbidden(error)
        {
            return Err(server::refused(&address, error));
        }
        let refusal =
            |what: String| Error::new(ErrorKind::Store, format!("Redis at `{address}` {what}"));
        let info = about.as_ref().ok().map(server::info).unwrap_or_default();
        server::check_server(&info).map_err(refusal)?;
        let has_log = info.get("aof_enabled").is_none_or(|enabled| enabled == "1");
        server::check_eviction(&link, about)
            .await
            .map_err(|what| refusal(what.to_string()))?;
        if !has_log {
            tracing::warn!(
                server = %address,
                "Redis keeps no append-only file: what it answered since its last dump is gone when \
                 it stops. Set `appendonly yes`"
            );
        }
        let default = Arc::new(RedisNamespace::new(prefix));
        Ok(RedisStore {
            namespace: Arc::clone(&default),
            server: Arc::new(RedisServer {
                link,
                address,
                waiting,
                default,
                realms: Mutex::default(),
            }),
        })
    }

    /// Reads the URL. The library's own error is left out, because it may repeat a part of the URL.
    fn target(&self) -> Result<(RedisTarget, Option<Tls>), Error> {
        let refused = |what: &str| Error::new(ErrorKind::Store, format!("the URL of Redis {what}"));
        let unreadable = || refused("is not `redis[s]://[user:password@]host[:port][/database]`");
        let (scheme, rest) = self.url.split_once(':').ok_or_else(unreadable)?;
        let hosts = rest.trim_start_matches('/').split('/').next();
        let hosts = hosts.map_or("", |authority| {
            authority
                .rsplit_once('@')
                .map_or(authority, |(_, hosts)| hosts)
        });
        let is_secure = matches!(scheme, "rediss" | "valkeys" | "rediss+sentinel");
        let target = match scheme {
            "redis+sentinel" | "rediss+sentinel" => {
                let rest = rest.strip_prefix("//").ok_or_else(unreadable)?;
                RedisTarget::Primary(Sentinels::parse(rest).map_err(refused)?)
            }
            "redis+cluster" | "rediss+cluster" | "redis-cluster" => {
                return Err(refused(
                    "means a Redis Cluster, which does not work yet: give a server, or sentinels",
                ));
            }
            "redis" | "rediss" | "valkey" | "valkeys" if hosts.contains(',') => {
                return Err(refused(
                    "names several hosts: sentinels are `redis+sentinel://host,host/name`, and a \
                     Redis Cluster does not work yet",
                ));
            }
            _ => {
                let plain = match scheme {
                    "rediss" | "valkeys" => format!("redis:{rest}"),
                    _ => self.url.clone(),
                };
                let info = plain.into_connection_info().map_err(|_| unreadable())?;
                RedisTarget::Server(info)
            }
        };
        if !is_secure {
            let given = self.roots.is_some() || self.client.is_some();
            return if given {
                Err(refused(
                    "begins with no `rediss://`, and certificates are given",
                ))
            } else {
                Ok((target, None))
            };
        }
        let set_up = |error: Cause| {
            Error::new(ErrorKind::Store, "TLS to Redis cannot be set up").because(error)
        };
        if let RedisTarget::Server(info) = &target {
            let host = match info.addr() {
                ConnectionAddr::Tcp(host, _) => host.as_str(),
                _ => "",
            };
            server_name(host).map_err(|error| set_up(error.into()))?;
        }
        let tls = Tls::new(self.roots.as_deref(), self.client.as_ref()).map_err(set_up)?;
        Ok((target, Some(tls)))
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
