//! Revocation in memory: every target of [`Target`].

use super::state::{State, count};
use crate::clock::Timestamp;
use crate::id::{SessionId, TokenId};
use crate::store::record::{
    Fact, LogEntry, Revocation, RevokeReason, Revoked, Target, TokenRecord,
};

impl State {
    pub(super) fn revoke(&mut self, revocation: Revocation, now: Timestamp) -> Revoked {
        let Revocation {
            target,
            reason,
            until,
        } = revocation;
        let mut done = Revoked::default();
        match target {
            Target::AccessOf(subject) => {
                self.touch(&subject, now);
                done.entries.push(self.bump(subject, until));
            }
            Target::RefreshOf(subject) => {
                self.touch(&subject, now);
                done.sessions = self.end_all(self.of_subject(&subject), reason, now);
            }
            Target::Subject(subject) => {
                self.touch(&subject, now);
                done.sessions = self.end_all(self.of_subject(&subject), reason, now);
                done.entries.push(self.bump(subject, until));
            }
            Target::Others { subject, keep } => {
                self.touch(&subject, now);
                let running = now.minus(until.since(now));
                let mut sids = self.of_subject(&subject);
                sids.retain(|sid| {
                    let row = self.sessions.get(sid);
                    *sid != keep && row.is_some_and(|row| row.may_have_access(running))
                });
                done.sessions = self.end_all(sids.clone(), reason, now);
                done.entries.extend(
                    sids.into_iter()
                        .map(|sid| self.log.write(Fact::Session(sid), until)),
                );
            }
            Target::Session(sid) => {
                done.sessions = u64::from(self.end(sid, reason, now));
                done.entries.push(self.log.write(Fact::Session(sid), until));
            }
            Target::Token(jti) => self.end_token(jti, until, now, &mut done),
            Target::Tree(jti) => self.end_tree(jti, reason, until, now, &mut done),
            Target::Client(client) => {
                let highest = self
                    .highest_subject()
                    .max(self.log.client(&client))
                    .max(self.log.everything());
                let sids = self
                    .sessions
                    .values()
                    .filter(|row| row.client_id == client)
                    .map(|row| row.sid)
                    .collect();
                done.sessions = self.end_all(sids, reason, now);
                done.entries.push(
                    self.log
                        .write(Fact::Client(client, highest + 1), Timestamp::MAX),
                );
            }
            Target::Key(key) => done
                .entries
                .push(self.log.write(Fact::Key(key), Timestamp::MAX)),
            Target::Everything => {
                let highest = self
                    .highest_subject()
                    .max(self.log.highest_client())
                    .max(self.log.everything());
                let sids = self.sessions.keys().copied().collect();
                done.sessions = self.end_all(sids, reason, now);
                done.entries.push(
                    self.log
                        .write(Fact::Everything(highest + 1), Timestamp::MAX),
                );
            }
        }
        done
    }

    /// Ends a session that nobody ended before, expired or not; answers whether it was live.
    pub(super) fn end(&mut self, sid: SessionId, reason: RevokeReason, now: Timestamp) -> bool {
        self.sessions
            .get_mut(&sid)
            .is_some_and(|row| row.end(reason, now))
    }

    fn end_all(&mut self, sids: Vec<SessionId>, reason: RevokeReason, now: Timestamp) -> u64 {
        count(
            sids.into_iter()
                .filter(|sid| self.end(*sid, reason, now))
                .count(),
        )
    }

    fn of_subject(&self, subject: &str) -> Vec<SessionId> {
        self.by_subject
            .get(subject)
            .into_iter()
            .flatten()
            .copied()
            .collect()
    }

    fn touch(&mut self, subject: &str, now: Timestamp) {
        let row = self.subjects.entry(subject.to_owned()).or_default();
        row.changed_at = now.max(Timestamp::from_millis(row.changed_at.as_millis() + 1));
    }

    /// The subject's tokens may carry the epoch of any client, so its next one is above all of
    /// them.
    fn bump(&mut self, subject: String, until: Timestamp) -> LogEntry {
        let others = self.log.highest_client().max(self.log.everything());
        let row = self.subjects.entry(subject.clone()).or_default();
        row.epoch = row.epoch.max(others) + 1;
        self.log.write(Fact::Subject(subject, row.epoch), until)
    }

    fn highest_subject(&self) -> u64 {
        self.subjects
            .values()
            .map(|row| row.epoch)
            .max()
            .unwrap_or(0)
    }

    fn end_token(&mut self, jti: TokenId, until: Timestamp, now: Timestamp, done: &mut Revoked) {
        done.entries.push(self.log.write(Fact::Token(jti), until));
        if let Some(row) = self
            .registry
            .get_mut(&jti)
            .filter(|row| row.revoked_at.is_none())
        {
            row.revoked_at = Some(now);
            done.tokens += 1;
        }
    }

    fn end_tree(
        &mut self,
        root: TokenId,
        reason: RevokeReason,
        until: Timestamp,
        now: Timestamp,
        done: &mut Revoked,
    ) {
        let tree = TokenRecord::tree(root, self.registry.values());
        let mut sids: Vec<_> = tree
            .iter()
            .filter_map(|jti| self.registry.get(jti)?.sid)
            .collect();
        sids.sort_unstable();
        sids.dedup();
        for sid in sids {
            done.sessions += u64::from(self.end(sid, reason, now));
            done.entries.push(self.log.write(Fact::Session(sid), until));
        }
        for jti in tree {
            self.end_token(jti, until, now, done);
        }
    }
}
