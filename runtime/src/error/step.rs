//! A further step of a sign-in: what a backend asks for, and what the client is told of it.

use std::fmt;

use serde_json::Value;

/// A further proof that a sign-in needs after the password: a code, a key.
///
/// A backend answers it as [`AuthError::More`](super::AuthError::More). The gate keeps it for a few
/// minutes, gives the client a token for it, and hands it back with the client's answer.
///
/// # Examples
/// ```
/// use tollgate::error::{AuthError, SignInStep};
///
/// let mut step = SignInStep::new(42, "totp");
/// step.acr = Some("urn:example:two-factors".to_owned());
/// let more: AuthError = AuthError::More(Box::new(step));
/// # drop(more);
/// ```
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct SignInStep {
    /// The subject of the sign-in: the user that the last step must return has it too.
    pub subject: String,
    /// The kind of step, by a name that the client knows: `totp`.
    pub kind: String,
    /// The value of the claim `acr` once this step is done: the way in which the session is
    /// authenticated (OpenID Connect Core section 2).
    pub acr: Option<String>,
    /// The data that the client needs for the step, as the client sees it: the challenge of a
    /// security key.
    pub challenge: Option<Value>,
    /// A value that the backend gets back; the client never sees it.
    pub note: Option<String>,
}

impl SignInStep {
    /// Asks for a step of this kind, for this subject.
    #[must_use]
    pub fn new(subject: impl fmt::Display, kind: impl Into<String>) -> Self {
        Self {
            subject: subject.to_string(),
            kind: kind.into(),
            acr: None,
            challenge: None,
            note: None,
        }
    }
}

impl fmt::Debug for SignInStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignInStep")
            .field("subject", &self.subject)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// A step as the client is told of it. `Debug` shows no token.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct StepOffer {
    /// The token to send back with the answer, once.
    pub token: String,
    /// The kind of step.
    pub kind: String,
    /// The time that the client has, in seconds.
    pub expires_in: u64,
    /// The data that the client needs for the step.
    pub challenge: Option<Value>,
}

impl StepOffer {
    pub(crate) fn new(
        token: String,
        kind: String,
        expires_in: u64,
        challenge: Option<Value>,
    ) -> Self {
        Self {
            token,
            kind,
            expires_in,
            challenge,
        }
    }
}

impl fmt::Debug for StepOffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StepOffer")
            .field("kind", &self.kind)
            .field("expires_in", &self.expires_in)
            .finish_non_exhaustive()
    }
}
