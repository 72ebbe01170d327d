//! What a client answers to a further step of a sign-in.

use std::fmt;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::AuthError;

/// What a client answers to a step: the members of its body, `{"step_token": …, "code": "123456"}`.
/// `Debug` prints a redaction.
#[derive(Deserialize)]
#[serde(transparent)]
pub struct StepAnswer(Value);

impl StepAnswer {
    /// The answer with one member, `code`.
    #[must_use]
    pub fn code_of(code: impl Into<String>) -> Self {
        Self(serde_json::json!({ "code": code.into() }))
    }

    /// The member `code`, where it is a string.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.0.get("code")?.as_str()
    }

    /// The answer as a type of one's own, such as what a security key signed.
    ///
    /// # Errors
    /// [`AuthError::Invalid`]: it is another one.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, AuthError> {
        T::deserialize(&self.0).map_err(|_| AuthError::Invalid)
    }
}

impl fmt::Debug for StepAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StepAnswer([redacted])")
    }
}
