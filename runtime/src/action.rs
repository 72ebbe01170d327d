//! Action tokens: what a letter carries so that its reader may do one thing once. Knows no gate,
//! and sends nothing.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use base64_simd::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize};
use zeroize::Zeroizing;

use crate::clock::Timestamp;
use crate::error::Error;
use crate::secret::{fill_random, sha256};

/// What an action token is for. Tokens of two purposes never meet.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use tollgate::action::ActionPurpose;
///
/// /// Joins a team.
/// struct Invitation;
///
/// impl ActionPurpose for Invitation {
///     const NAME: &'static str = "invitation";
///     const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);
/// }
/// ```
pub trait ActionPurpose: 'static {
    /// Its name, of which there is one in a deployment. It is part of what the store keeps.
    const NAME: &'static str;
    /// How long a token lives: a second at least and a day at most, or it does not compile.
    const LIFETIME: Duration;
}

/// The former name of [`ActionPurpose`].
#[doc(hidden)]
pub use ActionPurpose as Purpose;

/// Sets a password without the old one. Lives 15 minutes. It signs nobody in, and asks for no less
/// at the next sign-in.
#[derive(Clone, Copy, Debug)]
pub struct PasswordReset;

impl ActionPurpose for PasswordReset {
    const NAME: &'static str = "password_reset";
    const LIFETIME: Duration = Duration::from_secs(15 * 60);
}

/// Proves that an address is read by whom it should be. Lives a day.
#[derive(Clone, Copy, Debug)]
pub struct EmailVerification;

impl ActionPurpose for EmailVerification {
    const NAME: &'static str = "email_verification";
    const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);
}

/// A token for a letter: opaque, 256 random bits, good for one purpose, once. The store has its
/// hash alone.
///
/// Made by [`Gate::action_token`](crate::gate::Gate::action_token), read from a body, and burnt by
/// [`consume`](Self::consume). `Debug` prints a redaction.
///
/// Put it behind the `#` of an address, or in a form that is posted: a `GET` that consumed it would
/// be made by whatever looks at letters before people do.
pub struct ActionToken<P> {
    text: Zeroizing<String>,
    purpose: PhantomData<fn() -> P>,
}

impl<P: ActionPurpose> ActionToken<P> {
    pub(crate) fn random() -> Result<Self, Error> {
        let mut bytes = Zeroizing::new([0; 32]);
        fill_random(&mut *bytes)?;
        Ok(Self::new(format!(
            "{PREFIX}{}",
            URL_SAFE_NO_PAD.encode_to_string(*bytes)
        )))
    }

    /// Takes a text that somebody presents. Whether it is a token shows when it is consumed.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: Zeroizing::new(text.into()),
            purpose: PhantomData,
        }
    }

    /// The text for the letter.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// Under what the store keeps it.
    pub(crate) fn hash(&self) -> [u8; 32] {
        sha256(self.text.as_bytes())
    }

    /// Under which kind the store keeps it.
    pub(crate) fn kind() -> String {
        const {
            assert!(
                P::LIFETIME.as_secs() >= 1 && P::LIFETIME.as_secs() <= 24 * 60 * 60,
                "an action token lives a day at most"
            );
        }
        format!("action/{}", P::NAME)
    }
}

impl<P> fmt::Debug for ActionToken<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ActionToken([redacted])")
    }
}

impl<'de, P: ActionPurpose> Deserialize<'de> for ActionToken<P> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

/// That somebody presented a token of this purpose: what a flow asks for, and only
/// [`ActionToken::consume`] gives.
#[derive(Debug)]
#[must_use = "the token is burnt: do what it was for"]
pub struct Proof<P, S> {
    subject: S,
    address: String,
    issued_at: Timestamp,
    purpose: PhantomData<fn() -> P>,
}

impl<P: ActionPurpose, S> Proof<P, S> {
    pub(crate) fn new(subject: S, address: String, issued_at: Timestamp) -> Self {
        Self {
            subject,
            address,
            issued_at,
            purpose: PhantomData,
        }
    }

    /// Whose token it was.
    #[must_use]
    pub fn subject(&self) -> &S {
        &self.subject
    }

    /// Where it was sent to. Compare it with the address that the account has today, in the
    /// statement that changes the account: a letter to an address that was given up since then
    /// counts for nothing.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// When it was made.
    #[must_use]
    pub fn issued_at(&self) -> Timestamp {
        self.issued_at
    }
}

/// What the store keeps beside the hash.
#[derive(Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(crate) subject: String,
    pub(crate) address: String,
    /// The subject's epoch: releases without marks compare it.
    pub(crate) epoch: u64,
    /// The subject's mark, which the store compares; `None` for a token of a release without marks.
    #[serde(default)]
    pub(crate) mark: Option<u64>,
    pub(crate) issued_at: Timestamp,
}

/// What every action token begins with, so that scanners for leaked secrets know it.
const PREFIX: &str = "tga1_";
