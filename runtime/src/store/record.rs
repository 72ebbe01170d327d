//! What goes into a store and what comes out: plain data, no behaviour beyond reading it.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::device::Device;
use crate::id::{SessionId, TokenId};
pub use crate::settings::OnLimit;

mod revocation;

pub use revocation::*;

/// A session as the store keeps it.
#[derive(Clone, PartialEq, Eq)]
pub struct Session {
    /// The session's id.
    pub sid: SessionId,
    /// Whose session it is, as in the claim `sub`.
    pub subject: String,
    /// For which client it was opened.
    pub client_id: String,
    /// What its client said about its device.
    pub device: Device,
    /// How many times it has been rotated.
    pub generation: u32,
    /// SHA-256 of the current refresh token's secret.
    pub current: [u8; 32],
    /// The predecessor, where there is one.
    pub previous: Option<Predecessor>,
    /// The last rotation or re-mint; none before the first.
    pub rotated_at: Option<Timestamp>,
    /// When `previous` was first replaced; a re-mint does not move it.
    pub superseded_at: Option<Timestamp>,
    /// The successor's secret, sealed under the predecessor's.
    pub sealed_successor: Option<Vec<u8>>,
    /// Whether the current generation has been used.
    pub confirmed: bool,
    /// The context of the request that last rotated.
    pub context: Option<[u8; 32]>,
    /// When the user last proved who they are.
    pub auth_time: Timestamp,
    /// How they did (RFC 9068 section 2.2.1).
    pub acr: Option<String>,
    /// The claims of sign-in, where the backend refreshes from them; at most 4 KiB.
    pub claims: Option<Vec<u8>>,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it last signed in, refreshed or authenticated again.
    pub last_seen_at: Timestamp,
    /// When it ends unless refreshed.
    pub idle_exp: Timestamp,
    /// When it ends whatever happens.
    pub abs_exp: Timestamp,
    /// Since when it is over, and why.
    pub revoked: Option<(Timestamp, RevokeReason)>,
    /// The subject's effective epoch, read together with the row: the highest of the subject's own,
    /// its client's and the global one. An access token carries it as `uep`.
    pub epoch: u64,
}

impl Session {
    /// Whether it is neither revoked nor past either expiry.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked.is_none() && self.idle_exp > now && self.abs_exp > now
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

/// The refresh token that the current one replaced.
#[derive(Clone, PartialEq, Eq)]
pub struct Predecessor {
    /// Its generation.
    pub generation: u32,
    /// SHA-256 of its secret.
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
    /// Its id.
    pub sid: SessionId,
    /// Whose it is.
    pub subject: String,
    /// For which client.
    pub client_id: String,
    /// The device.
    pub device: Device,
    /// SHA-256 of the first refresh token's secret.
    pub current: [u8; 32],
    /// When the user proved who they are.
    pub auth_time: Timestamp,
    /// How they did.
    pub acr: Option<String>,
    /// The claims to be kept with the session.
    pub claims: Option<Vec<u8>>,
    /// When it ends unless refreshed.
    pub idle_exp: Timestamp,
    /// When it ends whatever happens.
    pub abs_exp: Timestamp,
    /// What the authentication saw of the subject.
    pub authenticated: Authenticated,
    /// How many live sessions a subject may have.
    pub limit: Option<DeviceLimit>,
    /// How long the log remembers a session that this one evicts.
    pub log_until: Timestamp,
    /// Rows for the registry, written in the same step.
    pub tokens: Vec<TokenRecord>,
}

/// What a sign-in knows about the moment of its authentication, against which the subject's
/// `changed_at` is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authenticated {
    /// It began then: a subject changed at or after one second before is [`Opened::Reload`].
    Since(Timestamp),
    /// It ran again after a reload: `changed_at` must still be this one, otherwise
    /// [`Opened::Reload`].
    After(Timestamp),
}

/// How many live sessions a subject may have, and what happens to the one too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceLimit {
    /// The number, at least one.
    pub max: u32,
    /// What happens.
    pub on_limit: OnLimit,
}

/// How opening a session went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opened {
    /// It is open.
    Open {
        /// The subject's effective epoch.
        epoch: u64,
        /// The sessions that had to end for it.
        evicted: Vec<SessionId>,
    },
    /// The subject changed while it was being authenticated; nothing was written.
    Reload {
        /// The subject's `changed_at`.
        changed_at: Timestamp,
    },
    /// There are as many sessions as there may be; nothing was written.
    LimitReached,
}

/// A conditional write of a refresh.
#[derive(Clone, Debug)]
pub struct RotationWrite {
    /// The session.
    pub sid: SessionId,
    /// What is to happen, and under which condition.
    pub step: RotationStep,
    /// Rows for the registry, written in the same step, if it happens.
    pub tokens: Vec<TokenRecord>,
    /// Where set, tokens of earlier generations die with this step: the log gets `sid → min_gen`
    /// (the new generation) until then. A [`RotationStep::Remint`] always sets it; with a [`RotationStep::Hold`],
    /// which brings no generation, it means nothing.
    pub log_until: Option<Timestamp>,
}

/// The three things that may happen to a session in a refresh. Each requires that the session is
/// live.
#[derive(Clone, Debug)]
pub enum RotationStep {
    /// Row 6: requires `generation` and `current` as read. Sets generation + 1, previous :=
    /// current, current := `successor`, rotated_at := superseded_at := now, confirmed := false,
    /// `sealed`, `context`, last_seen_at := now, idle_exp := min(`idle_exp`, abs_exp).
    Advance {
        /// The generation as read.
        generation: u32,
        /// The current hash as read.
        current: [u8; 32],
        /// The successor's hash.
        successor: [u8; 32],
        /// The successor, sealed.
        sealed: Vec<u8>,
        /// The context of this request.
        context: [u8; 32],
        /// The idle expiry that the rotation brings.
        idle_exp: Timestamp,
    },
    /// Row 8: requires `generation` as read and the session unconfirmed. Sets generation + 1,
    /// current := `successor`, rotated_at := last_seen_at := now, `sealed`; previous,
    /// superseded_at, context and idle_exp stay. The context was compared by the caller.
    Remint {
        /// The generation as read.
        generation: u32,
        /// The new successor's hash.
        successor: [u8; 32],
        /// The new successor, sealed.
        sealed: Vec<u8>,
    },
    /// Rows 5 and 7, which write nothing: requires `generation` as read.
    Hold {
        /// The generation as read.
        generation: u32,
    },
}

/// How a rotation went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotated {
    /// The condition held, and the step is done.
    Done,
    /// The condition did not hold; nothing was written.
    Lost,
}

/// A row of the token registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRecord {
    /// The token's id.
    pub jti: TokenId,
    /// What it is.
    pub kind: StoredTokenKind,
    /// Its session, where it has one.
    pub sid: Option<SessionId>,
    /// Its session's generation when it was issued.
    pub generation: Option<u32>,
    /// The token it was made from.
    pub parent: Option<TokenId>,
    /// Whose it is.
    pub subject: String,
    /// The device id of its session.
    pub device_id: Option<String>,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it runs out.
    pub expires_at: Timestamp,
    /// Since when it is revoked.
    pub revoked_at: Option<Timestamp>,
}

/// The kind of a registered token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StoredTokenKind {
    /// An access token.
    Access,
    /// A refresh token.
    Refresh,
}

/// Which rows of the registry are wanted: all given conditions must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenQuery {
    /// This token alone.
    pub jti: Option<TokenId>,
    /// Of this subject.
    pub subject: Option<String>,
    /// Of this session.
    pub sid: Option<SessionId>,
    /// Of this device id.
    pub device_id: Option<String>,
    /// This token and its descendants.
    pub tree: Option<TokenId>,
    /// `true`: neither expired nor revoked, and its session, where it has one, there and not
    /// revoked. `false`: the others. Epochs are not looked at.
    pub active: Option<bool>,
    /// Behind this place in the order of `issued_at`, then `jti`: those of the last row of the page
    /// before.
    pub after: Option<(Timestamp, TokenId)>,
    /// At most so many.
    pub limit: u32,
}

/// What a healthy store says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreHealth {
    /// Whether there is at least one live session.
    pub has_live_sessions: bool,
}

/// What an archive run deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Archived {
    /// Sessions.
    pub sessions: u64,
    /// Rows of the registry.
    pub tokens: u64,
    /// Single-use values, budgets and log entries.
    pub others: u64,
    /// Whether a limit was reached, so that another run finds more.
    pub more: bool,
}

/// A value to be taken once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnceValue {
    /// What it is for; values of two kinds never meet.
    pub kind: String,
    /// SHA-256 of what its taker must know.
    pub hash: [u8; 32],
    /// What the taker gets.
    pub payload: Vec<u8>,
    /// Until when.
    pub until: Timestamp,
}

/// A budget: `burst` at once, refilled evenly over `period` (the generic cell rate algorithm),
/// exact to the millisecond and without drift. A key has a budget for each limit that it is spent
/// under; one that is given twice is spent from once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// How much may be spent at once, at least one.
    pub burst: u32,
    /// How long an empty budget takes to be full again, in whole milliseconds, at least one.
    pub period: Duration,
}

/// How spending went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spent {
    /// It was spent under every limit.
    Allowed,
    /// Nothing was spent.
    Refused {
        /// After exactly this long, in whole milliseconds, the same cost would be allowed; where it
        /// is above a limit's burst, it never is.
        retry_after: Duration,
    },
}

/// The shared key ring, sealed by the gate.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredKeys {
    /// Grows by one at every swap.
    pub version: u64,
    /// The sealed ring.
    pub ring: Vec<u8>,
}

impl fmt::Debug for StoredKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoredKeys(version {})", self.version)
    }
}

/// Nobody could decide: the store is down, full, locked or broken.
#[derive(Debug)]
pub struct StoreError {
    what: &'static str,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl StoreError {
    /// Says what was being done, in lower case and without a full stop: "the session could not be
    /// read".
    #[must_use]
    pub const fn new(what: &'static str) -> Self {
        Self { what, source: None }
    }

    /// Adds what the store's library said.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
