//! Revocations, and the facts in the log about them.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::id::{SessionId, TokenId};

/// A revocation.
#[derive(Clone, Debug)]
pub struct Revocation {
    /// The target.
    pub target: Target,
    /// The reason.
    pub reason: RevokeReason,
    /// The time until which the log remembers it: then every access token that was issued by now
    /// has expired.
    pub until: Timestamp,
}

/// The target of a revocation. "Ends a session" means revoked_at := now where it was empty, and a
/// log entry `sid` until `until`. An expired session ends too, without being counted: on a node
/// whose clock is behind it is live. A session that is over is logged too, and so is one that the
/// store does not have: its access tokens may be in use without an entry.
///
/// The log gets one entry for the end of a session or a token, however often it is revoked. A
/// target that was revoked before, at `revoked_at`, has no access token that is younger than that,
/// so its entry is needed until `until − (now − revoked_at)`. If an entry with this or a later end
/// exists, none is written; one with an earlier end is replaced; none is written where `now` is
/// past it.
///
/// Each target that names a subject first updates the subject's row: `changed_at := max(now,
/// changed_at + 1)`. Its mark moves where [`Revocation::moves_mark`] says so.
///
/// All epochs are on one scale: the effective one of a session is the highest of its subject's, its
/// client's and the global one. A bump sets an epoch above every epoch that a token of its target
/// may carry: a subject's above its own, every client's and the global one; a client's above its
/// own, every subject's and the global one; the global one above all. So every token that was
/// issued before is below it, and none that is issued later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Every access token of the subject: bumps its epoch, logs `uid → min_uep`. Sessions stay.
    AccessOf(String),
    /// Every session of the subject ends, *without* log entries: access tokens stay valid until
    /// they expire.
    RefreshOf(String),
    /// Both of the above, in one step. Sessions need no log entries of their own.
    Subject(String),
    /// Every session of the subject but one ends, each logged; also those that ended less than
    /// `until − now` ago, because they may have no entry.
    Others {
        /// The subject.
        subject: String,
        /// The session that stays.
        keep: SessionId,
    },
    /// One session ends.
    Session(SessionId),
    /// One token: logs `jti`, registered or not, and marks it in the registry.
    Token(TokenId),
    /// A token with its descendants in the registry, each logged and marked; the sessions to which
    /// any of them belongs end too.
    Tree(TokenId),
    /// Every session of a client ends (without log entries), and the client's epoch is bumped and
    /// logged as a lasting fact.
    Client(String),
    /// Tokens signed by this key: logged as a lasting fact.
    Key(String),
    /// Every session ends (without log entries), and the global epoch is bumped and logged as a
    /// lasting fact.
    Everything,
}

/// The reason why a session ended. Stored as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RevokeReason {
    /// The user signed out.
    SignOut,
    /// The user signed out everywhere, or others were signed out.
    SignOutAll,
    /// An application asked for it.
    Requested,
    /// An old refresh token was presented.
    Reuse,
    /// The account is disabled or gone.
    AccountClosed,
    /// A newer session replaced it.
    DeviceLimit,
    /// The user's credentials changed.
    PasswordChanged,
    /// The user's roles changed, and the session would have brought the old ones back.
    RolesChanged,
}

impl RevokeReason {
    /// All reasons.
    pub const ALL: [Self; 8] = [
        Self::SignOut,
        Self::SignOutAll,
        Self::Requested,
        Self::Reuse,
        Self::AccountClosed,
        Self::DeviceLimit,
        Self::PasswordChanged,
        Self::RolesChanged,
    ];

    /// Returns the text that stores keep.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignOut => "sign_out",
            Self::SignOutAll => "sign_out_all",
            Self::Requested => "requested",
            Self::Reuse => "reuse",
            Self::AccountClosed => "account_closed",
            Self::DeviceLimit => "device_limit",
            Self::PasswordChanged => "password_changed",
            Self::RolesChanged => "roles_changed",
        }
    }

    /// Returns the reason of a stored text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text)
    }
}

/// The effects of a revocation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Revoked {
    /// The number of live sessions that it ended.
    pub sessions: u64,
    /// The number of registered tokens that it marked.
    pub tokens: u64,
    /// The log entries about the target, both those that it wrote and those that it found. This
    /// node applies them at once.
    pub entries: Vec<LogEntry>,
}

/// An entry of the revocation log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// The fact.
    pub fact: Fact,
    /// The time until which it must be remembered: [`Timestamp::MAX`] for ever.
    pub until: Timestamp,
}

/// A fact of the revocation log. Epochs and generations only grow, and the highest one seen counts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Fact {
    /// The session is over.
    Session(SessionId),
    /// The session's tokens below this generation are revoked.
    Generation(SessionId, u32),
    /// The subject's tokens below this epoch are revoked.
    Subject(String, u64),
    /// This token is revoked.
    Token(TokenId),
    /// The client's tokens below this epoch are revoked.
    Client(String, u64),
    /// Tokens signed by this key are revoked.
    Key(String),
    /// All tokens below this epoch are revoked.
    Everything(u64),
    /// The deployment is paused, or not. The last one that was written counts; the number is its
    /// version, which grows.
    Paused(bool, u64),
}

/// A place in the log, up to which a reader has read. Only the store that made it can read it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogCursor(pub String);

impl LogCursor {
    /// The place before the first entry.
    pub const START: Self = Self(String::new());
}

/// A page of the revocation log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogPage {
    /// The entries, in the order in which they were written.
    pub entries: Vec<LogEntry>,
    /// The place after the last entry of the page.
    pub cursor: LogCursor,
}
