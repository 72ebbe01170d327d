//! The registry of tokens.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::id::{SessionId, TokenId};

/// A row of the token registry. It can be serialised, as [`Session`](super::Session) can.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

impl StoredTokenKind {
    /// Returns the text that stores keep.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Refresh => "refresh",
        }
    }

    /// Returns the kind of a stored text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Access, Self::Refresh]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
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
