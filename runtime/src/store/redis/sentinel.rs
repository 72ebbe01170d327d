//! Redis Sentinel: the servers that are asked for the primary, as the URL names them.

use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _, RedisConnectionInfo};

use crate::store::shared::percent;

/// The sentinels of a primary.
pub(super) struct Sentinels {
    pub(super) sentinels: Vec<ConnectionInfo>,
    /// The name under which the sentinels know the primary.
    pub(super) name: String,
    /// User, password and database at the primary.
    server: RedisConnectionInfo,
}

impl Sentinels {
    /// Reads the text after `redis+sentinel://`:
    /// `[user:password@]host[:port][,host[:port]…]/name[/database]`, and after `?` the
    /// `sentinel_user` and `sentinel_password`, if the sentinels require a login.
    ///
    /// # Errors
    /// The problem, in words that repeat nothing of the URL.
    pub(super) fn parse(rest: &str) -> Result<Self, &'static str> {
        let (rest, parameters) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = rest
            .split_once('/')
            .ok_or("lacks the name of the primary: `redis+sentinel://host,host/name`")?;
        let (login, hosts) = match authority.rsplit_once('@') {
            Some((login, hosts)) => (login, hosts),
            None => ("", authority),
        };
        let (name, database) = path.split_once('/').unwrap_or((path, ""));
        let name = percent::decoded(name)
            .filter(|name| !name.is_empty())
            .ok_or("lacks the name of the primary: `redis+sentinel://host,host/name`")?;
        let (user, password) = login.split_once(':').unwrap_or((login, ""));
        let mut server = settings(user, password)?;
        if !database.is_empty() {
            let number = database.parse().ok().filter(|number: &i64| *number >= 0);
            server = server.set_db(number.ok_or("names a database that is no number")?);
        }
        let (mut user, mut password) = ("", "");
        for parameter in parameters.split('&').filter(|text| !text.is_empty()) {
            match parameter.split_once('=') {
                Some(("sentinel_user", value)) => user = value,
                Some(("sentinel_password", value)) => password = value,
                _ => {
                    return Err(
                        "has a parameter that is neither `sentinel_user` nor `sentinel_password`",
                    );
                }
            }
        }
        let login = settings(user, password)?;
        let sentinels = hosts
            .split(',')
            .map(|host| Some(sentinel(host)?.set_redis_settings(login.clone())))
            .collect::<Option<Vec<_>>>()
            .ok_or("names a sentinel that is no `host:port`")?;
        Ok(Self {
            sentinels,
            name,
            server,
        })
    }

    /// Returns the connection data of the primary at an address that a sentinel named.
    pub(super) fn primary(&self, host: String, port: u16) -> Option<ConnectionInfo> {
        let info = ConnectionAddr::Tcp(host, port)
            .into_connection_info()
            .ok()?;
        Some(info.set_redis_settings(self.server.clone()))
    }

    /// Returns the place in the words of messages.
    pub(super) fn address(&self) -> String {
        let hosts: Vec<String> = self
            .sentinels
            .iter()
            .map(|info| info.addr().to_string())
            .collect();
        format!("{} by Sentinel at {}", self.name, hosts.join(","))
    }
}

/// Reads the address of a sentinel, whose port is 26379 by default.
fn sentinel(host: &str) -> Option<ConnectionInfo> {
    let has_port = host
        .rsplit_once(':')
        .is_some_and(|(before, _)| !before.contains(':') || before.ends_with(']'));
    let url = if has_port {
        format!("redis://{host}")
    } else {
        format!("redis://{host}:26379")
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || ".-_:[]".contains(c);
    (!host.is_empty() && host.chars().all(plain))
        .then(|| url.into_connection_info().ok())
        .flatten()
}

fn settings(user: &str, password: &str) -> Result<RedisConnectionInfo, &'static str> {
    let decoded = |text| percent::decoded(text).ok_or("has a user or password that is not UTF-8");
    let mut settings = RedisConnectionInfo::default();
    if !user.is_empty() {
        settings = settings.set_username(decoded(user)?);
    }
    if !password.is_empty() {
        settings = settings.set_password(decoded(password)?);
    }
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentinels_logins_and_the_primary_are_read() {
        let read = Sentinels::parse(
            "ada:s%40fe@one,two:5000,[::1]:5001/my%20primary/3?sentinel_user=bob&\
             sentinel_password=se%3Acret",
        )
        .unwrap();
        assert_eq!(
            read.address(),
            "my primary by Sentinel at one:26379,two:5000,::1:5001"
        );
        let login = read.sentinels[2].redis_settings();
        assert_eq!(
            (login.username(), login.password()),
            (Some("bob"), Some("se:cret"))
        );
        let primary = read.primary("10.0.0.1".into(), 6379).unwrap();
        let settings = primary.redis_settings();
        assert_eq!(
            (settings.username(), settings.password(), settings.db()),
            (Some("ada"), Some("s@fe"), 3)
        );
        assert_eq!(primary.addr().to_string(), "10.0.0.1:6379");
    }

    #[test]
    fn what_is_missing_or_unknown_is_refused() {
        for (rest, why) in [
            ("one,two", "the name of the primary"),
            ("one,two/", "the name of the primary"),
            ("/main", "no `host:port`"),
            ("one,,two/main", "no `host:port`"),
            ("one:port/main", "no `host:port`"),
            ("one/main/x", "no number"),
            ("one/main/-1", "no number"),
            ("one/main?password=x", "neither `sentinel_user`"),
        ] {
            assert!(
                Sentinels::parse(rest).err().unwrap().contains(why),
                "{rest}"
            );
        }
    }
}
