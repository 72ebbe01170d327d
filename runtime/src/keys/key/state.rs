//! The purpose and the state of a ring's keys.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The state of a ring's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum KeyState {
    /// It is published and verifies, but does not sign yet.
    Next,
    /// It signs.
    Current,
    /// It verifies until the last token that it signed expires.
    Previous,
    /// Tokens that it signed are no longer valid by their signature alone.
    Retired,
}

impl KeyState {
    /// Returns the name of the state in the manifest.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Current => "current",
            Self::Previous => "previous",
            Self::Retired => "retired",
        }
    }
}

/// The purpose of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum KeyPurpose {
    /// Access tokens.
    Sign,
    /// The MAC of refresh tokens.
    Refresh,
    /// Values that the gate stores in sealed form.
    Seal,
}

impl fmt::Display for KeyPurpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sign => "sign",
            Self::Refresh => "refresh",
            Self::Seal => "seal",
        })
    }
}
