//! Sessions: their rows, and the data for opening one.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::OnceKey;
use super::revocation::{RevokeReason, Revoked};
use super::token::TokenRecord;
use crate::clock::Timestamp;
use crate::device::Device;
use crate::id::SessionId;
pub use crate::settings::OnLimit;

/// A session as the store keeps it.
///
/// It can be serialised, for stores that keep a row as one document; then its fields have the names
/// that they have here.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The id of the session.
    pub sid: SessionId,
    /// The subject, as in the claim `sub`.
    pub subject: String,
    /// The client for which the session was opened.
    pub client_id: String,
    /// The device, as far as the client described it.
    pub device: Device,
    /// The number of rotations so far.
    pub generation: u32,
    /// The SHA-256 of the current refresh token's secret.
    pub current: [u8; 32],
    /// The refresh token before the current one, if there was one.
    pub previous: Option<Predecessor>,
    /// The time of the last rotation or re-mint, if there was one.
    pub rotated_at: Option<Timestamp>,
    /// The time at which `previous` was first replaced. A re-mint does not move it.
    pub superseded_at: Option<Timestamp>,
    /// The secret of the successor, sealed under that of the predecessor.
    pub sealed_successor: Option<Vec<u8>>,
    /// `true` once a token of the current generation has been used.
    pub confirmed: bool,
    /// The context of the request that rotated last.
    pub context: Option<[u8; 32]>,
    /// The time at which the user last authenticated.
    pub auth_time: Timestamp,
    /// The class of that authentication (RFC 9068 section 2.2.1).
    pub acr: Option<String>,
    /// The claims of the sign-in, where the backend refreshes from them: at most 4 KiB.
    pub claims: Option<Vec<u8>>,
    /// The time at which the session was opened.
    pub created_at: Timestamp,
    /// The time of the last sign-in, refresh or new authentication.
    pub last_seen_at: Timestamp,
    /// The address and the user agent of the last rotation, and those before; `None` while the
    /// session was used only from where it was opened.
    #[serde(default)]
    pub last_seen: Option<LastSeen>,
    /// The time at which the session ends unless it is refreshed.
    pub idle_exp: Timestamp,
    /// The time at which the session ends in any case.
    pub abs_exp: Timestamp,
    /// `true` if the session is not to be remembered by the client: see `session.brief_idle`.
    #[serde(default)]
    pub is_brief: bool,
    /// The time at which the session was revoked, and the reason, if it was.
    pub revoked: Option<(Timestamp, RevokeReason)>,
    /// The effective epoch, read together with the row: the highest of the subject's own, the
    /// client's and the global one. An access token carries it as `uep`.
    pub epoch: u64,
}

impl Session {
    /// Returns whether the session is neither revoked nor past one of its expiries.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked.is_none() && self.idle_exp > now && self.abs_exp > now
    }

    /// Returns the address and the user agent of the last sign-in or rotation.
    #[must_use]
    pub fn seen_from(&self) -> SeenFrom {
        let (ip, user_agent) = match &self.last_seen {
            Some(seen) => (&seen.ip, &seen.user_agent),
            None => (&self.device.ip, &self.device.user_agent),
        };
        SeenFrom {
            ip: ip.clone(),
            user_agent: user_agent.clone(),
            last_seen_at: self.last_seen_at,
        }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("sid", &self.sid)
            .field("generation", &self.generation)
            .field("previous", &self.previous.as_ref().map(|p| p.generation))
            .field("confirmed", &self.confirmed)
            .field("rotated_at", &self.rotated_at)
            .field("superseded_at", &self.superseded_at)
            .field("idle_exp", &self.idle_exp)
            .field("abs_exp", &self.abs_exp)
            .field("revoked", &self.revoked)
            .field("epoch", &self.epoch)
            .finish_non_exhaustive()
    }
}

/// The address and the user agent of a session's last use, if they differ from those of its
/// sign-in. Stores keep them as one value beside the row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastSeen {
    /// The address of the last rotation, as text.
    pub ip: Option<String>,
    /// The user agent of the last rotation, cut at 512 bytes.
    pub user_agent: Option<String>,
    /// The addresses and user agents before, the latest first, as many as `session.history` says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<SeenFrom>,
}

impl LastSeen {
    /// Returns the form in which a store keeps it.
    ///
    /// # Errors
    /// It cannot be written as JSON.
    pub fn stored(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }

    /// Reads what [`stored`](Self::stored) made. What cannot be read counts as nothing: a session
    /// is listed without it rather than not at all.
    #[must_use]
    pub fn from_stored(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

/// An address and a user agent that a session was used from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenFrom {
    /// The address, as text.
    pub ip: Option<String>,
    /// The raw user agent.
    pub user_agent: Option<String>,
    /// The time at which the session was last used from there.
    pub last_seen_at: Timestamp,
}

/// The refresh token that the current one replaced.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Predecessor {
    /// The generation of the token.
    pub generation: u32,
    /// The SHA-256 of its secret.
    pub hash: [u8; 32],
}

impl fmt::Debug for Predecessor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Predecessor({})", self.generation)
    }
}

/// A session to be opened.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// The id of the session.
    pub sid: SessionId,
    /// The subject.
    pub subject: String,
    /// The client for which the session is opened.
    pub client_id: String,
    /// The device.
    pub device: Device,
    /// The SHA-256 of the first refresh token's secret.
    pub current: [u8; 32],
    /// The time at which the user authenticated.
    pub auth_time: Timestamp,
    /// The class of that authentication.
    pub acr: Option<String>,
    /// The claims to keep with the session.
    pub claims: Option<Vec<u8>>,
    /// The time at which the session ends unless it is refreshed.
    pub idle_exp: Timestamp,
    /// The time at which the session ends in any case.
    pub abs_exp: Timestamp,
    /// `true` if the session is not to be remembered by the client.
    pub is_brief: bool,
    /// The time at which the subject was authenticated.
    pub authenticated: Authenticated,
    /// The limit on live sessions of the subject, if there is one.
    pub limit: Option<DeviceLimit>,
    /// The time until which the log remembers a session that this one evicts or replaces.
    pub log_until: Timestamp,
    /// The sessions that this one replaces, of any subject. They end when it opens, and none of
    /// them ends if it does not open. They do not count towards the limit. See
    /// [`ends`](Self::ends).
    pub replaces: Vec<SessionId>,
    /// The rows for the registry, written in the same step.
    pub tokens: Vec<TokenRecord>,
    /// The single-use value that opening the session requires, taken in the same step.
    pub takes: Option<OnceKey>,
}

/// A page of a subject's sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionPage {
    /// The place in the list after which the page begins: `created_at` and `sid` of a session,
    /// which may have ended since. `None` for the first page.
    pub after: Option<(Timestamp, SessionId)>,
    /// The largest number of sessions on the page.
    pub limit: u32,
}

impl SessionPage {
    /// All sessions of the subject.
    pub const ALL: Self = Self {
        after: None,
        limit: u32::MAX,
    };
}

/// The state of a subject in a store, for a client. All values only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SubjectState {
    /// The effective epoch: the highest of the subject's own, the client's and the global one.
    pub epoch: u64,
    /// The effective mark, which shows whether a value that is bound to the subject is still valid:
    /// the sum of the subject's own mark, the client's epoch and the global one. See
    /// [`Revocation::moves_mark`](super::Revocation::moves_mark).
    pub mark: u64,
    /// The time of the subject's last change: 1970 where it never changed.
    pub changed_at: Timestamp,
}

/// The time at which a sign-in authenticated its subject. It is compared with the subject's
/// `changed_at`: see [`has_moved`](Self::has_moved).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authenticated {
    /// The authentication began at this time. If the subject changed later, or at most one second
    /// before, the answer is [`Opened::Reload`].
    Since(Timestamp),
    /// The authentication ran again after a reload. `changed_at` must still be this one; otherwise
    /// the answer is [`Opened::Reload`].
    After(Timestamp),
}

/// A limit on the live sessions of a subject, and the treatment of a session above it: see
/// [`surplus`](Self::surplus).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceLimit {
    /// The number of sessions, at least one.
    pub max: u32,
    /// The treatment of a session above the limit.
    pub on_limit: OnLimit,
}

/// The answer to opening a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opened {
    /// The session is open.
    Open {
        /// The effective epoch of the session.
        epoch: u64,
        /// The sessions that ended because of the limit.
        evicted: Vec<SessionId>,
        /// The effects of the end of each session that it replaces, in the order of
        /// [`NewSession::replaces`]: those of [`NewSession::ends`].
        replaced: Vec<Revoked>,
    },
    /// The subject changed while it was being authenticated, and nothing was written.
    Reload {
        /// The time at which the subject last changed.
        changed_at: Timestamp,
    },
    /// There are as many sessions as the limit allows, and nothing was written.
    LimitReached,
    /// The value that the session takes does not exist any more, and nothing was written.
    Gone,
}
