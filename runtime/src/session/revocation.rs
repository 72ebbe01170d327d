//! The targets of a revocation, and the event that reports it.

use std::fmt::Display;

use crate::event::{Event, EventKind, RevokedTarget};
use crate::id::{SessionId, TokenId};
use crate::store::{RevokeReason, Target};

/// The target of a revocation. Pass it to `gate.revoke`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "nothing is revoked until `gate.revoke` gets it"]
pub struct Revoke(pub(crate) Target);

impl Revoke {
    /// Targets the subject's access tokens: its next refresh brings new claims, and no user is
    /// signed out. Where the backend refreshes from stored claims, its sessions end, because their
    /// claims are old.
    pub fn access_of(subject: impl Display) -> Self {
        Self(Target::AccessOf(subject.to_string()))
    }

    /// Targets the subject's sessions; access tokens stay valid until they expire.
    pub fn refresh_of(subject: impl Display) -> Self {
        Self(Target::RefreshOf(subject.to_string()))
    }

    /// Targets both: the subject is signed out everywhere, at once.
    pub fn subject(subject: impl Display) -> Self {
        Self(Target::Subject(subject.to_string()))
    }

    /// Targets every session of the subject but one.
    pub fn others(subject: impl Display, keep: SessionId) -> Self {
        Self(Target::Others {
            subject: subject.to_string(),
            keep,
        })
    }

    /// Targets one session, its access tokens included.
    pub const fn session(sid: SessionId) -> Self {
        Self(Target::Session(sid))
    }

    /// Targets one access token.
    pub const fn token(jti: TokenId) -> Self {
        Self(Target::Token(jti))
    }

    /// Targets a registered token, those made from it, and its session.
    pub const fn tree(jti: TokenId) -> Self {
        Self(Target::Tree(jti))
    }

    /// Targets everything that a client was given.
    pub fn client(client_id: impl Into<String>) -> Self {
        Self(Target::Client(client_id.into()))
    }

    /// Targets every access token signed by a key. Rotate the ring first: a gate refuses to revoke
    /// its current signing key, or the next one.
    pub fn key(kid: impl Into<String>) -> Self {
        Self(Target::Key(kid.into()))
    }

    /// Targets everything that was ever issued.
    pub const fn everything() -> Self {
        Self(Target::Everything)
    }
}

/// Returns the event of a revocation that the store has committed.
pub(crate) fn event_of(target: Target, reason: RevokeReason, sessions: u64) -> Event {
    let event = Event::new(EventKind::Revoked {
        target: kind_of(&target),
        sessions,
        reason: reason.as_str(),
    });
    match target {
        Target::AccessOf(subject)
        | Target::RefreshOf(subject)
        | Target::Subject(subject)
        | Target::Others { subject, .. } => event.subject(subject),
        Target::Session(sid) => event.sid(sid),
        Target::Token(_)
        | Target::Tree(_)
        | Target::Client(_)
        | Target::Key(_)
        | Target::Everything => event,
    }
}

const fn kind_of(target: &Target) -> RevokedTarget {
    match target {
        Target::AccessOf(_) => RevokedTarget::AccessOf,
        Target::RefreshOf(_) => RevokedTarget::RefreshOf,
        Target::Subject(_) => RevokedTarget::Subject,
        Target::Others { .. } => RevokedTarget::Others,
        Target::Session(_) => RevokedTarget::Session,
        Target::Token(_) => RevokedTarget::Token,
        Target::Tree(_) => RevokedTarget::Tree,
        Target::Client(_) => RevokedTarget::Client,
        Target::Key(_) => RevokedTarget::Key,
        Target::Everything => RevokedTarget::Everything,
    }
}
