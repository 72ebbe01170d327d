//! Sessions: opened, read, rotated, confirmed.

use std::time::Duration;

use super::state::State;
use tollgate::clock::Timestamp;
use tollgate::device::Device;
use tollgate::id::SessionId;
use tollgate::store::{
    Authenticated, Fact, NewSession, OnLimit, Opened, Predecessor, RevokeReason, Rotated,
    RotationStep, RotationWrite, Session, StoreError,
};

impl State {
    pub(super) fn open_session(
        &mut self,
        new: NewSession,
        now: Timestamp,
    ) -> Result<Opened, StoreError> {
        if self.sessions.contains_key(&new.sid) {
            return Err(
                StoreError::new("the session could not be opened").because("its id is taken")
            );
        }
        let changed_at = self
            .subjects
            .get(&new.subject)
            .map_or(Timestamp::default(), |row| row.changed_at);
        if has_moved(new.authenticated, changed_at) {
            return Ok(Opened::Reload { changed_at });
        }
        let mut evicted = Vec::new();
        if let Some(limit) = new.limit {
            let mut live: Vec<_> = self
                .live_of(&new.subject, now)
                .map(|row| (row.last_seen_at, row.created_at, row.sid))
                .collect();
            let room = usize::try_from(limit.max.max(1)).unwrap_or(usize::MAX) - 1;
            let surplus = live.len().saturating_sub(room);
            if surplus > 0 && limit.on_limit == OnLimit::Deny {
                return Ok(Opened::LimitReached);
            }
            live.sort_unstable();
            evicted.extend(live.into_iter().take(surplus).map(|(_, _, sid)| sid));
        }
        for sid in &evicted {
            self.end(*sid, RevokeReason::DeviceLimit, now);
            self.log.write(Fact::Session(*sid), new.log_until);
        }
        let epoch = self.epoch(&new.subject, &new.client_id);
        self.by_subject
            .entry(new.subject.clone())
            .or_default()
            .insert(new.sid);
        self.record_tokens(new.tokens);
        self.sessions.insert(
            new.sid,
            Session {
                sid: new.sid,
                subject: new.subject,
                client_id: new.client_id,
                device: new.device,
                generation: 0,
                current: new.current,
                previous: None,
                rotated_at: None,
                superseded_at: None,
                sealed_successor: None,
                confirmed: false,
                context: None,
                auth_time: new.auth_time,
                acr: new.acr,
                claims: new.claims,
                created_at: now,
                last_seen_at: now,
                idle_exp: new.idle_exp,
                abs_exp: new.abs_exp,
                revoked: None,
                epoch: 0,
            },
        );
        Ok(Opened::Open { epoch, evicted })
    }

    pub(super) fn session(&self, sid: SessionId) -> Option<Session> {
        self.sessions.get(&sid).map(|row| self.with_epoch(row))
    }

    pub(super) fn rotate(&mut self, rotation: RotationWrite, now: Timestamp) -> Rotated {
        let Some(row) = self
            .sessions
            .get_mut(&rotation.sid)
            .filter(|row| row.is_live(now))
        else {
            return Rotated::Lost;
        };
        let Some(next) = row.generation.checked_add(1) else {
            return Rotated::Lost;
        };
        match rotation.step {
            RotationStep::Advance {
                generation,
                current,
                successor,
                sealed,
                context,
                idle_exp,
            } => {
                if row.generation != generation || row.current != current {
                    return Rotated::Lost;
                }
                row.previous = Some(Predecessor {
                    generation,
                    hash: current,
                });
                row.generation = next;
                row.current = successor;
                row.sealed_successor = Some(sealed);
                row.rotated_at = Some(now);
                row.superseded_at = Some(now);
                row.context = Some(context);
                row.confirmed = false;
                row.last_seen_at = now;
                row.idle_exp = idle_exp.min(row.abs_exp);
            }
            RotationStep::Remint {
                generation,
                successor,
                sealed,
            } => {
                if row.generation != generation || row.confirmed {
                    return Rotated::Lost;
                }
                row.generation = next;
                row.current = successor;
                row.sealed_successor = Some(sealed);
                row.rotated_at = Some(now);
                row.last_seen_at = now;
            }
            RotationStep::Hold { generation } => {
                if row.generation != generation {
                    return Rotated::Lost;
                }
                self.record_tokens(rotation.tokens);
                return Rotated::Done;
            }
        }
        if let Some(until) = rotation.log_until {
            self.log.write(Fact::Generation(rotation.sid, next), until);
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

/// Whether a subject changed since its authentication. The second covers clock errors between nodes
/// (ROTATION 3).
fn has_moved(authenticated: Authenticated, changed_at: Timestamp) -> bool {
    match authenticated {
        Authenticated::Since(start) => {
            changed_at > Timestamp::default() && changed_at >= start.minus(Duration::from_secs(1))
        }
        Authenticated::After(expected) => changed_at != expected,
    }
}
