//! Decides at the start of a gate whether its realm has the identity that it had before, and
//! whether another kind of users is in it.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind};
use crate::realm::{LiveGate, LiveGates, RealmName};
use crate::session::Engine;
use crate::settings::{Replaces, Settings};
use crate::store::{
    Before, RealmClaim, RealmIdentity, RealmRecord, ReplacedIdentity, Revocation, RevokeReason,
    Store, Target,
};

use super::super::failed;

/// Enters a gate in the list that other gates of this process see.
///
/// # Errors
/// Another backend, issuer or audience is in use in the realm.
pub(super) fn enter(gates: &LiveGates, gate: LiveGate) -> Result<Arc<LiveGate>, Error> {
    let shown = (show(gate.realm.as_ref()), identity_of(&gate));
    gates.enter(gate).map_err(|other| {
        let (realm, own) = shown;
        let other = identity_of(&other);
        let why = if own == other {
            "another backend of the same kind runs in it".to_owned()
        } else {
            format!("a gate with {} runs in it", values(&other))
        };
        usage(format!(
            "{realm} cannot be opened with {}: {why}. Give each kind of users its own realm, with \
             `.realm(\"…\")`",
            values(&own)
        ))
    })
}

/// The claim of a gate to its realm.
pub(super) struct RealmClaimant {
    store: Store,
    name: Option<RealmName>,
    identity: RealmIdentity,
    replaces: Replaces,
    max_ttl: Duration,
    log_for: Duration,
}

impl RealmClaimant {
    /// Returns the claim of a gate with these settings. `store` is the one with all realms.
    pub(super) fn new(
        store: &Store,
        settings: &Settings,
        name: Option<&RealmName>,
        kind: &str,
    ) -> Self {
        let max_ttl = settings.access.max_ttl();
        Self {
            store: store.clone(),
            name: name.cloned(),
            identity: RealmIdentity {
                issuer: settings.issuer.clone().unwrap_or_default(),
                audience: settings.audience.clone().unwrap_or_default(),
                kind: kind.to_owned(),
            },
            replaces: settings.replaces.clone(),
            max_ttl,
            log_for: max_ttl.saturating_add(settings.leeway * 3 + Duration::from_secs(5)),
        }
    }

    /// Refuses a realm of another identity. Also refuses the first named realm while sessions exist
    /// and no record says which gates opened them. Writes nothing.
    pub(super) async fn check(&self, before: Option<Before>, now: Timestamp) -> Result<(), Error> {
        let realms = self.read().await?;
        self.judge(&realms, now)?;
        let is_asked = self.must_say(&realms, now).await?;
        if is_asked && before.is_none() {
            return Err(usage(format!(
                "{} is the first named realm of a store that has live sessions, and the store does \
                 not know which gate opened them: call `.realm_before(Before::OneGate)` if one \
                 gate did, or `.realm_before(Before::SeveralGates)` to end them all once",
                show(self.name.as_ref())
            )));
        }
        Ok(())
    }

    /// Returns the realm as it is called in messages.
    pub(super) fn shown(&self) -> String {
        show(self.name.as_ref())
    }

    /// Writes the claim, once the gate works. Ends the earlier sessions where several gates opened
    /// them.
    pub(super) async fn write(&self, before: Option<Before>, engine: &Engine) -> Result<(), Error> {
        loop {
            let now = engine.time.now();
            let realms = self.read().await?;
            let Some(replaced) = self.judge(&realms, now)? else {
                // This process was started before the change, and is still being replaced.
                return Ok(());
            };
            let before = match self.must_say(&realms, now).await? {
                true => before,
                false => None,
            };
            if before == Some(Before::SeveralGates) {
                self.end(&self.store, now).await?;
            }
            let new = RealmRecord {
                name: self.name.clone(),
                identity: self.identity.clone(),
                replaced,
                before,
                first_opened: now,
                opened: now,
            };
            let present = self.present(&realms).map(|realm| realm.identity.clone());
            let claimed = self.store.claim_realm(present, new, now).await;
            match claimed.map_err(failed("record the realm"))? {
                RealmClaim::Claimed(_) => return Ok(()),
                RealmClaim::Taken(other) => return Err(self.taken(&other)),
                // Another process was faster, so the claim is decided again.
                RealmClaim::Moved(_) => {}
            }
        }
    }

    /// Returns a description of another realm that holds live sessions, which are under the keys of
    /// this gate's ring as far as is known.
    ///
    /// A realm with a running gate in this process is left out: where that gate has the same ring,
    /// the ring is in use, and not new.
    pub(super) async fn other_with_sessions(
        &self,
        now: Timestamp,
    ) -> Result<Option<String>, Error> {
        for (name, store) in self.others().await? {
            let health = store.health(now).await;
            if health.map_err(failed("answer"))?.has_live_sessions {
                return Ok(Some(show(name.as_ref())));
            }
        }
        Ok(None)
    }

    /// Ends the sessions of the realms that [`other_with_sessions`](Self::other_with_sessions)
    /// looks at.
    pub(super) async fn end_others(&self, now: Timestamp) -> Result<(), Error> {
        for (_, store) in self.others().await? {
            self.end(&store, now).await?;
        }
        Ok(())
    }

    async fn others(&self) -> Result<Vec<(Option<RealmName>, Store)>, Error> {
        // The default realm has no record before its first gate of this release was opened, and may
        // hold sessions all the same.
        let mut names: Vec<Option<RealmName>> = vec![None];
        for realm in self.read().await? {
            if realm.name.is_some() {
                names.push(realm.name);
            }
        }
        names.retain(|name| *name != self.name && !self.store.live().is_running(name.as_ref()));
        let with_store = |name: Option<RealmName>| {
            let store = match &name {
                Some(name) => self.store.realm(name),
                None => self.store.clone(),
            };
            (name, store)
        };
        Ok(names.into_iter().map(with_store).collect())
    }

    async fn end(&self, store: &Store, now: Timestamp) -> Result<(), Error> {
        let revocation = Revocation {
            target: Target::Everything,
            reason: RevokeReason::Requested,
            until: now.plus(self.log_for),
        };
        let ended = store.revoke(revocation, now).await;
        ended
            .map(drop)
            .map_err(failed("end the sessions of a realm"))
    }

    async fn read(&self) -> Result<Vec<RealmRecord>, Error> {
        let realms = self.store.realms().await;
        realms.map_err(failed("list its realms"))
    }

    fn present<'r>(&self, realms: &'r [RealmRecord]) -> Option<&'r RealmRecord> {
        realms.iter().find(|realm| realm.name == self.name)
    }

    /// Returns the identity to be recorded as replaced. The outer `None` means that this gate has
    /// the replaced identity: it may run for a while, and writes nothing.
    fn judge(
        &self,
        realms: &[RealmRecord],
        now: Timestamp,
    ) -> Result<Option<Option<ReplacedIdentity>>, Error> {
        let pair = |identity: &RealmIdentity| (identity.issuer.clone(), identity.audience.clone());
        let taken = realms
            .iter()
            .find(|realm| realm.name != self.name && pair(&realm.identity) == pair(&self.identity));
        if let Some(other) = taken {
            return Err(self.taken(other));
        }
        let Some(present) = self.present(realms) else {
            return Ok(Some(None));
        };
        if present.identity == self.identity {
            let replaced = present.replaced.clone();
            return Ok(Some(replaced.filter(|old| old.until > now)));
        }
        if self.consents_to(&present.identity) {
            return Ok(Some(Some(ReplacedIdentity {
                identity: present.identity.clone(),
                until: now.plus(self.max_ttl.saturating_add(HOUR)),
            })));
        }
        if present.accepts(&self.identity, now) {
            return Ok(None);
        }
        Err(usage(format!(
            "{} cannot be opened with {}: it was opened with {}. If that was changed on purpose, \
             set `replaces.{}` to the former value; if this is another kind of users, give it its \
             own realm",
            show(self.name.as_ref()),
            values(&self.identity),
            values(&present.identity),
            self.first_difference(&present.identity),
        )))
    }

    /// Returns whether the settings name every value that differs from before.
    fn consents_to(&self, old: &RealmIdentity) -> bool {
        let Replaces {
            issuer,
            audience,
            kind,
        } = &self.replaces;
        [
            (&old.issuer, &self.identity.issuer, issuer),
            (&old.audience, &self.identity.audience, audience),
            (&old.kind, &self.identity.kind, kind),
        ]
        .into_iter()
        .all(|(old, new, consent)| old == new || consent.as_ref() == Some(old))
    }

    fn first_difference(&self, old: &RealmIdentity) -> &'static str {
        if old.issuer != self.identity.issuer {
            "issuer"
        } else if old.audience != self.identity.audience {
            "audience"
        } else {
            "kind"
        }
    }

    /// Returns whether the program must say which gates opened the earlier sessions: when a named
    /// realm is first opened beside live sessions of the default realm, unless it was said before,
    /// or a gate of the default realm was on record when the first named realm was opened.
    async fn must_say(&self, realms: &[RealmRecord], now: Timestamp) -> Result<bool, Error> {
        let was_said = realms.iter().any(|realm| realm.before.is_some());
        if self.name.is_none()
            || was_said
            || self.present(realms).is_some()
            || is_default_older(realms)
        {
            return Ok(false);
        }
        let health = self.store.health(now).await;
        Ok(health.map_err(failed("answer"))?.has_live_sessions)
    }

    fn taken(&self, other: &RealmRecord) -> Error {
        usage(format!(
            "{} cannot be opened with {}: {} has the same issuer and audience, and services that \
             do not know realms could not tell their tokens apart. Give it its own audience",
            show(self.name.as_ref()),
            values(&self.identity),
            show(other.name.as_ref()),
        ))
    }
}

/// Returns whether the default realm was on record when the first named one was opened. Programs of
/// a release without realms leave no record, and may run beside.
fn is_default_older(realms: &[RealmRecord]) -> bool {
    let opened = |is_named: bool| {
        let of_kind = realms
            .iter()
            .filter(|realm| realm.name.is_some() == is_named);
        of_kind.map(|realm| realm.first_opened).min()
    };
    match (opened(false), opened(true)) {
        (Some(default), Some(named)) => default <= named,
        _ => false,
    }
}

fn identity_of(gate: &LiveGate) -> RealmIdentity {
    RealmIdentity {
        issuer: gate.issuer.clone(),
        audience: gate.audience.clone(),
        kind: gate.kind.clone(),
    }
}

fn show(realm: Option<&RealmName>) -> String {
    realm.map_or_else(
        || "the default realm".to_owned(),
        |name| format!("the realm `{name}`"),
    )
}

fn values(identity: &RealmIdentity) -> String {
    let RealmIdentity {
        issuer,
        audience,
        kind,
    } = identity;
    format!("the issuer `{issuer}`, the audience `{audience}` and the kind `{kind}`")
}

fn usage(what: String) -> Error {
    Error::new(ErrorKind::Usage, what)
}

const HOUR: Duration = Duration::from_secs(60 * 60);
