//! Sessions: their rows, and how they are opened.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::revocation::RevokeReason;
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
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
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
