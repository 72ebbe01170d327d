//! The parameters of a PostgreSQL URL: those that libpq knows are honoured, or refused by name;
//! none is ignored silently.

use std::time::Duration;

/// A URL whose remaining parameters are all read by sqlx, and the values of the others.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PostgresUrl {
    pub(super) url: String,
    /// The time that opening a connection may take: `connect_timeout`.
    pub(super) connect_timeout: Option<Duration>,
    /// `fallback_application_name`.
    pub(super) application_name: Option<String>,
}

/// The treatment of a parameter.
enum Verdict {
    /// sqlx reads it.
    Kept,
    /// It asks for what happens in any case, or its value is kept aside.
    Taken,
    Refused(String),
}

impl PostgresUrl {
    /// Reads the parameters of a URL.
    ///
    /// # Errors
    /// A sentence that names the first parameter that cannot be honoured, without its value.
    pub(super) fn parse(url: &str) -> Result<Self, String> {
        let (start, rest) = url.split_once('?').unwrap_or((url, ""));
        if has_several_hosts(start) {
            return Err(SEVERAL_HOSTS.to_owned());
        }
        let mut parsed = Self {
            url: start.to_owned(),
            connect_timeout: None,
            application_name: None,
        };
        let mut separator = '?';
        let rest = rest.split('#').next().unwrap_or_default();
        for parameter in rest.split('&').filter(|parameter| !parameter.is_empty()) {
            let Some((name, value)) = parameter.split_once('=') else {
                return Err(
                    "has a parameter without a value, or a `?` in the password that is not written \
                     `%3F`"
                        .to_owned(),
                );
            };
            match parsed.judge(name, value) {
                Verdict::Kept => {
                    parsed.url.push(separator);
                    parsed.url.push_str(parameter);
                    separator = '&';
                }
                Verdict::Taken => {}
                Verdict::Refused(what) => return Err(what),
            }
        }
        Ok(parsed)
    }

    fn judge(&mut self, name: &str, value: &str) -> Verdict {
        let is_option = ["options[", "options%5B", "options%5b"]
            .iter()
            .any(|start| name.starts_with(start));
        if is_option || READ_BY_SQLX.contains(&name) {
            let has_several =
                matches!(name, "host" | "hostaddr" | "port") && separates_hosts(value);
            return if has_several {
                Verdict::Refused(SEVERAL_HOSTS.to_owned())
            } else {
                Verdict::Kept
            };
        }
        let only = |is_so: bool, why: &str| {
            if is_so {
                Verdict::Taken
            } else {
                Verdict::Refused(format!("has the parameter `{name}`: {why}"))
            }
        };
        match name {
            "connect_timeout" => {
                self.connect_timeout = value
                    .parse()
                    .ok()
                    .filter(|seconds| (1..=MAX_CONNECT_TIMEOUT).contains(seconds))
                    .map(Duration::from_secs);
                only(
                    self.connect_timeout.is_some(),
                    "it has to be whole seconds from 1 to 3600: waiting without end is not possible",
                )
            }
            "fallback_application_name" => {
                self.application_name = percent_decoded(value);
                only(self.application_name.is_some(), "it is not UTF-8")
            }
            "target_session_attrs" => only(
                matches!(value, "any" | "read-write" | "primary"),
                "the store writes, so that it needs `read-write`, which it asks for by itself",
            ),
            "load_balance_hosts" => only(value == "disable", "there is one host"),
            "channel_binding" => only(
                matches!(value, "prefer" | "disable"),
                "channel binding cannot be demanded here: leave it out, and write \
                 `sslmode=verify-full`, which proves that the server is the right one",
            ),
            "client_encoding" => only(
                ["auto", "utf8", "utf-8", "unicode"]
                    .iter()
                    .any(|known| value.eq_ignore_ascii_case(known)),
                "the store speaks UTF8 alone",
            ),
            "sslnegotiation" => only(value == "postgres", "only `postgres` is possible"),
            "sslcompression" => only(value == "0", "TLS compresses nothing here"),
            "sslsni" => only(value == "1", "the name of the host is always sent"),
            "sslcertmode" => only(value == "allow", "`sslcert` alone decides"),
            "ssl_min_protocol_version" => only(
                matches!(value, "TLSv1" | "TLSv1.1" | "TLSv1.2"),
                "TLS 1.2 and 1.3 are spoken, and neither can be left out",
            ),
            "ssl_max_protocol_version" => only(
                value == "TLSv1.3",
                "TLS 1.2 and 1.3 are spoken, and neither can be left out",
            ),
            "gssencmode" => only(
                matches!(value, "disable" | "prefer"),
                "GSSAPI is not possible here: use TLS",
            ),
            "gssdelegation" | "requiressl" => only(value == "0", "it is not possible here"),
            "replication" => only(
                matches!(value, "false" | "off" | "no" | "0"),
                "the store does not replicate",
            ),
            "schema" | "currentSchema" | "search_path" => Verdict::Refused(format!(
                "has the parameter `{name}`, which PostgreSQL does not know: say it as \
                 `store.schema`, or with `PostgresOptions::schema`"
            )),
            "connection_limit" | "pool_size" | "pool_max_conns" | "max_connections" => {
                Verdict::Refused(format!(
                    "has the parameter `{name}`, which PostgreSQL does not know: say it as \
                     `store.connections`, or with `PostgresOptions::max_connections`"
                ))
            }
            "ssl" => Verdict::Refused(
                "has the parameter `ssl`, which PostgreSQL does not know: write \
                 `sslmode=verify-full`"
                    .to_owned(),
            ),
            name if OF_LIBPQ.contains(&name) => Verdict::Refused(format!(
                "has the parameter `{name}` of PostgreSQL's own programs, which cannot be honoured \
                 here: leave it out"
            )),
            name => Verdict::Refused(format!("has the parameter `{name}`, which does not exist")),
        }
    }
}

/// Returns whether the part of a URL before the parameters names more than one host.
fn has_several_hosts(start: &str) -> bool {
    let rest = start.split_once("://").map_or(start, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or_default();
    let hosts = authority
        .rsplit_once('@')
        .map_or(authority, |(_, hosts)| hosts);
    separates_hosts(hosts)
}

fn separates_hosts(text: &str) -> bool {
    text.contains(',') || text.contains("%2C") || text.contains("%2c")
}

/// Decodes `%20` and the like; `None` if the bytes are not UTF-8.
fn percent_decoded(text: &str) -> Option<String> {
    crate::store::shared::percent::decoded(text)
}

/// The parameters that sqlx reads.
const READ_BY_SQLX: [&str; 18] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "statement-cache-capacity",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
];

/// The parameters of libpq (PostgreSQL 18, section 32.1.2) that are refused whatever their value
/// is.
const OF_LIBPQ: [&str; 23] = [
    "gsslib",
    "keepalives",
    "keepalives_count",
    "keepalives_idle",
    "keepalives_interval",
    "krbsrvname",
    "max_protocol_version",
    "min_protocol_version",
    "oauth_client_id",
    "oauth_client_secret",
    "oauth_issuer",
    "oauth_scope",
    "passfile",
    "require_auth",
    "requirepeer",
    "scram_client_key",
    "scram_server_key",
    "service",
    "sslcrl",
    "sslcrldir",
    "sslkeylogfile",
    "sslpassword",
    "tcp_user_timeout",
];

const SEVERAL_HOSTS: &str = "names several hosts: give the one that can be written to, or the \
                             address of a proxy before them";
const MAX_CONNECT_TIMEOUT: u64 = 3600;

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(parameters: &str) -> Result<PostgresUrl, String> {
        PostgresUrl::parse(&format!("postgres://ada:secret@db/app{parameters}"))
    }

    /// The parameters are those of Neon, Supabase, Heroku, Azure, Prisma and PostgreSQL's manual.
    #[test]
    fn what_can_be_honoured_is_and_the_rest_reaches_sqlx() {
        let all = parsed(
            "?sslmode=require&connect_timeout=15&target_session_attrs=read-write&channel_binding=\
             prefer&fallback_application_name=my%20app&options=endpoint%3Dep-1&client_encoding=\
             UTF8&sslnegotiation=postgres&gssencmode=disable&load_balance_hosts=disable",
        )
        .unwrap();
        assert_eq!(
            all,
            PostgresUrl {
                url: "postgres://ada:secret@db/app?sslmode=require&options=endpoint%3Dep-1".into(),
                connect_timeout: Some(Duration::from_secs(15)),
                application_name: Some("my app".into()),
            }
        );
        assert_eq!(parsed("").unwrap().url, "postgres://ada:secret@db/app");
    }

    #[test]
    fn what_cannot_be_honoured_is_refused_by_name() {
        for (parameters, name) in [
            ("?channel_binding=require", "`channel_binding`"),
            ("?target_session_attrs=read-only", "`target_session_attrs`"),
            (
                "?target_session_attrs=prefer-standby",
                "`target_session_attrs`",
            ),
            ("?connect_timeout=0", "`connect_timeout`"),
            ("?connect_timeout=-1", "`connect_timeout`"),
            ("?connect_timeout=soon", "`connect_timeout`"),
            ("?connect_timeout=18446744073709551615", "`connect_timeout`"),
            ("?client_encoding=LATIN1", "`client_encoding`"),
            ("?sslnegotiation=direct", "`sslnegotiation`"),
            (
                "?ssl_min_protocol_version=TLSv1.3",
                "`ssl_min_protocol_version`",
            ),
            ("?gssencmode=require", "`gssencmode`"),
            ("?keepalives_idle=30", "`keepalives_idle`"),
            ("?passfile=/run/secret", "`passfile`"),
            ("?service=main", "`service`"),
            ("?require_auth=scram-sha-256", "`require_auth`"),
            ("?schema=public", "`store.schema`"),
            ("?connection_limit=5", "`store.connections`"),
            ("?ssl=true", "`sslmode=verify-full`"),
            ("?pgbouncer=true", "`pgbouncer`"),
            (
                "?sslmode=require&hostaddr=10.0.0.1,10.0.0.2",
                "several hosts",
            ),
            ("?host=a%2Cb", "several hosts"),
        ] {
            let refusal = parsed(parameters).unwrap_err();
            assert!(refusal.contains(name), "{parameters}: {refusal}");
        }
        for url in [
            "postgres://ada:secret@one,two/app",
            "postgres://ada:secret@one:5432,two:5433/app?target_session_attrs=any",
            "postgresql:///app?host=one,two",
        ] {
            let refusal = PostgresUrl::parse(url).unwrap_err();
            assert!(refusal.contains("several hosts"), "{url}: {refusal}");
        }
        // A comma in a password or a database's name does not separate hosts.
        PostgresUrl::parse("postgres://ada:a,b@db/a,b").unwrap();
    }
}
