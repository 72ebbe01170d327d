//! The one list of settings: reading, documentation and suggestions all use it.

use super::Settings;
use super::value::{Scalar, SettingValue};

/// A setting.
pub(super) struct SettingKey {
    /// Its name in the file: `access.ttl`.
    pub(super) name: &'static str,
    /// Reads its value into the settings.
    pub(super) read: fn(&mut Settings, Scalar<'_>) -> Result<(), String>,
    /// Writes its value in the form of the file; `None` if it is not set.
    pub(super) show: fn(&Settings) -> Option<String>,
    /// A description in a few words, for the documented table and the command line.
    #[cfg(any(test, feature = "cli"))]
    pub(super) about: &'static str,
    /// Returns the JSON schema of its value in the file.
    #[cfg(any(test, feature = "cli"))]
    pub(super) schema: fn() -> super::value::Schema,
}

impl SettingKey {
    /// Returns the name of the variable: `TOLLGATE_ACCESS__TTL`.
    pub(super) fn variable(&self) -> String {
        format!("{PREFIX}{}", self.name.replace('.', "__").to_uppercase())
    }
}

/// The prefix of every setting in the environment.
pub(super) const PREFIX: &str = "TOLLGATE_";

macro_rules! keys {
    ($($name:literal => $($field:ident).+, $about:literal;)+) => {
        /// All settings, in the order of the struct.
        pub(super) const KEYS: &[SettingKey] = &[$(SettingKey {
            name: $name,
            read: |settings, raw| {
                settings.$($field).+ = SettingValue::read(raw)?;
                Ok(())
            },
            show: |settings| settings.$($field).+.show(),
            #[cfg(any(test, feature = "cli"))]
            about: $about,
            #[cfg(any(test, feature = "cli"))]
            schema: || schema_of(|settings: &Settings| &settings.$($field).+),
        }),+];
    };
}

keys! {
    "issuer" => issuer,
        "the issuer of the tokens, claim `iss`, such as `https://accounts.example.com`; required";
    "audience" => audience, "the intended audience of the tokens, claim `aud`; required";
    "client_id" => client_id, "the claim `client_id` of the tokens";
    "public_url" => public_url,
        "the address of the auth routes as clients see it, for the metadata of RFC 8414: \
         `https://api.example.com/v1`";
    "leeway" => leeway, "the largest difference between clocks that is tolerated, at most 2m";
    "replaces.issuer" => replaces.issuer,
        "the former issuer of the realm, if it was changed on purpose";
    "replaces.audience" => replaces.audience,
        "the former audience of the realm, if it was changed on purpose";
    "replaces.kind" => replaces.kind,
        "the former kind of the backend, if it was changed on purpose";
    "access.ttl" => access.ttl, "the lifetime of an access token";
    "access.max_ttl" => access.max_ttl,
        "the longest lifetime of any token that is issued or accepted; if not set, `access.ttl`";
    "access.on_refresh" => access.on_refresh,
        "whether the earlier access tokens of a session stay valid after a refresh: `keep`, or \
         `revoke`";
    "access.header" => access.header, "the request header that has the access token";
    "access.schemes" => access.schemes, "the schemes that are accepted in that header";
    "access.cache" => access.cache,
        "the memory of a node for verified tokens, in bytes: a token in it is not verified again; \
         `0` for none";
    "refresh.window" => refresh.window,
        "the time after a refresh in which the replaced token still gets the same successor, at \
         most 1m";
    "refresh.lost_response_window" => refresh.lost_response_window,
        "the time after a refresh in which the replaced token gets another successor if the first \
         one was never used, at most `session.idle`";
    "refresh.policy" => refresh.policy,
        "the reuse of a refresh token that is tolerated: `strict`, `window` or `confirm_aware`; \
         with `fixed` the token never changes and no theft is detected";
    "refresh.answer_token" => refresh.answer_token,
        "whether the answer of a refresh has the refresh token in its body; `false` needs the \
         policy `fixed`";
    "session.idle" => session.idle,
        "the time without a refresh after which a session ends, at most 90d";
    "session.absolute" => session.absolute,
        "the time after its sign-in at which a session ends in any case, at most 400d";
    "session.brief_idle" => session.brief_idle,
        "`session.idle` for a session that is not to be remembered; the shorter of the two applies";
    "session.brief_absolute" => session.brief_absolute,
        "`session.absolute` for a session that is not to be remembered; the shorter of the two \
         applies";
    "session.device_limit" => session.device_limit,
        "the number of live sessions that a subject may have; if not set, any number";
    "session.on_limit" => session.on_limit,
        "what a sign-in above `session.device_limit` does: `evict_oldest` ends the session that \
         was used longest ago, `deny` refuses the sign-in";
    "session.history" => session.history,
        "the number of former addresses and user agents that a session stores beside the latest \
         one, at most 8";
    "revocation.consistency" => revocation.consistency,
        "what a node asks before it accepts an access token: `eventual` its own view, `strict` \
         the store, `bounded:2s` the store if the view is older than that";
    "revocation.stale_limit" => revocation.stale_limit,
        "the age at which a node's view of the revocations is stale";
    "revocation.on_stale" => revocation.on_stale,
        "what a node with a stale view does: `check` asks the store for each request, `serve` \
         goes on with the view";
    "introspection.services" => introspection.services,
        "the services that may ask about tokens, each as `name:sha256:` and the SHA-256 of its \
         secret in hexadecimal; if not set, no service may";
    "keys.accept_new" => keys.accept_new,
        "whether a gate with new keys may start beside live sessions, all of which it ends: those \
         of its realm, and of each realm without a running gate in the process";
    "keys.group" => keys.group,
        "whether the group of a key folder may have access to it: `refuse`, or `trust` if it is a \
         group of this process";
    "client.proxies" => client.proxies,
        "the addresses and ranges of the proxies that may write the address of a client";
    "client.header" => client.header,
        "the header in which these proxies write it: `x_forwarded_for` or `forwarded`";
    "cookies.path" => cookies.path,
        "the path of the auth routes as browsers see it, such as `/auth`; turns cookies on";
    "cookies.refresh" => cookies.refresh,
        "the name of the refresh cookie: `host`, or `path` as in earlier releases, which a \
         sibling subdomain can set; if not set, `path` beside sessions of earlier releases, \
         otherwise `host`";
    "cookies.legacy_until" => cookies.legacy_until,
        "with `host`, the day (UTC) from which the former name of the refresh cookie is no longer \
         read: `2027-01-31`; if not set, 30 days after this release first opened the store";
    "cookies.same_site" => cookies.same_site,
        "whether links on other sites carry the access cookie: `lax`, or `strict` for none";
    "cookies.origins" => cookies.origins,
        "other origins whose pages may send requests with cookies, such as \
         `https://app.example.com`";
    "binding.access_device" => binding.access_device,
        "whether an access token is bound to the device id of its sign-in: `off`, `record` \
         reports another device, `enforce` refuses it";
    "binding.access_network" => binding.access_network,
        "the same for an access token and the network of its sign-in, /24 or /56";
    "binding.refresh_device" => binding.refresh_device,
        "the same for a refresh token and the device id of its sign-in";
    "binding.refresh_network" => binding.refresh_network,
        "the same for a refresh token and the network of its sign-in";
    "binding.device_header" => binding.device_header,
        "the header with the device id of a request with an access token";
    "throttle.counted" => throttle.counted,
        "where sign-ins are counted: `auto`, `local` for each node by itself, or `store` for all \
         nodes together";
    "throttle.client" => throttle.client,
        "allowed sign-ins from one address, as attempts and a period, or `off`";
    "throttle.identifier" => throttle.identifier, "allowed sign-ins to one identifier";
    "throttle.identifier_long" => throttle.identifier_long,
        "allowed sign-ins to one identifier in a longer period";
    "throttle.known" => throttle.known,
        "allowed sign-ins to one identifier from a device that signed in to it before";
    "throttle.known_long" => throttle.known_long,
        "allowed sign-ins to one identifier from such a device in a longer period";
    "throttle.known_for" => throttle.known_for,
        "the time for which a device stays known after its last sign-in, at most 400d";
    "throttle.step" => throttle.step,
        "allowed answers to further steps of one subject, for strangers together and for each \
         known device";
    "throttle.step_long" => throttle.step_long,
        "allowed answers to further steps of one subject in a longer period";
    "throttle.action" => throttle.action,
        "allowed attempts of those that an application counts with `gate.allow`";
    "throttle.refresh" => throttle.refresh, "allowed refreshes from one address, on each node";
    "throttle.verify" => throttle.verify,
        "allowed questions about tokens, sign-outs and revocations from one address, on each node";
    "throttle.keys" => throttle.keys,
        "the number of addresses or identifiers that a node counts separately";
    "registry" => registry,
        "the tokens that the store lists one by one: `off` for none, or `tokens`";
    "archive.interval" => archive.interval,
        "the time between two deletions of ended sessions and tokens; `0s` for never";
    "archive.age" => archive.age,
        "the time for which an ended session is kept before it is deleted";
    "events.accepted" => events.accepted,
        "one in this many accepted requests is reported as an event; `0` for none";
    "events.expired" => events.expired,
        "one in this many refusals of an expired token is reported as an event; `0` for none";
    "openapi.path" => openapi.path,
        "the path at which `install` serves the OpenAPI document (feature `openapi`); empty for \
         none";
    "openapi.title" => openapi.title,
        "the title of the document; if not set, the name of the package that has the backend";
    "openapi.version" => openapi.version,
        "the version of the application in the document; if not set, that of the package";
    "openapi.policies" => openapi.policies,
        "whether the document, which anybody may read, names the roles and scopes that routes \
         require";
    "openapi.swagger_ui" => openapi.swagger_ui,
        "the path at which `install` serves Swagger UI for the document (feature `swagger-ui`); \
         empty for none";
    "store.url" => store.url,
        "the store and its address: `sqlite:…`, `postgres://…`, `redis://…`, `rediss://…`, \
         `redis+sentinel://…` or `memory:`";
    "store.connections" => store.connections,
        "the number of connections that this node opens at most; PostgreSQL (10), Redis (1)";
    "store.connect_timeout" => store.connect_timeout,
        "the time that an operation waits for a connection; PostgreSQL, Redis (2s)";
    "store.lock_timeout" => store.lock_timeout,
        "the time that a statement waits for a lock; PostgreSQL (2s), SQLite (5s)";
    "store.statement_timeout" => store.statement_timeout,
        "the time that the server may take for a statement; PostgreSQL, Redis (5s)";
    "store.schema" => store.schema, "the schema that has the tables; PostgreSQL";
    "store.deployment" => store.deployment,
        "the name with which the keys begin; Redis (`tollgate`)";
    "store.tls" => store.tls,
        "whether the server must prove its identity: `as_url` as the URL says, or `verify`";
    "store.root_certificates" => store.root_certificates,
        "a PEM file with the certificates that are trusted over TLS";
    "store.client_certificate" => store.client_certificate,
        "a PEM file with the certificate that this client presents over TLS; needs \
         `store.client_key`";
    "store.client_key" => store.client_key,
        "a PEM file with the private key of `store.client_certificate`";
}

/// Returns the schema of the type that a field has.
#[cfg(any(test, feature = "cli"))]
fn schema_of<T: SettingValue>(_: fn(&Settings) -> &T) -> super::value::Schema {
    T::schema()
}

/// Finds the setting of this name.
pub(super) fn find(name: &str) -> Option<&'static SettingKey> {
    KEYS.iter().find(|key| key.name == name)
}

/// Returns whether there are settings below this name, as below `access`.
pub(super) fn is_section(name: &str) -> bool {
    KEYS.iter().any(|key| {
        key.name
            .strip_prefix(name)
            .is_some_and(|rest| rest.starts_with('.'))
    })
}

/// Finds the setting whose name is most similar to an unknown one, if any is similar.
pub(super) fn nearest(name: &str) -> Option<&'static SettingKey> {
    let last = |name: &str| name.rsplit('.').next().map(str::to_owned);
    let (distance, key) = KEYS
        .iter()
        .map(|key| (distance(name, key.name), key))
        .min_by_key(|(distance, _)| *distance)?;
    if distance <= 2.max(key.name.len() / 4) {
        return Some(key);
    }
    KEYS.iter().find(|key| last(key.name) == last(name))
}

/// Counts the letters that must change to make one word of the other (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (at, a) in one.chars().enumerate() {
        let mut next = vec![at + 1];
        for (b, pair) in other.chars().zip(row.windows(2)) {
            if let ([diagonal, above], Some(&left)) = (pair, next.last()) {
                next.push(
                    (diagonal + usize::from(a != b))
                        .min(above + 1)
                        .min(left + 1),
                );
            }
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn documented() -> String {
        let mut page = "| setting | default | what it is |\n|---|---|---|\n".to_owned();
        for key in KEYS {
            let default = (key.show)(&Settings::default())
                .map(|text| format!("`{text}`"))
                .unwrap_or_default();
            page += &format!("| `{}` | {default} | {} |\n", key.name, key.about);
        }
        page
    }

    #[test]
    fn the_documented_table_is_the_list() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/settings/table.md");
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(path, documented()).unwrap();
        }
        assert_eq!(
            std::fs::read_to_string(path).unwrap(),
            documented(),
            "BLESS=1 rewrites it"
        );
    }

    #[test]
    fn each_default_is_read_as_it_is_shown() {
        for key in KEYS {
            let Some(shown) = (key.show)(&Settings::default()) else {
                continue;
            };
            let mut settings = Settings::default();
            (key.read)(&mut settings, Scalar::Env(&shown)).unwrap();
            assert_eq!((key.show)(&settings), Some(shown), "{}", key.name);
        }
    }

    #[test]
    fn the_nearest_name_is_suggested_and_a_far_one_is_not() {
        for (wrong, right) in [
            ("isuer", Some("issuer")),
            ("access_ttl", Some("access.ttl")),
            ("refresh.windo", Some("refresh.window")),
            ("ttl", Some("access.ttl")),
            ("acess.tll", Some("access.ttl")),
            ("database", None),
            ("publik_url", Some("public_url")),
        ] {
            assert_eq!(nearest(wrong).map(|key| key.name), right, "{wrong}");
        }
    }
}
