//! The answer of a client to a further step of a sign-in.

use std::fmt;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::AuthError;

/// The answer of a client to a step: the members of its body,
/// `{"step_token": …, "code": "123456"}`. `Debug` prints a redaction.
#[derive(Deserialize)]
#[serde(transparent)]
pub struct StepAnswer(Value);

impl StepAnswer {
    /// Makes an answer with one member, `code`.
    #[must_use]
    pub fn code_of(code: impl Into<String>) -> Self {
        Self(serde_json::json!({ "code": code.into() }))
    }

    /// Returns the member `code`, where it is a string.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.0.get("code")?.as_str()
    }

    /// Reads the answer as a type of the application, such as the response of a security key.
    ///
    /// # Errors
    /// [`AuthError::Invalid`]: the answer does not have this form.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, AuthError> {
        T::deserialize(&self.0).map_err(|_| AuthError::Invalid)
    }
}

impl fmt::Debug for StepAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StepAnswer([redacted])")
    }
}
