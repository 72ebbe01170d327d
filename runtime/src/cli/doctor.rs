//! `tollgate doctor`: looks at everything that a deployment stands on, and says what to do.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;

use super::args::{Common, Doctor};
use super::deployment;
use super::output::{Done, Exit, Failure, table};
use super::time;
use crate::clock::{Clock, Timestamp};
use crate::event::Ahead;
use crate::keys::{KeyPurpose, KeyState};
use crate::realm::RealmName;
use crate::session::StoreClock;
use crate::settings::{RefreshCookie, RefreshPolicy, Settings};
use crate::store::{RealmRecord, Store};

/// The state of one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Good,
    Warning,
    Problem,
}

impl State {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Warning => "warning",
            Self::Problem => "problem",
        }
    }
}

/// One thing that was looked at.
struct Finding {
    what: &'static str,
    state: State,
    /// The state in words, with the next step if it is not good.
    text: String,
}

/// The findings so far.
#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn good(&mut self, what: &'static str, text: impl Into<String>) {
        self.add(what, State::Good, text);
    }

    fn warn(&mut self, what: &'static str, text: impl Into<String>) {
        self.add(what, State::Warning, text);
    }

    fn problem(&mut self, what: &'static str, text: impl Into<String>) {
        self.add(what, State::Problem, text);
    }

    fn add(&mut self, what: &'static str, state: State, text: impl Into<String>) {
        let text = text.into();
        self.0.push(Finding { what, state, text });
    }

    fn has(&self, state: State) -> bool {
        self.0.iter().any(|finding| finding.state == state)
    }
}

pub(super) async fn run(common: &Common, wanted: &Doctor) -> Result<Done, Failure> {
    let mut found = Findings::default();
    match deployment::settings(common) {
        Err(failure) => found.problem("settings", failure.into_text()),
        Ok(mut settings) => {
            let looked = look_at_store(common, &settings, &mut found).await;
            if let Some(record) = looked.record {
                let identity = record.identity;
                settings.issuer.get_or_insert(identity.issuer);
                settings.audience.get_or_insert(identity.audience);
            }
            look_at_settings(&settings, &mut found);
            if common.realm.is_none() {
                look_at_named(common, &settings, &looked.realms, &mut found);
            }
        }
    }
    let rows: Vec<_> = found
        .0
        .iter()
        .map(|finding| {
            vec![
                finding.state.as_str().to_owned(),
                finding.what.to_owned(),
                finding.text.clone(),
            ]
        })
        .collect();
    let json = found.0.iter().map(|finding| {
        json!({ "what": finding.what, "state": finding.state.as_str(), "text": finding.text })
    });
    let json = json!({ "findings": json.collect::<Vec<_>>() });
    let is_bad = found.has(State::Problem) || (wanted.strict && found.has(State::Warning));
    let exit = if is_bad { Exit::No } else { Exit::Done };
    Ok(Done::new(table(&["STATE", "WHAT", "FOUND"], &rows), json).exit(exit))
}

/// Looks at the settings of every named realm that the settings or the store know, and adds what
/// is not found at the top level already.
fn look_at_named(common: &Common, top: &Settings, known: &[RealmRecord], found: &mut Findings) {
    let stored = known.iter().filter_map(|record| record.name.as_ref());
    let names: BTreeSet<&RealmName> = stored.chain(&top.realm_names).collect();
    for name in names {
        let record = known
            .iter()
            .find(|record| record.name.as_ref() == Some(name));
        let mut own = Findings::default();
        look_at_realm(common, top, (name, record), &mut own);
        for finding in own.0 {
            let is_known =
                |known: &Finding| known.what == finding.what && known.text == finding.text;
            if finding.state != State::Good && !found.0.iter().any(is_known) {
                let text = format!("realm `{name}`: {}", finding.text);
                found.add(finding.what, finding.state, text);
            }
        }
    }
}

/// Looks at the settings of a named realm by themselves, and compares them with what the store has.
fn look_at_realm(
    common: &Common,
    top: &Settings,
    (name, record): (&RealmName, Option<&RealmRecord>),
    found: &mut Findings,
) {
    let common = Common {
        realm: Some(name.to_string()),
        ..common.clone()
    };
    let mut settings = match deployment::settings(&common) {
        Ok(settings) => settings,
        Err(failure) => return found.problem("settings", failure.into_text()),
    };
    if !settings.realm_parts.is_empty() {
        found.warn(
            "settings",
            format!(
                "`{}` is set inside the realm: a gate that shares keys and store with another one \
                 does not start; set it at the top level",
                settings.realm_parts.join("`, `")
            ),
        );
    }
    if settings.store.url == top.store.url
        && let Some(record) = record
    {
        compare_identity(&settings, record, found);
    }
    // If neither the file nor the store has a value, the program sets it in code.
    let identity = record.map(|record| record.identity.clone());
    let (issuer, audience) = match identity {
        Some(identity) => (Some(identity.issuer), identity.audience),
        None => (top.issuer.clone(), name.to_string()),
    };
    settings.issuer = settings.issuer.or(issuer);
    settings.audience.get_or_insert(audience);
    look_at_settings(&settings, found);
}

/// Looks at the settings by themselves.
fn look_at_settings(settings: &Settings, found: &mut Findings) {
    match settings.validate() {
        Ok(()) => found.good(
            "settings",
            "every setting is known, and none contradicts another",
        ),
        Err(error) => found.problem("settings", Failure::from(error).into_text()),
    }
    if settings.refresh.policy == RefreshPolicy::Fixed {
        found.warn(
            "refresh",
            "`refresh.policy` is `fixed`: a stolen refresh token is good until its session ends, \
             and nobody notices; use `confirm_aware` where clients can store a new token",
        );
    }
    if settings.access.ttl > Duration::from_secs(60 * 60) {
        found.warn(
            "access",
            "`access.ttl` is above an hour: claims may be that old, and a stolen token works that \
             long; 10m is usual",
        );
    }
    look_at_proxies(settings, found);
    look_at_cookies(settings, found);
}

fn look_at_proxies(settings: &Settings, found: &mut Findings) {
    let proxies = &settings.client.proxies;
    let everyone = proxies.iter().find(|range| range.is_everything());
    let is_public = settings
        .public_url
        .as_deref()
        .is_some_and(|url| url.starts_with("https://"));
    if let Some(range) = everyone {
        found.problem(
            "proxies",
            format!(
                "`client.proxies` has `{range}`, so every client can claim any address: name only \
                 the addresses of your proxies"
            ),
        );
    } else if proxies.is_empty() && is_public {
        found.warn(
            "proxies",
            "`client.proxies` is empty and `public_url` is https: if a proxy terminates TLS, all \
             clients have its address and share one limit; name the proxy",
        );
    } else if proxies.is_empty() {
        found.good(
            "proxies",
            "none: the address of a connection is the client's",
        );
    } else {
        found.good("proxies", format!("{} are trusted", proxies.len()));
    }
}

fn look_at_cookies(settings: &Settings, found: &mut Findings) {
    if settings.cookies.path.is_none() {
        return found.good("cookies", "off");
    }
    if !settings.has_secure_origin() {
        return found.problem(
            "cookies",
            "an origin that uses the cookies is not https, so browsers will not store them: use \
             https in `issuer` and `cookies.origins`",
        );
    }
    if settings.cookies.refresh == Some(RefreshCookie::Path) {
        return found.warn(
            "cookies",
            "`cookies.refresh` is `path`: a page of a sibling subdomain can set the refresh cookie; \
             use `host` once no process of an earlier release runs",
        );
    }
    found.good("cookies", "their origins are secure");
}

/// The realms that the store has on record.
#[derive(Default)]
struct Looked {
    /// Of the realm of the arguments.
    record: Option<RealmRecord>,
    realms: Vec<RealmRecord>,
}

/// Looks at store, clock, realms and keys; returns what the store knows of the realms.
async fn look_at_store(common: &Common, settings: &Settings, found: &mut Findings) -> Looked {
    let store = match deployment::open_store(settings).await {
        Ok(store) => store,
        Err(failure) => {
            found.problem("store", failure.into_text());
            look_at_keys(common, settings, None, found).await;
            return Looked::default();
        }
    };
    look_at_keys(common, settings, Some(&store), found).await;
    let realm = match deployment::realm(common) {
        Ok(realm) => realm,
        Err(failure) => {
            found.problem("realms", failure.into_text());
            return Looked::default();
        }
    };
    let realms = store.realms().await.unwrap_or_default();
    let record = match deployment::record(&store, realm.as_ref()).await {
        Ok(record) => record,
        Err(failure) => {
            found.problem("store", failure.into_text());
            return Looked {
                record: None,
                realms,
            };
        }
    };
    let clock = Clock::system();
    let (now, time) = (clock.now(), StoreClock::new(clock));
    let own = realm
        .as_ref()
        .map_or_else(|| store.clone(), |realm| store.realm(realm));
    match own.health(now).await {
        Ok(_) => found.good("store", "it can be read and written, and evicts nothing"),
        Err(error) => found.problem("store", Failure::from(error).into_text()),
    }
    match time.measure(&store).await {
        Err(error) => found.problem("clock", Failure::from(error).into_text()),
        Ok(()) => look_at_clock(settings, &time, found),
    }
    look_at_realms(settings, &store, now, found).await;
    compare_identity(settings, &record, found);
    Looked {
        record: Some(record),
        realms,
    }
}

/// Compares issuer and audience with those in the store.
fn compare_identity(settings: &Settings, record: &RealmRecord, found: &mut Findings) {
    for (name, own, theirs) in [
        ("issuer", &settings.issuer, &record.identity.issuer),
        ("audience", &settings.audience, &record.identity.audience),
    ] {
        if own.as_ref().is_some_and(|own| own != theirs) {
            found.problem(
                "realms",
                format!(
                    "`{name}` in the settings differs from the one in the store: a gate would not \
                     start; set it back, or name the old value in `replaces.{name}`"
                ),
            );
        }
    }
}

fn look_at_clock(settings: &Settings, time: &StoreClock, found: &mut Findings) {
    let (offset, ahead) = time.offset();
    let ahead = match ahead {
        Ahead::Store => "the store's",
        Ahead::Machine => "this machine's",
    };
    let secs = offset.as_secs();
    if time.is_off(settings.leeway) {
        found.problem(
            "clock",
            format!(
                "the clocks differ by {secs} s, more than `leeway`, and {ahead} is ahead: let both \
                 machines follow a time server"
            ),
        );
    } else {
        found.good("clock", format!("it differs from the store's by {secs} s"));
    }
}

/// Compares the realms of the store with those of the settings.
async fn look_at_realms(settings: &Settings, store: &Store, now: Timestamp, found: &mut Findings) {
    let Ok(realms) = store.realms().await else {
        return;
    };
    let mut is_good = true;
    for name in &settings.realm_names {
        if !realms.iter().any(|realm| realm.name.as_ref() == Some(name)) {
            is_good = false;
            found.warn(
                "realms",
                format!(
                    "`[realms.{name}]` has settings, and no gate has opened the realm: call \
                     `.realm(\"{name}\")`, or take the settings out"
                ),
            );
        }
    }
    for realm in &realms {
        let since = now.since(realm.opened);
        if let Some(name) = realm.name.as_ref().filter(|_| since > UNOPENED) {
            is_good = false;
            found.warn(
                "realms",
                format!(
                    "no gate has opened the realm `{name}` since {}: its sessions end by \
                     themselves; end them now with `tollgate sessions end --everything --realm \
                     {name}`",
                    time::age(since)
                ),
            );
        }
    }
    if is_good {
        found.good("realms", format!("{} in the store", realms.len()));
    }
}

/// Looks at the key ring, where the arguments name one.
async fn look_at_keys(
    common: &Common,
    settings: &Settings,
    store: Option<&Store>,
    found: &mut Findings,
) {
    if common.keys.is_none() && common.ring_secret.is_none() {
        return found.warn(
            "keys",
            "not looked at: name the folder with `--keys FOLDER`, or the secret of a ring in the \
             store with `--ring-secret VARIABLE`",
        );
    }
    let ring = match deployment::open_ring(common, settings, store).await {
        Ok(ring) => ring,
        Err(failure) => return found.problem("keys", failure.into_text()),
    };
    let (now, keys) = (Clock::system().now(), ring.described().await);
    let signing = |state| {
        keys.iter()
            .find(|key| key.purpose == KeyPurpose::Sign && key.state == state)
    };
    // The key signs from about when its successor was published.
    let since = signing(KeyState::Next).or(signing(KeyState::Current));
    let age = since.map_or(Duration::ZERO, |key| now.since(key.published_at));
    if age > OLD_KEY {
        found.warn(
            "keys",
            format!(
                "the key that signs does so since {}: rotate with `tollgate keys rotate`, every 90 \
                 days or more often",
                time::age(age)
            ),
        );
    } else {
        let algorithm = ring.set().algorithm();
        let count = keys.len();
        found.good(
            "keys",
            format!(
                "{count} keys, {algorithm}, last rotated {} ago",
                time::age(age)
            ),
        );
    }
}

/// The age from which on a key should have been rotated.
const OLD_KEY: Duration = Duration::from_secs(90 * 24 * 60 * 60);
/// The time after which a realm that nobody opened is reported.
const UNOPENED: Duration = Duration::from_secs(90 * 24 * 60 * 60);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{MemoryStore, RealmIdentity};

    fn texts(found: &Findings, state: State) -> Vec<&str> {
        let is_meant = |finding: &&Finding| finding.state == state;
        let found = found.0.iter().filter(is_meant);
        found.map(|finding| finding.text.as_str()).collect()
    }

    #[test]
    fn clocks_that_differ_by_more_than_the_leeway_are_a_problem() {
        let settings = Settings {
            leeway: Duration::from_secs(30),
            ..Settings::default()
        };
        for (offset, ahead) in [(31_000, "the store's"), (-31_000, "this machine's")] {
            let mut found = Findings::default();
            let time = StoreClock::measured(Clock::system(), offset);
            look_at_clock(&settings, &time, &mut found);
            let problems = texts(&found, State::Problem);
            assert!(
                problems
                    .iter()
                    .any(|text| text.contains("by 31 s") && text.contains(ahead)),
                "{problems:?}"
            );
        }
        let mut found = Findings::default();
        let time = StoreClock::measured(Clock::system(), 30_000);
        look_at_clock(&settings, &time, &mut found);
        assert_eq!(
            texts(&found, State::Good),
            ["it differs from the store's by 30 s"]
        );
    }

    /// Returns a store whose realm `shop` a gate opened at a time.
    async fn opened(at: Timestamp) -> Store {
        let store = Store::from(MemoryStore::new());
        let text = |name: &str| name.to_owned();
        let record = RealmRecord {
            name: Some(RealmName::parse("shop").unwrap()),
            identity: RealmIdentity {
                issuer: text("https://shop.example.com"),
                audience: text("shop"),
                kind: text("customers"),
            },
            replaced: None,
            before: None,
            first_opened: at,
            opened: at,
        };
        store.claim_realm(None, record, at).await.unwrap();
        store
    }

    #[tokio::test]
    async fn a_realm_that_no_gate_opened_for_ninety_days_is_told() {
        let start = Timestamp::from_secs(1_767_225_600);
        let store = opened(start).await;
        let day = Duration::from_secs(24 * 60 * 60);
        for (days, is_told) in [(0, false), (90, false), (91, true)] {
            let mut found = Findings::default();
            let now = start.plus(day * days);
            look_at_realms(&Settings::default(), &store, now, &mut found).await;
            let warnings = texts(&found, State::Warning);
            let says = |text: &&str| {
                text.contains("realm `shop`") && text.contains("sessions end --everything")
            };
            assert_eq!(warnings.iter().any(says), is_told, "{days}: {warnings:?}");
        }
    }

    #[test]
    fn a_refresh_cookie_that_a_sibling_can_set_is_told() {
        let mut settings = Settings {
            issuer: Some("https://accounts.example.com".to_owned()),
            ..Settings::default()
        };
        settings.cookies.path = Some("/auth".to_owned());
        for (cookie, is_told) in [(RefreshCookie::Host, false), (RefreshCookie::Path, true)] {
            let mut found = Findings::default();
            settings.cookies.refresh = Some(cookie);
            look_at_cookies(&settings, &mut found);
            let warnings = texts(&found, State::Warning);
            let says = |text: &&str| text.contains("sibling subdomain");
            assert_eq!(warnings.iter().any(says), is_told, "{cookie:?}");
        }
    }
}
