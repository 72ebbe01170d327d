//! The effect of a revocation on a session, for stores that read rows one by one.

use crate::clock::Timestamp;
use crate::store::record::{NewSession, Opened, Revocation, RevokeReason, Session, Target};

impl Target {
    /// Returns the subject that the target names, whose `changed_at` moves with the revocation.
    pub(in crate::store) fn subject(&self) -> Option<&str> {
        match self {
            Self::AccessOf(subject)
            | Self::RefreshOf(subject)
            | Self::Subject(subject)
            | Self::Others { subject, .. } => Some(subject),
            Self::Session(_)
            | Self::Token(_)
            | Self::Tree(_)
            | Self::Client(_)
            | Self::Key(_)
            | Self::Everything => None,
        }
    }

    /// Returns whether each session that ends gets an entry of the log. Otherwise an epoch covers
    /// the access tokens of all of them, or they stay valid until they expire.
    pub(in crate::store) const fn logs_sessions(&self) -> bool {
        matches!(self, Self::Session(_) | Self::Tree(_) | Self::Others { .. })
    }
}

impl Revocation {
    /// Returns whether the subject's mark moves: then action tokens that were sent and sign-ins
    /// that wait for a step are over. It moves where credentials changed, or where a subject is
    /// signed out everywhere. It stays where roles changed, and where some sessions ended.
    ///
    /// The own mark of a subject is its epoch minus the growth of the epoch that did not move the
    /// mark: a store keeps that difference. So a program that does not know marks moves them with
    /// each bump of an epoch, and a change that moves only the mark subtracts one from the
    /// difference.
    #[must_use]
    pub fn moves_mark(&self) -> bool {
        match self.target {
            Target::Subject(_) => !matches!(self.reason, RevokeReason::RolesChanged),
            Target::Others { .. } => matches!(self.reason, RevokeReason::PasswordChanged),
            Target::AccessOf(_)
            | Target::RefreshOf(_)
            | Target::Session(_)
            | Target::Token(_)
            | Target::Tree(_)
            | Target::Client(_)
            | Target::Key(_)
            | Target::Everything => false,
        }
    }

    /// Returns until when the log has to remember the end of a session or a token, which may have
    /// been revoked at `revoked_at` already: no access token of it is younger than that.
    ///
    /// So the same end has the same `until`, however often it is asked for, and the log gets one
    /// entry for it.
    pub(in crate::store) fn until_for(
        &self,
        revoked_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Timestamp {
        revoked_at.map_or(self.until, |at| self.until.minus(now.since(at)))
    }

    /// Returns whether the revocation ends a session. The sessions of a [`Target::Tree`] are named
    /// by its tokens, and not found by this.
    ///
    /// [`Target::Others`] also ends sessions that are over, as long as an access token of theirs
    /// may still be valid: they may have ended without an entry in the log.
    pub(in crate::store) fn ends(&self, session: &Session, now: Timestamp) -> bool {
        match &self.target {
            Target::RefreshOf(subject) | Target::Subject(subject) => session.subject == *subject,
            Target::Others { subject, keep } => {
                let running = now.minus(self.until.since(now));
                session.subject == *subject
                    && session.sid != *keep
                    && session.revoked.is_none_or(|(at, _)| at > running)
            }
            Target::Session(sid) => session.sid == *sid,
            Target::Client(client) => session.client_id == *client,
            Target::Everything => true,
            Target::AccessOf(_) | Target::Token(_) | Target::Tree(_) | Target::Key(_) => false,
        }
    }
}

impl NewSession {
    /// Returns the revocations by which the sessions that this one replaces end, in their order. A
    /// store does what [`revoke`](crate::store::SessionStore::revoke) does with each of them, in
    /// the step that opens the session.
    pub fn ends(&self) -> impl Iterator<Item = Revocation> {
        self.replaces.iter().map(|sid| Revocation {
            target: Target::Session(*sid),
            reason: RevokeReason::SignOut,
            until: self.log_until,
        })
    }
}

impl Opened {
    /// Returns whether another session ended in the same step, so that the callers that wait for
    /// the log have to be woken.
    #[must_use]
    pub fn ended_others(&self) -> bool {
        match self {
            Self::Open {
                evicted, replaced, ..
            } => !evicted.is_empty() || !replaced.is_empty(),
            Self::Reload { .. } | Self::LimitReached | Self::Gone => false,
        }
    }
}
