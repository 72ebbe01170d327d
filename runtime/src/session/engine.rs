//! Puts the parts of a gate's engine together, and revokes: the one operation that needs most of
//! them.
//!
//! Each part owns its state: the issuer signs, the admission verifies, the view holds the
//! revocations, the follower keeps the view up to date, the registry lists tokens, the alarms
//! report problems.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::{Clock, Timestamp};
use crate::error::{Error, Refusal};
use crate::event::{Emitter, Event, EventKind, Hourly};
use crate::keys::KeyRing;
use crate::realm::RealmName;
use crate::settings::{Consistency, Settings};
use crate::store::{
    Archived, Fact, LogEntry, Revocation, RevokeReason, Revoked, Store, StoreError, Target,
};
use crate::token::Envelope;
#[cfg(feature = "axum")]
use crate::token::TokenInfo;

use super::admission::Admission;
use super::alarms::Alarms;
use super::archive;
use super::binding::Bindings;
use super::clock::StoreClock;
use super::confirm::{Confirmations, Unwritten};
#[cfg(feature = "axum")]
use super::connections::Connections;
use super::follow::Follower;
use super::issuer::TokenIssuer;
use super::registry::TokenRegistry;
use super::replay::Replays;
use super::revocation::event_of;
#[cfg(feature = "axum")]
use super::view::token_until;
use super::view::{View, log_until};

/// The operations of a gate on sessions, without the type of its users.
#[derive(Debug)]
pub(crate) struct Engine {
    pub(crate) settings: Arc<Settings>,
    /// The realm; `None` is the default one.
    pub(crate) realm: Option<RealmName>,
    pub(crate) store: Store,
    pub(crate) ring: KeyRing,
    /// This machine's clock: for tokens and ages.
    pub(crate) clock: Clock,
    /// The store's clock: for store calls, and for the times for which things are remembered.
    pub(crate) time: Arc<StoreClock>,
    pub(crate) events: Emitter,
    pub(crate) issuer: TokenIssuer,
    pub(crate) admission: Admission,
    pub(crate) bindings: Bindings,
    pub(crate) registry: TokenRegistry,
    pub(crate) follower: Arc<Follower>,
    pub(crate) alarms: Alarms,
    pub(crate) confirmations: Arc<Confirmations>,
    pub(crate) replays: Replays,
    /// The connections that outlive their request.
    #[cfg(feature = "axum")]
    pub(crate) connections: Connections,
    /// The reports of the last hour.
    pub(crate) reports: Arc<Hourly>,
    view: Arc<View>,
    /// Signing keys that were retired while the store failed to log it.
    unlogged: Mutex<Vec<String>>,
}

/// The parts of an engine.
pub(crate) struct EngineParts {
    /// The settings, validated.
    pub(crate) settings: Settings,
    /// The realm, where it has a name.
    pub(crate) realm: Option<RealmName>,
    /// The realm's part of the store, migrated.
    pub(crate) store: Store,
    /// The keys.
    pub(crate) ring: KeyRing,
    /// This machine's clock.
    pub(crate) clock: Clock,
    /// The store's clock, measured.
    pub(crate) time: StoreClock,
    /// The handlers of events.
    pub(crate) events: Emitter,
    /// The form in which tokens travel.
    pub(crate) envelope: Envelope,
}

impl Engine {
    /// Returns an engine, and the confirmations that a task writes to the store.
    pub(crate) fn new(parts: EngineParts) -> (Self, Unwritten) {
        let EngineParts {
            settings,
            realm,
            store,
            ring,
            clock,
            time,
            events,
            envelope,
        } = parts;
        let (settings, time, view) = (
            Arc::new(settings),
            Arc::new(time),
            Arc::new(View::default()),
        );
        let (confirmations, queue) = Confirmations::new();
        let confirmations = Arc::new(confirmations);
        let bindings = Bindings::new(&settings, &events);
        let follower = Arc::new(Follower::new(
            &settings, &store, &ring, &clock, &time, &events, &view,
        ));
        let reports = Arc::new(Hourly::new());
        let unwritten = Unwritten::new(queue, &store, &time);
        let engine = Self {
            issuer: TokenIssuer::new(
                (&settings, realm.as_ref()),
                &ring,
                &time,
                envelope,
                (&events, &reports),
            ),
            admission: Admission::new(
                (&settings, realm.as_ref()),
                &ring,
                &clock,
                (envelope, bindings.clone()),
                (&view, &follower, &time),
                &confirmations,
            ),
            registry: TokenRegistry::new(&settings, &store, &time),
            alarms: Alarms::new(&settings, &store, &clock, &time, &events, &view),
            replays: Replays::default(),
            #[cfg(feature = "axum")]
            connections: Connections::new(&view, &clock, &time),
            reports,
            settings,
            realm,
            store,
            ring,
            clock,
            time,
            events,
            bindings,
            follower,
            confirmations,
            view,
            unlogged: Mutex::default(),
        };
        (engine, unwritten)
    }

    /// Returns until when a revocation at `now`, a time of the store, must be remembered.
    pub(crate) fn log_until(&self, now: Timestamp) -> Timestamp {
        log_until(&self.settings, now)
    }

    /// Refuses while the deployment is paused, and, where the gate is strict, on a node whose clock
    /// is off by more than the leeway: other nodes may not agree on when its tokens expire.
    pub(crate) fn refuse_while_paused(&self) -> Result<(), Refusal> {
        self.view.refuse_while_paused()?;
        if matches!(self.settings.revocation.consistency, Consistency::Strict) {
            self.admission.refuse_while_off()?;
        }
        Ok(())
    }

    /// Returns whether the deployment is paused.
    pub(crate) fn is_paused(&self) -> bool {
        self.view.is_paused()
    }

    /// Returns how old the view is, and how many revocations it holds.
    pub(crate) fn view_health(&self) -> (Duration, usize) {
        (self.view.age(self.clock.now()), self.view.len())
    }

    /// Revokes a target for every node that reaches the store, and on this node at once: in the
    /// store first, then in the view, before the call returns (rotation.md section 7).
    pub(crate) async fn revoke(
        &self,
        target: Target,
        reason: RevokeReason,
    ) -> Result<Revoked, StoreError> {
        let now = self.time.now();
        self.revoke_until(target, reason, (self.log_until(now), now))
            .await
    }

    /// Does the same for a target of a subject, and also returns the time of its change as the store
    /// keeps it. The subject is unchanged as long as this is the time of its last change.
    #[cfg(feature = "axum")]
    pub(crate) async fn revoke_noting(
        &self,
        subject: &str,
        target: Target,
        reason: RevokeReason,
    ) -> Result<(Revoked, Timestamp), StoreError> {
        // A store never writes the time of the change before, however quickly they follow one
        // another. Had there been yet another in between, the time would differ, and whoever asks
        // would be refused.
        let client_id = self.settings.client_id.clone();
        let before = self.store.subject(subject.to_owned(), client_id).await?;
        let now = self.time.now();
        let changed = now.max(before.changed_at.plus(Duration::from_millis(1)));
        let revoked = self
            .revoke_until(target, reason, (self.log_until(now), now))
            .await?;
        Ok((revoked, changed))
    }

    /// Revokes an access token alone. However often it is presented, its revocation is logged only
    /// once, and kept until it has expired everywhere.
    #[cfg(feature = "axum")]
    pub(crate) async fn revoke_token(
        &self,
        token: &TokenInfo,
        reason: RevokeReason,
    ) -> Result<Revoked, StoreError> {
        let (target, now) = (Target::Token(token.jti()), self.time.now());
        let until = token_until(&self.settings, token.expires_at()).min(self.log_until(now));
        self.revoke_until(target, reason, (until, now)).await
    }

    async fn revoke_until(
        &self,
        target: Target,
        reason: RevokeReason,
        (until, now): (Timestamp, Timestamp),
    ) -> Result<Revoked, StoreError> {
        let revocation = Revocation {
            target: target.clone(),
            reason,
            until,
        };
        let revoked = self.store.revoke(revocation, now).await?;
        self.revoked(target, reason, &revoked);
        Ok(revoked)
    }

    /// Adds a revocation that the store holds to this node's view, and reports it.
    pub(crate) fn revoked(&self, target: Target, reason: RevokeReason, revoked: &Revoked) {
        self.follower.apply(&revoked.entries);
        self.events
            .emit(&event_of(target, reason, revoked.sessions));
    }

    /// Ends what a key made, on every node: in the ring first, then, where it is a signing key, in
    /// the log. Once it is out of the ring it is done, whatever the log says: the other nodes then
    /// follow when they read the ring again, and this one logs it when the store answers.
    pub(crate) async fn retire_key(&self, name: &str) -> Result<KeyRetired, Error> {
        self.ring.retire(name).await?;
        let kid = name.strip_prefix("sign-").unwrap_or(name);
        if is_numbered(kid) {
            return Ok(KeyRetired::InRing);
        }
        let (target, reason) = (Target::Key(kid.to_owned()), RevokeReason::Requested);
        let Err(error) = self.revoke(target.clone(), reason).await else {
            return Ok(KeyRetired::InLog);
        };
        tracing::warn!(
            %error,
            "a key was retired, and the store failed to log it: other nodes follow when they read \
             the ring again, and this one tries again to log it"
        );
        self.unlogged().push(kid.to_owned());
        let entry = LogEntry {
            fact: Fact::Key(kid.to_owned()),
            until: Timestamp::MAX,
        };
        let revoked = Revoked {
            entries: vec![entry],
            ..Revoked::default()
        };
        self.revoked(target, reason, &revoked);
        Ok(KeyRetired::InRing)
    }

    /// Logs the keys whose end the store failed to log; those that it fails to log again wait.
    pub(crate) async fn log_retired_keys(&self) {
        let waiting = std::mem::take(&mut *self.unlogged());
        for kid in waiting {
            let now = self.time.now();
            let revocation = Revocation {
                target: Target::Key(kid.clone()),
                reason: RevokeReason::Requested,
                until: self.log_until(now),
            };
            match self.store.revoke(revocation, now).await {
                Ok(revoked) => self.follower.apply(&revoked.entries),
                Err(error) => {
                    tracing::warn!(%error, "the end of a key is still to be logged");
                    self.unlogged().push(kid);
                }
            }
        }
    }

    /// Adds the end of a signing key that left the ring to this node's view, so that what it let
    /// in ends although the log may lack an entry.
    pub(crate) fn key_left(&self, kid: &str) {
        self.apply(LogEntry {
            fact: Fact::Key(kid.to_owned()),
            until: self.log_until(self.time.now()),
        });
    }

    fn unlogged(&self) -> MutexGuard<'_, Vec<String>> {
        self.unlogged.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a revocation that the store holds to this node's view, without waiting for the log.
    pub(crate) fn apply(&self, entry: LogEntry) {
        self.follower.apply(&[entry]);
    }

    /// Pauses or resumes the deployment. Once the store has it, it is done and reported. A node
    /// that cannot read the log then pauses all the same, and resumes when it can.
    pub(crate) async fn set_paused(&self, paused: bool) -> Result<(), StoreError> {
        let known = self.view.pause_state();
        self.store.set_paused(paused, self.time.now()).await?;
        self.events.emit(&Event::new(if paused {
            EventKind::Paused
        } else {
            EventKind::Resumed
        }));
        if let Err(error) = self.follower.catch_up().await {
            tracing::warn!(
                %error,
                paused,
                "the pause was changed in the store, and this node failed to read the log"
            );
            if paused {
                self.view.pause_unread(known);
            }
        }
        Ok(())
    }

    /// Refuses because a callback of the backend returned another user than it was asked for, and
    /// reports that once an hour a subject.
    pub(crate) fn other_subject(&self, callback: &'static str, subject: &str) -> Refusal {
        if self.reports.admits(callback, subject, self.time.now()) {
            let kind = EventKind::OtherSubject { callback };
            self.events.emit(&Event::new(kind).subject(subject));
        }
        Refusal::internal(format!(
            "`{callback}` of the backend answered another user than it was asked for"
        ))
    }

    /// Signs a token and verifies it, so that a ring that cannot do both is noticed at the start.
    pub(crate) async fn self_test(&self) -> Result<(), Error> {
        let text = self.issuer.sign_self_test(self.clock.now()).await?;
        self.admission.verify_self_test(&text)
    }

    /// Removes revocations that no valid token can match any more.
    pub(crate) fn purge_view(&self) {
        self.view.purge(self.time.earlier());
    }

    /// Deletes rows that ended before `before`, in batches, between which other operations can run.
    pub(crate) async fn archive(&self, before: Timestamp) -> Result<Archived, StoreError> {
        archive::run(&self.store, &self.time, before, |_| ()).await
    }

    /// Does the same, and tells after each batch what was deleted so far.
    #[cfg(feature = "cli")]
    pub(crate) async fn archive_telling(
        &self,
        before: Timestamp,
        tell: impl FnMut(&Archived) + Send,
    ) -> Result<Archived, StoreError> {
        archive::run(&self.store, &self.time, before, tell).await
    }

    /// Deletes rows that ended longer ago than `archive.age`: the work of the gate's archiver.
    pub(crate) async fn archive_by_age(&self) -> Result<Archived, StoreError> {
        self.archive(self.time.now().minus(self.settings.archive.age))
            .await
    }

    /// Reports figures about this node.
    #[cfg(feature = "metrics")]
    pub(crate) fn report_figures(&self) {
        self.alarms.report_figures(self.confirmations.dropped());
    }
}

/// The place where the other nodes learn that a key was retired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyRetired {
    /// The log, which they read about once a second.
    InLog,
    /// The ring, which they read every ten seconds.
    InRing,
}

/// Returns whether this is the name of a key that signs no access tokens.
fn is_numbered(name: &str) -> bool {
    let number = name
        .strip_prefix("refresh-")
        .or_else(|| name.strip_prefix("seal-"));
    number.is_some_and(|number| number.parse::<u8>().is_ok())
}
