//! Sessions as an application sees them, and the gate's health.

use std::net::IpAddr;
use std::time::Duration;

use serde::Serialize;

use crate::clock::Timestamp;
use crate::device::Device;
use crate::error::Error;
use crate::event::{Event, EventKind};
use crate::flow::Flows;
use crate::id::SessionId;
use crate::session::Engine;
use crate::store::{SeenFrom, Session, SessionPage};

use super::{AuthBackend, Gate, failed};

/// The sessions of a gate's users: returned by `gate.sessions()`. All conditions that are given must
/// hold; `attach` alone does not look at them.
#[derive(Clone, Debug)]
#[must_use = "nothing is read until `of`, `page`, `count` or `get`"]
pub struct SessionList<'a> {
    engine: &'a Engine,
    client_id: Option<String>,
    device_id: Option<String>,
    address: Option<IpAddr>,
    seen_since: Option<Timestamp>,
}

impl<'a> SessionList<'a> {
    pub(super) const fn new(engine: &'a Engine) -> Self {
        Self {
            engine,
            client_id: None,
            device_id: None,
            address: None,
            seen_since: None,
        }
    }

    /// Selects the sessions of a client.
    pub fn of_client(mut self, client_id: impl Into<String>) -> Self {
        self.client_id = Some(client_id.into());
        self
    }

    /// Selects the sessions with this device id, which their client gave.
    pub fn on_device(mut self, device_id: impl Into<String>) -> Self {
        self.device_id = Some(device_id.into());
        self
    }

    /// Selects the sessions that were opened or used from this address, as far as they remember it:
    /// the sign-in, the last use, and the history.
    pub const fn from_address(mut self, address: IpAddr) -> Self {
        self.address = Some(address);
        self
    }

    /// Selects the sessions that were used at this time or later.
    pub const fn seen_since(mut self, at: Timestamp) -> Self {
        self.seen_since = Some(at);
        self
    }

    /// Returns the live sessions of a subject, oldest first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn of(&self, subject: impl std::fmt::Display) -> Result<Vec<SessionInfo>, Error> {
        let sessions = self
            .engine
            .store
            .sessions_of(
                subject.to_string(),
                SessionPage::ALL,
                self.engine.time.now(),
            )
            .await
            .map_err(failed("list the sessions of the subject"))?;
        let selected = sessions
            .into_iter()
            .filter_map(|session| self.select(session));
        Ok(selected.collect())
    }

    /// Returns at most `limit` live sessions of a subject, oldest first: those after the session
    /// `after`, which may have ended since, or the first ones. `None` if `after` is not a
    /// session of the subject, or the store no longer has it.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn page(
        &self,
        subject: impl std::fmt::Display,
        after: Option<SessionId>,
        limit: u32,
    ) -> Result<Option<Vec<SessionInfo>>, Error> {
        let (subject, now) = (subject.to_string(), self.engine.time.now());
        let mut after = match after {
            None => None,
            Some(sid) => {
                let session = self.engine.store.session(sid, now).await;
                let session = session.map_err(failed("read the session"))?;
                match session.filter(|session| session.subject == subject) {
                    Some(session) => Some((session.created_at, sid)),
                    None => return Ok(None),
                }
            }
        };
        let (mut found, most) = (Vec::new(), limit as usize);
        loop {
            let page = SessionPage { after, limit };
            let sessions = self.engine.store.sessions_of(subject.clone(), page, now);
            let sessions = sessions
                .await
                .map_err(failed("list the sessions of the subject"))?;
            let is_last = sessions.len() < most;
            for session in sessions {
                after = Some((session.created_at, session.sid));
                found.extend(self.select(session));
                if found.len() == most {
                    return Ok(Some(found));
                }
            }
            if is_last || most == 0 {
                return Ok(Some(found));
            }
        }
    }

    /// Returns the number of live sessions of a subject.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn count(&self, subject: impl std::fmt::Display) -> Result<u64, Error> {
        Ok(self.of(subject).await?.len() as u64)
    }

    /// Returns a live session; `None` if there is no such session.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn get(&self, sid: SessionId) -> Result<Option<SessionInfo>, Error> {
        let now = self.engine.time.now();
        let session = self
            .engine
            .store
            .session(sid, now)
            .await
            .map_err(failed("read the session"))?;
        Ok(session
            .filter(|session| session.is_live(now))
            .and_then(|session| self.select(session)))
    }

    /// Replaces what a live session remembers of its device, and reports
    /// [`EventKind::DeviceAttached`]. Returns `false` if there is no such session.
    ///
    /// # Errors
    /// The store cannot be read or written to.
    pub async fn attach(&self, sid: SessionId, device: Device) -> Result<bool, Error> {
        let (engine, now) = (self.engine, self.engine.time.now());
        // The event names the subject.
        let session = engine.store.session(sid, now).await;
        let Some(session) = session.map_err(failed("read the session"))? else {
            return Ok(false);
        };
        let attached = engine.store.attach(sid, device, now).await;
        let is_attached = attached.map_err(failed("attach the device to the session"))?;
        if is_attached {
            let event = Event::new(EventKind::DeviceAttached);
            engine.events.emit(&event.subject(session.subject).sid(sid));
        }
        Ok(is_attached)
    }

    /// Returns what an application sees of a session, if every condition holds.
    fn select(&self, session: Session) -> Option<SessionInfo> {
        let is = |wanted: &Option<String>, value: Option<&str>| {
            wanted.is_none() || wanted.as_deref() == value
        };
        let is_selected = is(&self.client_id, Some(&session.client_id))
            && is(&self.device_id, session.device.id.as_deref())
            && self.seen_since.is_none_or(|at| session.last_seen_at >= at);
        let info = is_selected.then(|| self.info(session))?;
        self.address
            .is_none_or(|address| info.was_used_from(address))
            .then_some(info)
    }

    /// Returns what an application sees of a session. Entries that the settings do not keep any
    /// more are left out; the next rotation deletes them.
    fn info(&self, session: Session) -> SessionInfo {
        let mut info = SessionInfo::from(session);
        let most = usize::try_from(self.engine.settings.session.history);
        info.history.truncate(most.unwrap_or_default());
        info
    }
}

/// A live session, without anything secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionInfo {
    /// The id of the session.
    pub session_id: SessionId,
    /// The subject that it belongs to.
    pub subject: String,
    /// Its device, with the address and the user agent of the sign-in.
    pub device: Device,
    /// The time at which it was opened.
    pub created_at: Timestamp,
    /// The time of its last sign-in, refresh or renewed authentication.
    pub last_seen_at: Timestamp,
    /// The address of its last sign-in or refresh. A refresh that repeats an answer, such as that
    /// of a second tab, does not change it.
    pub last_seen_ip: Option<String>,
    /// The raw user agent of its last sign-in or refresh.
    pub last_seen_user_agent: Option<String>,
    /// The addresses and user agents before, the latest first: as many as `session.history` says.
    pub history: Vec<SeenFrom>,
    /// The time at which it ends, unless it is refreshed before.
    pub expires_at: Timestamp,
}

impl SessionInfo {
    /// Returns whether the session remembers that it was opened or used from this address.
    fn was_used_from(&self, address: IpAddr) -> bool {
        let history = self.history.iter().map(|seen| &seen.ip);
        [&self.device.ip, &self.last_seen_ip]
            .into_iter()
            .chain(history)
            .flatten()
            .any(|ip| ip.parse() == Ok(address))
    }
}

impl From<Session> for SessionInfo {
    fn from(session: Session) -> Self {
        let seen = session.seen_from();
        Self {
            session_id: session.sid,
            subject: session.subject,
            device: session.device,
            created_at: session.created_at,
            last_seen_at: session.last_seen_at,
            last_seen_ip: seen.ip,
            last_seen_user_agent: seen.user_agent,
            history: session
                .last_seen
                .map(|seen| seen.history)
                .unwrap_or_default(),
            expires_at: session.idle_exp.min(session.abs_exp),
        }
    }
}

/// The health of a gate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Health {
    /// `true` if everything below is well.
    pub is_well: bool,
    /// `true` if requests should be sent to this node: everything is well but the stored password
    /// hashes, which are the same on every node.
    pub is_ready: bool,
    /// `true` if the store can be written to.
    pub store_is_writable: bool,
    /// The age of the view of the revocations; above five seconds the gate is not well.
    pub revocation_view_age: Duration,
    /// The number of revocations in the view.
    pub revocation_entries: usize,
    /// The number of confirmations that found their queue full since the start.
    pub dropped_confirmations: u64,
    /// The number of events since the start that a queued handler did not get, because its queue
    /// was full or because the gate was shut down.
    pub dropped_events: u64,
    /// `true` if the deployment is paused.
    pub is_paused: bool,
    /// The difference of this machine's clock and the store's, as measured last; above the leeway
    /// the gate is not well.
    pub clock_offset: Duration,
    /// `true` if more than one in a hundred of the last stored password hashes could not be
    /// read; then the gate is not well, but still ready. Always `false` if the gate was not given the passwords.
    pub password_hashes_are_unreadable: bool,
    /// The background tasks that panicked, were started again and have not yet run for a while.
    pub failing_tasks: Vec<&'static str>,
}

impl<B: AuthBackend> Gate<B> {
    /// Returns the health of the gate. Asks the store.
    pub async fn health(&self) -> Health {
        Health::of(self.flows()).await
    }
}

impl Health {
    /// Asks the store, and collects the rest.
    pub(crate) async fn of(flows: &Flows) -> Self {
        let engine = &flows.engine;
        let store_is_writable = engine.store.health(engine.time.now()).await.is_ok();
        let (revocation_view_age, revocation_entries) = engine.view_health();
        let (clock_offset, _) = engine.time.offset();
        #[cfg(feature = "password")]
        let password_hashes_are_unreadable = flows
            .passwords
            .as_ref()
            .is_some_and(crate::password::Passwords::is_degraded);
        #[cfg(not(feature = "password"))]
        let password_hashes_are_unreadable = false;
        let failing_tasks = engine.alarms.failing_tasks();
        let is_ready = store_is_writable
            && revocation_view_age <= UNWELL
            && !engine.time.is_off(engine.settings.leeway)
            && failing_tasks.is_empty();
        Health {
            is_well: is_ready && !password_hashes_are_unreadable,
            is_ready,
            store_is_writable,
            revocation_view_age,
            revocation_entries,
            dropped_confirmations: engine.confirmations.dropped(),
            dropped_events: engine.events.dropped(),
            is_paused: engine.is_paused(),
            clock_offset,
            password_hashes_are_unreadable,
            failing_tasks,
        }
    }
}

const UNWELL: Duration = Duration::from_secs(5);
