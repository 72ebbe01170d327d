//! Makes a running gate of the parts of a builder. Knows no backend's type, so that it is compiled
//! once.

use std::any::TypeId;
use std::sync::Arc;
use std::time::Duration;

use crate::error::{Error, ErrorKind};
use crate::event::{Event, EventKind};
use crate::flow::{Backend, Flows};
use crate::realm::{LiveGate, RealmName};
use crate::session::{Engine, EngineParts, StoreClock};
use crate::settings::RefreshPolicy;
use crate::store::{RevokeReason, Target};
use crate::throttle::Throttle;
use crate::token::{Envelope, NestedSecret};
#[cfg(feature = "axum")]
use crate::{clock::Timestamp, store::StoreHealth};

#[cfg(feature = "axum")]
use super::super::backend::RouteConfig;
#[cfg(feature = "axum")]
use super::super::cookie::RefreshCookieRule;
use super::super::failed;
#[cfg(feature = "axum")]
use super::super::places::refuse_same_paths;
use super::super::running::Running;
use super::super::tasks::RELOAD;
use super::claim::{self, RealmClaimant};
use super::plan::Plan;

/// The backend as an expansion and the builder's types describe it.
pub(super) struct AnyBackend {
    pub(super) backend: Arc<dyn Backend>,
    pub(super) envelope: Envelope,
    /// The name of the kind of backend.
    pub(super) kind: &'static str,
    /// The type of the backend.
    pub(super) type_id: TypeId,
    /// The type of the subject.
    pub(super) subject: TypeId,
    /// Finds a field inside of the user's claims that looks like a secret.
    pub(super) secret: fn() -> Option<NestedSecret>,
    /// Refuses members that the backend cannot add to an answer.
    pub(super) check_answer: fn() -> Result<(), String>,
    #[cfg(feature = "axum")]
    pub(super) routes: &'static RouteConfig,
}

/// Puts a gate together, from validated settings and the parts that were given.
pub(super) async fn assemble(plan: Plan, shell: AnyBackend) -> Result<Arc<Running>, Error> {
    let Plan {
        base: mut settings,
        overrides,
        ring,
        store,
        clock,
        events,
        #[cfg(feature = "password")]
        passwords,
        moving,
        before,
        #[cfg(feature = "axum")]
        messages,
        shared_audience,
        is_shared,
    } = plan;
    for change in overrides {
        change(&mut settings);
    }
    if settings.audience.is_none() {
        settings.audience = shared_audience;
    }
    if is_shared {
        settings.refuse_parts_in_realm()?;
    }
    let missing = |what| Error::new(ErrorKind::Usage, format!("the gate has no {what}"));
    let ring = ring.ok_or_else(|| missing("keys"))?;
    let store = store.ok_or_else(|| missing("store"))?;
    settings.validate()?;
    #[cfg(feature = "axum")]
    refuse_same_paths(&settings, shell.routes)?;
    // The derive refuses `bool`; it cannot see through another name of the type.
    if shell.subject == TypeId::of::<bool>() {
        return Err(Error::new(
            ErrorKind::Usage,
            "the subject of the users is a `bool`, which has only two values and cannot tell users \
             apart: use a `Uuid`, an integer or a `String`",
        ));
    }
    if let Some(secret) = (shell.secret)() {
        return Err(Error::new(ErrorKind::Usage, secret.to_string()));
    }
    (shell.check_answer)().map_err(|why| Error::new(ErrorKind::Usage, why))?;
    if moving.is_some() && shell.backend.keeps_claims() {
        return Err(Error::new(
            ErrorKind::Usage,
            "a moving guard needs `Refresh`, because a token of the former system has no claims \
             to store with the session: remove `refresh(from = stored)`, and implement `Refresh`",
        ));
    }
    if moving
        .as_ref()
        .is_some_and(|moving| moving.until() <= clock.now())
    {
        tracing::warn!(
            "the moving guard accepts no token any more, because its date has passed: remove \
             `.moving(…)`"
        );
    }
    let realm = settings
        .realm
        .as_deref()
        .map(RealmName::parse)
        .transpose()?;
    let gate = LiveGate {
        realm: realm.clone(),
        backend: shell.type_id,
        issuer: settings.issuer.clone().unwrap_or_default(),
        audience: settings.audience.clone().unwrap_or_default(),
        kind: shell.kind.to_owned(),
    };
    let mut presences = vec![claim::enter(store.live(), gate)?];
    let time = StoreClock::new(clock.clone());
    time.measure(&store)
        .await
        .map_err(|e| Error::new(ErrorKind::Store, "the store's clock cannot be read").because(e))?;
    let (offset, _) = time.offset();
    if offset > MOST_OFFSET {
        let seconds = offset.as_secs();
        let why = format!(
            "the clock of this machine and that of the store differ by {seconds} seconds: \
             synchronise them, then start the gate"
        );
        return Err(Error::new(ErrorKind::Store, why));
    }
    let migrated = |e| Error::new(ErrorKind::Store, "the tables cannot be created").because(e);
    // The list of realms is stored beside the tables of the default realm.
    store.migrate(time.now()).await.map_err(migrated)?;
    let claim = RealmClaimant::new(&store, &settings, realm.as_ref(), shell.kind);
    claim.check(before, time.now()).await?;
    let whole = store;
    let store = match &realm {
        Some(name) => whole.realm(name),
        None => whole.clone(),
    };
    store.migrate(time.now()).await.map_err(migrated)?;
    let health = store
        .health(time.now())
        .await
        .map_err(|e| Error::new(ErrorKind::Store, "the store cannot be written to").because(e))?;
    let ring = ring.open(&whole, &clock).await?;
    ring.check_group(settings.keys.group)?;
    if let Some(gate) = presences.first() {
        presences.push(claim::enter(ring.live(), LiveGate::clone(gate))?);
    }
    let others = match ring.is_unadopted().await {
        true => claim.other_with_sessions(time.now()).await?,
        false => None,
    };
    // The ring is read again after the sessions: another process may have adopted it since this one
    // opened it, and opened a session.
    ring.reload().await?;
    let lost = match ring.is_unadopted().await {
        true if health.has_live_sessions => Some(claim.shown()),
        true => others,
        false => None,
    };
    if let Some(realm) = lost.as_ref().filter(|_| !settings.keys.accept_new) {
        return Err(Error::new(
            ErrorKind::Keys,
            format!(
                "the key ring is new, and {realm} has live sessions whose tokens it cannot verify: \
                 restore the lost keys, or set `keys.accept_new = true` to sign everyone out. \
                 If that realm is another one and has a key ring of its own, build its gate first, \
                 in the same process"
            ),
        ));
    }
    let ring = ring.with_clock(clock.clone());
    // Another process signs with a replaced key until it has read the ring again.
    let overlap = settings
        .access
        .max_ttl()
        .saturating_add(settings.leeway)
        .saturating_add(RELOAD * 2);
    // A refresh token that stays the same is as old as its session.
    let is_fixed = settings.refresh.policy == RefreshPolicy::Fixed;
    let (idle, absolute) = (settings.session.idle, settings.session.absolute);
    let refresh = if is_fixed { absolute } else { idle };
    ring.set_lifetimes(overlap, refresh, absolute);
    let events = events.in_realm(realm.as_ref()).clock(&clock);
    #[cfg(feature = "metrics")]
    let events = events.named(settings.issuer.as_deref().unwrap_or_default());
    let events = events.start();
    let throttle = Throttle::new(&settings.throttle, &store, &clock, &events)
        .await
        .map_err(failed("read its clock"))?;
    let (engine, unwritten) = Engine::new(EngineParts {
        settings,
        realm,
        store,
        ring,
        clock,
        time,
        events,
        envelope: shell.envelope,
    });
    engine.alarms.report_offset();
    engine.self_test().await?;
    let caught_up = engine.follower.catch_up().await;
    caught_up.map_err(failed("read the revocations"))?;
    if lost.is_some() {
        let ended = engine.revoke(Target::Everything, RevokeReason::Requested);
        ended
            .await
            .map_err(failed("end the sessions of the lost keys"))?;
        claim.end_others(engine.time.now()).await?;
    }
    claim.write(before, &engine).await?;
    engine.ring.adopt().await?;
    if let Some(gate) = presences.first() {
        whole.live().built(gate);
    }
    if engine.settings.cookies.path.is_some() && !engine.settings.has_secure_origin() {
        engine.events.emit(&Event::new(EventKind::InsecureOrigin));
    }
    #[cfg(feature = "password")]
    if let Some(passwords) = &passwords {
        passwords.attach(&engine.events, &engine.clock);
    }
    #[cfg(feature = "axum")]
    let refresh_cookie = RefreshCookieRule::new(
        &engine.settings.cookies,
        engine.realm.as_ref(),
        older_since(health, &engine),
    );
    #[cfg(feature = "axum")]
    if engine.settings.cookies.path.is_some() && refresh_cookie.writes_former() {
        tracing::warn!(
            "a page of a sibling subdomain can set the refresh cookie of this gate, and so sign \
             a user in as somebody else: set `cookies.refresh = \"host\"` once no process of an \
             earlier release runs"
        );
        engine
            .events
            .emit(&Event::new(EventKind::RefreshCookiePlantable));
    }
    let flows = Flows::new(
        engine,
        shell.backend,
        #[cfg(feature = "password")]
        passwords,
        throttle,
        moving,
    );
    Ok(Arc::new(Running::start(
        flows,
        unwritten,
        (whole, presences),
        #[cfg(feature = "axum")]
        shell.routes,
        #[cfg(feature = "axum")]
        refresh_cookie,
        #[cfg(feature = "axum")]
        messages,
    )))
}

/// Returns when a store that may hold sessions of earlier releases was first opened by this
/// release. The last of those sessions has ended once the absolute lifetime of a session has passed
/// since then.
#[cfg(feature = "axum")]
fn older_since(health: StoreHealth, engine: &Engine) -> Option<Timestamp> {
    health
        .older_since
        .filter(|since| engine.time.now() < since.plus(engine.settings.session.absolute))
}

/// The difference of the clocks that is accepted at the start, at most (rotation.md section 6).
const MOST_OFFSET: Duration = Duration::from_secs(5 * 60);
