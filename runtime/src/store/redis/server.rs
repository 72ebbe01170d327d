//! The servers that are refused, with words that name the server and never the password.

use redis::{ErrorKind as Kind, RedisError, ServerErrorKind, Value};

use super::connect::UNKNOWN_PRIMARY;
use super::link::Link;
use super::reply;
use crate::error::{Error, ErrorKind};
use crate::store::shared::operation::Cause;

/// Returns the error of a server that cannot be used.
pub(super) fn refused(address: &str, error: &RedisError) -> Error {
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
    } else if text.contains(UNKNOWN_PRIMARY) {
        "is the name of no primary that the sentinels know"
    } else if text.contains("fatal alert") {
        "refuses TLS with this client: it may want a certificate of the client, \
         `store.client_certificate`, or another one"
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

/// Returns whether the user may not run a command.
pub(super) fn is_forbidden(error: &RedisError) -> bool {
    error.kind() == Kind::Server(ServerErrorKind::NoPerm)
}

/// The facts that a server states about itself, by name.
pub(super) type ServerInfo = std::collections::HashMap<String, String>;

/// Reads the answer of `INFO`, a `name:value` a line.
pub(super) fn info(about: &Value) -> ServerInfo {
    let Ok(text) = reply::text(about.clone()) else {
        return ServerInfo::new();
    };
    let lines = text.lines().filter_map(|line| line.split_once(':'));
    lines
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect()
}

/// Refuses a server that is too old, a replica, a sentinel or a node of a cluster.
pub(super) fn check_server(info: &ServerInfo) -> Result<(), String> {
    let number = |text: &str| text.parse::<u32>().unwrap_or(0);
    if let Some(version) = info.get("redis_version") {
        let mut parts = version.split('.').map(number);
        if (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) < OLDEST {
            return Err(format!(
                "is version {version}; {}.{} is the oldest that works",
                OLDEST.0, OLDEST.1
            ));
        }
    }
    if info
        .get("redis_mode")
        .is_some_and(|mode| mode == "sentinel")
    {
        return Err(
            "is a sentinel: write `redis+sentinel://host,host/name`, with the name of the primary"
                .to_owned(),
        );
    }
    let is_cluster = info.get("cluster_enabled").is_some_and(|on| on == "1")
        || info.get("redis_mode").is_some_and(|mode| mode == "cluster");
    if is_cluster {
        return Err(NO_CLUSTER.to_owned());
    }
    if info.get("role").is_some_and(|role| role == "slave") {
        return Err("is a replica: connect to the primary".to_owned());
    }
    Ok(())
}

/// Refuses a server that may evict keys (R101), and one that does not say whether it may.
pub(super) async fn check_eviction(
    link: &Link,
    about: Result<Value, RedisError>,
) -> Result<(), Cause> {
    let policy = match about {
        Ok(about) => info(&about).remove("maxmemory_policy"),
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

/// Reads the policy from `CONFIG`, where `INFO` does not have it.
async fn asked_policy(link: &Link) -> Result<String, Cause> {
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

/// The reason for refusing a cluster.
pub(super) const NO_CLUSTER: &str = "is a node of a Redis Cluster, which does not work yet: give a server without \
     `cluster-enabled`, or the sentinels of one";
