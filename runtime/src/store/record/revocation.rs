//! What is revoked, and what the log tells of it.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::id::{SessionId, TokenId};

/// Something to be revoked.
#[derive(Clone, Debug)]
pub struct Revocation {
    /// What.
    pub target: Target,
    /// Why.
    pub reason: RevokeReason,
    /// How long the log remembers it: until every access token issued by now is out.
    pub until: Timestamp,
}

/// What a revocation ends. "Ends a session" means revoked_at := now where it was none, and a log
/// entry `sid` until `until`. An expired session ends too, uncounted: to a node whose clock is
/// behind it is live. One that is over is logged again, and so is one that the store does not have:
/// its access tokens may be out there without an entry.
///
/// Each target that names a subject first updates the subject's row: `changed_at := max(now,
/// changed_at + 1)`.
///
/// There is one line of epochs: the effective one of a session is the highest of its subject's, its
/// client's and the global one. A bump goes one above every epoch that a token it concerns may
/// carry: a subject's above its own, every client's and the global one; a client's above its own,
/// every subject's and the global one; the global one above all. So every token issued before is
/// below it, and none issued after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Every access token of the subject: bumps its epoch, logs `uid → min_uep`. Sessions stay.
    AccessOf(String),
    /// Every session of the subject ends, *without* log entries: access tokens run out by
    /// themselves.
    RefreshOf(String),
    /// Both of the above, in one step. Sessions need no log entries of their own.
    Subject(String),
    /// Every session of the subject but one ends, each logged; also those that ended less than
    /// `until − now` ago, perhaps without an entry.
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
    /// A token with its descendants in the registry, each logged and marked; the sessions that any
    /// of them belongs to end too.
    Tree(TokenId),
    /// Every session of a client ends (without log entries), and the client's epoch is bumped and
    /// logged, lasting.
    Client(String),
    /// Tokens signed by this key: logged, lasting.
    Key(String),
    /// Every session ends (without log entries), and the global epoch is bumped and logged,
    /// lasting.
    Everything,
}

/// Why a session ended. Stored as text.
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
    /// An old refresh token came back.
    Reuse,
    /// The account is disabled or gone.
    AccountClosed,
    /// A newer session took its place.
    DeviceLimit,
    /// The user's credentials changed.
    PasswordChanged,
    /// The user's roles changed, and the session would have brought the old ones back.
    RolesChanged,
}

impl RevokeReason {
    /// All of them.
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

    /// The text that stores keep.
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

    /// The reason of a stored text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text)
    }
}

/// What a revocation did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Revoked {
    /// How many live sessions it ended.
    pub sessions: u64,
    /// How many registered tokens it marked.
    pub tokens: u64,
    /// The log entries it wrote, for this node to apply at once.
    pub entries: Vec<LogEntry>,
}

/// One line of the revocation log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// What no longer counts.
    pub fact: Fact,
    /// Until when this must be remembered; [`Timestamp::MAX`] for ever.
    pub until: Timestamp,
}

/// What the revocation log says. Epochs and generations only grow: the highest seen counts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Fact {
    /// The session is over.
    Session(SessionId),
    /// Its tokens below this generation are dead.
    Generation(SessionId, u32),
    /// The subject's tokens below this epoch are dead.
    Subject(String, u64),
    /// This token is dead.
    Token(TokenId),
    /// The client's tokens below this epoch are dead.
    Client(String, u64),
    /// Tokens signed by this key are dead.
    Key(String),
    /// All tokens below this epoch are dead.
    Everything(u64),
    /// The deployment is paused, or not. The last one written counts; the number is its version,
    /// which grows.
    Paused(bool, u64),
}

/// How far a reader of the log has come. Opaque: only the store that made it can read it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogCursor(pub String);

impl LogCursor {
    /// Before the first entry.
    pub const START: Self = Self(String::new());
}

/// A piece of the revocation log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogPage {
    /// The entries.
    pub entries: Vec<LogEntry>,
    /// Where to go on.
    pub cursor: LogCursor,
}
