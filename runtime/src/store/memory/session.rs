//! Sessions in memory: opened, read, rotated, confirmed.

use super::state::State;
use crate::clock::Timestamp;
use crate::device::Device;
use crate::id::SessionId;
use crate::store::record::{
    Fact, NewSession, Opened, RevokeReason, Rotated, RotationStep, RotationWrite, Session,
    StoreError,
};
use crate::store::shared::operation::StoreOperation;

impl State {
    pub(super) fn open_session(
        &mut self,
        new: NewSession,
        now: Timestamp,
    ) -> Result<Opened, StoreError> {
        if self.sessions.contains_key(&new.sid) {
            return Err(StoreOperation::OpenSession.failed("its id is taken"));
        }
        let changed_at = self
            .subjects
            .get(&new.subject)
            .map_or(Timestamp::default(), |row| row.changed_at);
        if new.authenticated.has_moved(changed_at) {
            return Ok(Opened::Reload { changed_at });
        }
        let mut evicted = Vec::new();
        if let Some(limit) = new.limit {
            let mut live: Vec<_> = self
                .live_of(&new.subject, now)
                .map(Session::eviction_order)
                .collect();
            let Some(surplus) = limit.surplus(live.len()) else {
                return Ok(Opened::LimitReached);
            };
            live.sort_unstable();
            evicted.extend(live.into_iter().take(surplus).map(|(_, _, sid)| sid));
        }
        for sid in &evicted {
            self.end(*sid, RevokeReason::DeviceLimit, now);
            self.log.write(Fact::Session(*sid), new.log_until);
        }
        let epoch = self.epoch(&new.subject, &new.client_id);
        self.sessions.insert(new.sid, Session::opened(&new, now));
        self.by_subject
            .entry(new.subject)
            .or_default()
            .insert(new.sid);
        self.record_tokens(new.tokens);
        Ok(Opened::Open { epoch, evicted })
    }

    pub(super) fn session(&self, sid: SessionId) -> Option<Session> {
        self.sessions.get(&sid).map(|row| self.with_epoch(row))
    }

    pub(super) fn rotate(&mut self, rotation: RotationWrite, now: Timestamp) -> Rotated {
        let logs = !matches!(rotation.step, RotationStep::Hold { .. });
        let Some(row) = self.sessions.get_mut(&rotation.sid) else {
            return Rotated::Lost;
        };
        if row.rotate(rotation.step, now) == Rotated::Lost {
            return Rotated::Lost;
        }
        if let Some(until) = rotation.log_until.filter(|_| logs) {
            let fact = Fact::Generation(rotation.sid, row.generation);
            self.log.write(fact, until);
        }
        self.record_tokens(rotation.tokens);
        Rotated::Done
    }

    pub(super) fn confirm(&mut self, seen: &[(SessionId, u32)], now: Timestamp) -> u64 {
        let mut changed = 0;
        for (sid, generation) in seen {
            let row = self
                .sessions
                .get_mut(sid)
                .filter(|row| row.is_live(now) && row.generation == *generation);
            if let Some(row) = row.filter(|row| !row.confirmed) {
                row.confirmed = true;
                changed += 1;
            }
        }
        changed
    }

    pub(super) fn sessions_of(&self, subject: &str, now: Timestamp) -> Vec<Session> {
        let mut rows: Vec<_> = self
            .live_of(subject, now)
            .map(|row| self.with_epoch(row))
            .collect();
        rows.sort_unstable_by_key(|row| (row.created_at, row.sid));
        rows
    }

    pub(super) fn reauthenticate(
        &mut self,
        sid: SessionId,
        auth_time: Timestamp,
        acr: Option<String>,
        now: Timestamp,
    ) -> Option<Session> {
        let row = self.sessions.get_mut(&sid).filter(|row| row.is_live(now))?;
        row.auth_time = auth_time;
        row.acr = acr;
        row.last_seen_at = now;
        self.session(sid)
    }

    pub(super) fn attach(&mut self, sid: SessionId, device: Device, now: Timestamp) -> bool {
        let Some(row) = self.sessions.get_mut(&sid).filter(|row| row.is_live(now)) else {
            return false;
        };
        row.device = device;
        true
    }

    fn live_of(&self, subject: &str, now: Timestamp) -> impl Iterator<Item = &Session> {
        let sids = self.by_subject.get(subject).into_iter().flatten();
        sids.filter_map(|sid| self.sessions.get(sid))
            .filter(move |row| row.is_live(now))
    }

    fn with_epoch(&self, row: &Session) -> Session {
        Session {
            epoch: self.epoch(&row.subject, &row.client_id),
            ..row.clone()
        }
    }
}
