//! Action tokens: what an email carries so that its reader may do one thing once. This module knows
//! no gate, and sends nothing.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use base64_simd::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize};
use zeroize::Zeroizing;

use crate::clock::Timestamp;
use crate::error::Error;
use crate::secret::{fill_random, sha256};

/// A purpose of action tokens. A token of one purpose is never accepted for another.
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
    /// The name of the purpose, unique in a deployment. The store keeps it with each token.
    const NAME: &'static str;
    /// The lifetime of a token: from a second to a day; any other value does not compile.
    const LIFETIME: Duration;
}

/// The former name of [`ActionPurpose`].
#[doc(hidden)]
pub use ActionPurpose as Purpose;

/// Sets a password without the old one. Lives 15 minutes. It does not sign the user in, and the
/// next sign-in asks for every step as before.
#[derive(Clone, Copy, Debug)]
pub struct PasswordReset;

impl ActionPurpose for PasswordReset {
    const NAME: &'static str = "password_reset";
    const LIFETIME: Duration = Duration::from_secs(15 * 60);
}

/// Proves that the owner of an account reads its email address. Lives a day.
#[derive(Clone, Copy, Debug)]
pub struct EmailVerification;

impl ActionPurpose for EmailVerification {
    const NAME: &'static str = "email_verification";
    const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);
}

/// A token for an email: opaque, 256 random bits, good for one purpose, once. The store has only
/// its hash.
///
/// Made by [`Gate::action_token`](crate::gate::Gate::action_token), read from a body, and consumed
/// by [`consume`](Self::consume). `Debug` prints a redaction.
///
/// Put it behind the `#` of an address, or in a form that is posted: if a `GET` consumed it, the
/// programs that open the links of an email before its reader does would use it up.
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

    /// Takes a text that a client presents. It is checked when it is consumed.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: Zeroizing::new(text.into()),
            purpose: PhantomData,
        }
    }

    /// Returns the text for the email.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// Returns the hash under which the store keeps the token.
    pub(crate) fn hash(&self) -> [u8; 32] {
        sha256(self.text.as_bytes())
    }

    /// Returns the kind under which the store keeps tokens of this purpose.
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

/// The proof that a client presented a token of this purpose: flows ask for it, and only
/// [`ActionToken::consume`] makes it.
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

    /// Returns the subject for whom the token was made.
    #[must_use]
    pub fn subject(&self) -> &S {
        &self.subject
    }

    /// Returns the address to which the token was sent. Compare it with the address that the
    /// account has today, in the statement that changes the account: a token that went to an
    /// address which the user has given up since must change nothing.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Returns when the token was made.
    #[must_use]
    pub fn issued_at(&self) -> Timestamp {
        self.issued_at
    }
}

/// The record that the store keeps beside the hash.
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

/// The prefix of every action token, by which scanners for leaked secrets recognise it.
const PREFIX: &str = "tga1_";
