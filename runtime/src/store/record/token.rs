//! The registry of tokens.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::id::{SessionId, TokenId};

/// A row of the token registry. It can be serialised, as [`Session`](super::Session) can.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRecord {
    /// The id of the token.
    pub jti: TokenId,
    /// The kind of the token.
    pub kind: StoredTokenKind,
    /// The session of the token, if it has one.
    pub sid: Option<SessionId>,
    /// The generation of the session when the token was issued.
    pub generation: Option<u32>,
    /// The token from which it was made.
    pub parent: Option<TokenId>,
    /// The subject.
    pub subject: String,
    /// The device id of the session.
    pub device_id: Option<String>,
    /// The time at which the token was issued.
    pub issued_at: Timestamp,
    /// The time at which the token expires.
    pub expires_at: Timestamp,
    /// The time at which the token was revoked, if it was.
    pub revoked_at: Option<Timestamp>,
}

/// The kind of a registered token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
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

/// A query for rows of the registry. All conditions that are given must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenQuery {
    /// Only this token.
    pub jti: Option<TokenId>,
    /// Only tokens of this subject.
    pub subject: Option<String>,
    /// Only tokens of this session.
    pub sid: Option<SessionId>,
    /// Only tokens of this device id.
    pub device_id: Option<String>,
    /// Only this token and its descendants.
    pub tree: Option<TokenId>,
    /// `true` for active tokens: neither expired nor revoked, and their session, if they have one,
    /// exists and is not revoked. `false` for the others. Epochs are not looked at.
    pub active: Option<bool>,
    /// Only tokens after this place in the order of `issued_at`, then `jti`: the values of the last
    /// row of the page before.
    pub after: Option<(Timestamp, TokenId)>,
    /// The largest number of rows to return.
    pub limit: u32,
}
