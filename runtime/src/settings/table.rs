//! The one list of settings: reading, documentation and suggestions all use it.

use super::Settings;
use super::value::{Scalar, SettingValue};

/// A setting.
pub(super) struct SettingKey {
    /// Its name in the file: `access.ttl`.
    pub(super) name: &'static str,
    /// Reads its value into the settings.
    pub(super) read: fn(&mut Settings, Scalar<'_>) -> Result<(), String>,
    /// Writes its value in the form of the file; `None` where it is not set.
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
    "issuer" => issuer, "the claim `iss`: the issuer of the tokens; required";
    "audience" => audience, "the claim `aud`: the intended audience of the tokens; required";
    "replaces.issuer" => replaces.issuer,
        "the issuer that the realm had before, where it was changed on purpose";
    "replaces.audience" => replaces.audience, "the audience that it had before";
    "replaces.kind" => replaces.kind, "the kind of backend that it had before";
    "client_id" => client_id, "the claim `client_id`";
    "public_url" => public_url,
        "the address of the routes as clients see it, for the metadata of RFC 8414: \
         `https://api.example.com/v1`";
    "leeway" => leeway, "how far clocks may differ, at most 2m";
    "access.ttl" => access.ttl, "how long an access token lives";
    "access.max_ttl" => access.max_ttl,
        "the longest life of any token that verifies; where not set, `access.ttl`";
    "access.on_refresh" => access.on_refresh,
        "what a refresh does to the access tokens before it: `keep` or `revoke`";
    "access.header" => access.header, "the header that carries the token";
    "access.schemes" => access.schemes, "the schemes in that header";
    "access.cache" => access.cache,
        "how many bytes of verified tokens a node remembers, so that one that comes again is not \
         verified again; `0` for none";
    "refresh.window" => refresh.window,
        "how long a replaced refresh token counts as a concurrent request, at most 1m";
    "refresh.lost_response_window" => refresh.lost_response_window,
        "how long a client may ask again for an answer that it never saw, at most `session.idle`";
    "refresh.policy" => refresh.policy,
        "what is forgiven: `strict`, `window` or `confirm_aware`; or `fixed`, where the token never \
         changes and no theft is noticed";
    "refresh.answer_token" => refresh.answer_token,
        "whether the answer of a refresh has the refresh token in its body; `false` needs the policy \
         `fixed`";
    "session.idle" => session.idle, "after how long without a refresh a session ends, at most 90d";
    "session.absolute" => session.absolute, "after how long it ends whatever happens, at most 400d";
    "session.brief_idle" => session.brief_idle,
        "the same as `session.idle` where a session is not to be remembered, at most that";
    "session.brief_absolute" => session.brief_absolute,
        "the same as `session.absolute` where a session is not to be remembered, at most that";
    "session.device_limit" => session.device_limit,
        "how many live sessions a subject may have; where not set, any number";
    "session.on_limit" => session.on_limit,
        "what happens to the sign-in that is one too many: `evict_oldest` or `deny`";
    "session.history" => session.history,
        "how many former addresses and user agents a session keeps beside the last one, at most 8";
    "revocation.consistency" => revocation.consistency,
        "what a verifier asks: `eventual`, `bounded:2s` or `strict`";
    "revocation.stale_limit" => revocation.stale_limit,
        "from which age on the view of the revocations is stale";
    "revocation.on_stale" => revocation.on_stale,
        "what a node with a stale view does: `check` or `serve`";
    "introspection.services" => introspection.services,
        "services that may ask about tokens, each as `name:sha256:` and the SHA-256 of its secret \
         in hexadecimal; where not set, nobody";
    "keys.accept_new" => keys.accept_new,
        "whether a ring without history may start beside live sessions";
    "keys.group" => keys.group,
        "whether the group of a key folder may use it: `refuse`, or `trust` where it is a group of \
         this process";
    "client.proxies" => client.proxies,
        "the proxies whose word about a client's address is taken: addresses and ranges";
    "client.header" => client.header,
        "the header in which they write it: `x_forwarded_for` or `forwarded`";
    "cookies.path" => cookies.path,
        "the path of the auth routes as browsers see it; turns cookies on";
    "cookies.refresh" => cookies.refresh,
        "the name of the refresh cookie: `host`, or `path` as in earlier releases, which a sibling \
         subdomain can set; where not set, `path` only beside sessions of earlier releases";
    "cookies.legacy_until" => cookies.legacy_until,
        "the day (UTC) from which on the name of earlier releases does not count beside `host`: \
         `2027-01-31`; where not set, 30 days after this release first opened the store";
    "cookies.same_site" => cookies.same_site,
        "which requests of other sites carry the access cookie: `lax` or `strict`";
    "cookies.origins" => cookies.origins,
        "other origins whose pages may change something with a cookie";
    "binding.access_device" => binding.access_device,
        "whether access tokens count from their device id alone: `off`, `record` or `enforce`";
    "binding.access_network" => binding.access_network,
        "the same for the network of their sign-in, /24 or /56";
    "binding.refresh_device" => binding.refresh_device,
        "the same for refresh tokens and their device id";
    "binding.refresh_network" => binding.refresh_network,
        "the same for refresh tokens and the network of their sign-in";
    "binding.device_header" => binding.device_header,
        "the header in which a request with an access token names its device";
    "throttle.counted" => throttle.counted,
        "where sign-ins are counted: `auto`, `local` or `store`";
    "throttle.client" => throttle.client,
        "sign-ins from one address: attempts and a period, or `off`";
    "throttle.identifier" => throttle.identifier, "sign-ins to one identifier";
    "throttle.identifier_long" => throttle.identifier_long, "the same in the long run";
    "throttle.known" => throttle.known,
        "sign-ins to one identifier from a device that signed in to it before";
    "throttle.known_long" => throttle.known_long, "the same in the long run";
    "throttle.known_for" => throttle.known_for,
        "for how long after its last sign-in it stays known, at most 400d";
    "throttle.step" => throttle.step,
        "answers to further steps of one subject, by strangers and by each known device";
    "throttle.step_long" => throttle.step_long, "the same in the long run";
    "throttle.action" => throttle.action, "what an application counts with `gate.allow`";
    "throttle.refresh" => throttle.refresh, "refreshes from one address, on each node";
    "throttle.verify" => throttle.verify, "questions about tokens, sign-outs and revocations from one address, on each node";
    "throttle.keys" => throttle.keys, "how many addresses or identifiers a node counts apart";
    "registry" => registry, "which tokens the store remembers one by one: `off` or `tokens`";
    "archive.interval" => archive.interval, "how often what has ended is deleted; `0s` for never";
    "archive.age" => archive.age, "how long ago it must have ended";
    "events.accepted" => events.accepted,
        "one in how many accepted requests is reported as an event; `0` for none";
    "events.expired" => events.expired,
        "one in how many refusals of an expired token is reported as an event; `0` for none";
    "openapi.path" => openapi.path,
        "where `install` serves the OpenAPI document (feature `openapi`); empty for nowhere";
    "openapi.title" => openapi.title,
        "the title of the document; where not set, the name of the package that has the backend";
    "openapi.version" => openapi.version,
        "the version of the application in the document; where not set, that of the package";
    "openapi.policies" => openapi.policies,
        "whether the document, which anybody may read, names the roles and scopes that routes ask \
         for";
    "openapi.swagger_ui" => openapi.swagger_ui,
        "where `install` serves Swagger UI for the document (feature `swagger-ui`); empty for \
         nowhere";
    "store.url" => store.url,
        "which store, and where: `sqlite:…`, `postgres://…`, `redis://…`, `rediss://…`, \
         `redis+sentinel://…` or `memory:`";
    "store.connections" => store.connections, "how many connections this node opens at most";
    "store.connect_timeout" => store.connect_timeout,
        "how long an operation waits for a connection";
    "store.lock_timeout" => store.lock_timeout, "how long a statement waits for a lock";
    "store.statement_timeout" => store.statement_timeout,
        "how long the server may take for a statement";
    "store.schema" => store.schema, "in which schema of PostgreSQL the tables lie";
    "store.deployment" => store.deployment, "with which name the keys in Redis begin";
    "store.tls" => store.tls, "whether the server must prove who it is: `as_url` or `verify`";
    "store.root_certificates" => store.root_certificates,
        "a file of the certificates, in PEM, that are trusted over TLS";
    "store.client_certificate" => store.client_certificate,
        "a file of the certificate, in PEM, that this client shows over TLS; with \
         `store.client_key`";
    "store.client_key" => store.client_key, "a file of its private key, in PEM";
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
