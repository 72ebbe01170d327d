//! The deployment as the command line opens it: settings, store, keys, and the engine of a gate
//! without a backend. It claims no realm and makes nothing that is not there.

use std::path::Path;
use std::time::Duration;

use super::args::Common;
use super::backend::NoUsers;
use super::output::{Exit, Failure, Output};
use crate::clock::Clock;
use crate::error::ErrorKind;
use crate::flow::Flows;
use crate::keys::{Algorithm, KeyRing, SharedRing, algorithm_in};
use crate::realm::RealmName;
use crate::secret::Secret;
use crate::session::{Engine, EngineParts, StoreClock, Unwritten};
use crate::settings::{RefreshPolicy, Settings, StoreUrl, ThrottleSettings};
use crate::store::{RealmRecord, Store, holds_tables, sqlite_path};
use crate::throttle::Throttle;
use crate::token::Envelope;

/// A deployment that was opened.
pub(super) struct Deployment {
    pub(super) flows: Flows,
    /// The queue of rows to write. It stays empty, and lives as long as the engine.
    _unwritten: Unwritten,
}

/// The use that a command makes of tokens and keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// It ends or lists something: without keys, and what it ends is remembered for a day at least,
    /// since the program may let tokens live longer than the settings say.
    Store,
    /// It changes keys, which tokens of such a program need as long.
    Keys,
    /// It makes or checks tokens, by the settings as they are.
    Tokens(Envelope),
}

impl Deployment {
    /// Opens the deployment that settings and arguments name.
    pub(super) async fn open(common: &Common, purpose: Purpose) -> Result<Self, Failure> {
        let mut settings = settings(common)?;
        let realm = realm(common)?;
        let whole = open_store(&settings).await?;
        let record = record(&whole, realm.as_ref()).await?;
        agree(&mut settings, &record)?;
        if !matches!(purpose, Purpose::Tokens(_)) {
            settings.access.max_ttl = Some(settings.access.max_ttl().max(DAY));
        }
        settings.validate()?;
        let clock = Clock::system();
        let time = StoreClock::new(clock.clone());
        time.measure(&whole).await?;
        let store = match &realm {
            Some(realm) => whole.realm(realm),
            None => whole.clone(),
        };
        // The tables are there; a handle has to know them.
        store.migrate(time.now()).await?;
        let ring = match purpose {
            // It signs nothing.
            Purpose::Store => KeyRing::generate(Algorithm::HS256)?,
            Purpose::Keys | Purpose::Tokens(_) => {
                open_ring(common, &settings, Some(&whole)).await?
            }
        };
        set_lifetimes(&ring, &settings);
        let events = Output::events().in_realm(realm.as_ref());
        let events = events.start();
        let throttle = Throttle::new(&ThrottleSettings::off(), &store, &clock, &events).await?;
        let envelope = match purpose {
            Purpose::Tokens(envelope) => envelope,
            Purpose::Store | Purpose::Keys => Envelope::Open,
        };
        let (engine, unwritten) = Engine::new(EngineParts {
            settings,
            realm,
            store,
            ring,
            clock,
            time,
            events,
            envelope,
        });
        let backend = std::sync::Arc::new(NoUsers);
        let flows = Flows::new(
            engine,
            backend,
            #[cfg(feature = "password")]
            None,
            throttle,
            None,
        );
        Ok(Self {
            flows,
            _unwritten: unwritten,
        })
    }

    pub(super) fn engine(&self) -> &Engine {
        &self.flows.engine
    }
}

/// Reads the settings that the arguments name.
pub(super) fn settings(common: &Common) -> Result<Settings, Failure> {
    let realm = realm(common)?;
    let mut settings = Settings::load_file(realm.as_ref(), common.config.as_deref())?;
    if let Some(url) = &common.store {
        settings.store.url = Some(StoreUrl::new(url));
    }
    Ok(settings)
}

/// Returns the realm that the arguments name.
pub(super) fn realm(common: &Common) -> Result<Option<RealmName>, Failure> {
    let realm = common.realm.as_deref().map(RealmName::parse).transpose();
    Ok(realm?)
}

/// Opens the store of the settings. A file that is not there is not made.
pub(super) async fn open_store(settings: &Settings) -> Result<Store, Failure> {
    let url = settings.store.url.as_ref().map_or("", StoreUrl::expose);
    if url.is_empty() {
        return Err(Failure::usage(
            "no store is named: set `store.url` in tollgate.toml, TOLLGATE_STORE__URL, or `--store`",
        ));
    }
    if url.starts_with("memory:") {
        return Err(Failure::usage(
            "`memory:` keeps sessions in the memory of the program, where no other process reaches \
             them: name a store that lasts",
        ));
    }
    if url.starts_with("sqlite:")
        && let Ok(path) = sqlite_path(url)
    {
        let about = std::fs::metadata(&path)
            .map_err(|error| Failure::usage(format!("`{path}` cannot be opened: {error}")))?;
        refuse_other_owner(Path::new(&path), &about)?;
        if !holds_tables(&path)? {
            return Err(Failure::usage(format!(
                "`{path}` holds no tables of tollgate: check `store.url`, or run `tollgate migrate`"
            )));
        }
    }
    Ok(Store::open(&settings.store).await?)
}

/// Opens the store of the settings, and makes a file that is not there: for `migrate` alone.
pub(super) async fn open_or_make(settings: &Settings) -> Result<Store, Failure> {
    let url = settings.store.url.as_ref().map_or("", StoreUrl::expose);
    match url.starts_with("sqlite:").then(|| sqlite_path(url)) {
        Some(Ok(path)) => {
            if let Ok(about) = std::fs::metadata(&path) {
                refuse_other_owner(Path::new(&path), &about)?;
            }
            Ok(Store::open(&settings.store).await?)
        }
        _ => open_store(settings).await,
    }
}

/// Returns the realms of a store, and refuses a store that no gate has opened.
pub(super) async fn any_realm(store: &Store) -> Result<Vec<RealmRecord>, Failure> {
    let realms = realms(store).await?;
    if realms.is_empty() {
        return Err(Failure::new(
            Exit::Missing,
            "no gate has opened the store yet: check `store.url`",
        ));
    }
    Ok(realms)
}

async fn realms(store: &Store) -> Result<Vec<RealmRecord>, Failure> {
    store.realms().await.map_err(|error| {
        Failure::from(error).hint(
            "the store has no tables of tollgate, or those of an earlier release: check \
             `store.url`, or run `tollgate migrate`",
        )
    })
}

/// Returns the names of realms for people; the default one is `default`.
pub(super) fn names(realms: &[Option<RealmName>]) -> Vec<String> {
    let name = |realm: &Option<RealmName>| {
        realm
            .as_ref()
            .map_or_else(|| "default".to_owned(), ToString::to_string)
    };
    realms.iter().map(name).collect()
}

/// Returns what the store knows of a realm, and refuses one that no gate has opened.
pub(super) async fn record(
    store: &Store,
    realm: Option<&RealmName>,
) -> Result<RealmRecord, Failure> {
    let realms = realms(store).await?;
    let known = realms.iter().map(|realm| match &realm.name {
        Some(name) => format!("`{name}`"),
        None => "the default realm".to_owned(),
    });
    let known = match known.collect::<Vec<_>>().join(", ") {
        none if none.is_empty() => "no gate has opened it yet".to_owned(),
        known => format!("it holds {known}"),
    };
    let found = realms
        .into_iter()
        .find(|known| known.name.as_ref() == realm);
    found.ok_or_else(|| {
        let name = realm.map_or_else(
            || "the default realm".to_owned(),
            |realm| format!("the realm `{realm}`"),
        );
        let what =
            format!("the store does not hold {name}: {known}; check `--realm` and `store.url`");
        Failure::new(Exit::Missing, what)
    })
}

/// Takes issuer and audience from the realm where the settings do not say them, as where the
/// program sets them in code, and refuses others.
fn agree(settings: &mut Settings, record: &RealmRecord) -> Result<(), Failure> {
    for (name, own, theirs) in [
        ("issuer", &mut settings.issuer, &record.identity.issuer),
        (
            "audience",
            &mut settings.audience,
            &record.identity.audience,
        ),
    ] {
        match own {
            Some(own) if own != theirs => {
                return Err(Failure::usage(format!(
                    "`{name}` is `{}` in the settings, and `{}` in the store: these settings are \
                     of another deployment",
                    super::output::printable(own),
                    super::output::printable(theirs),
                )));
            }
            own => *own = Some(theirs.clone()),
        }
    }
    Ok(())
}

/// Opens the ring that the arguments name. One that is not there is not made.
pub(super) async fn open_ring(
    common: &Common,
    settings: &Settings,
    store: Option<&Store>,
) -> Result<KeyRing, Failure> {
    if let Some(folder) = &common.keys {
        let algorithm = algorithm_in(folder).map_err(|error| match error.kind() {
            ErrorKind::Keys => Failure::usage(Failure::from(error).into_text())
                .hint("name the folder of the ring with `--keys`"),
            _ => error.into(),
        })?;
        let ring = KeyRing::options(folder)
            .settings(&settings.keys)
            .algorithm(algorithm);
        return Ok(ring.open().await?);
    }
    let (Some(variable), Some(store)) = (&common.ring_secret, store) else {
        return Err(Failure::usage(
            "this needs the key ring: name its folder with `--keys FOLDER`, or the variable with \
             the secret of the ring in the store with `--ring-secret VARIABLE`",
        ));
    };
    let algorithm: Algorithm = common
        .algorithm
        .parse()
        .map_err(|_| Failure::usage("`--algorithm` names no algorithm: `EdDSA`, `ES256`, …"))?;
    let shared = SharedRing::new(Secret::from_env(variable)?)?.algorithm(algorithm);
    if store.keys().await?.version == 0 {
        return Err(Failure::new(
            Exit::Missing,
            "the store holds no key ring: name the folder of the ring with `--keys`",
        ));
    }
    let ring = crate::gate::open_shared(shared, store, &Clock::system()).await;
    ring.map_err(|error| match error.kind() {
        ErrorKind::Keys => Failure::usage(Failure::from(error).into_text())
            .hint("check `--store`, the variable that `--ring-secret` names, and `--algorithm`"),
        _ => error.into(),
    })
}

/// Tells the ring how long its keys are needed: never shorter than what a ring assumes that was
/// told nothing, for the program may know of longer times.
pub(super) fn set_lifetimes(ring: &KeyRing, settings: &Settings) {
    let access = settings.access.max_ttl().max(DAY) + settings.leeway + Duration::from_secs(20);
    let refresh = match settings.refresh.policy {
        RefreshPolicy::Fixed => DAY * 400,
        _ => DAY * 90,
    };
    ring.set_lifetimes(access, refresh, DAY * 400);
}

/// Refuses to write where the files belong to another user, who could not read what this process
/// writes.
pub(super) fn refuse_other_owner(path: &Path, about: &std::fs::Metadata) -> Result<(), Failure> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;

        let (own, user) = (rustix::process::geteuid().as_raw(), about.uid());
        if own != user {
            return Err(Failure::usage(format!(
                "`{}` belongs to the user {user}, and this process runs as {own}, whose files the \
                 program could not read: run the command as that user, with `sudo -u '#{user}'`",
                path.display()
            )));
        }
    }
    #[cfg(not(unix))]
    let _ = (path, about);
    Ok(())
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
