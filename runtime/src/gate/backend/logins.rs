//! The bodies of a sign-in that a backend need not declare itself.

use serde::Deserialize;

use super::super::normalize_identifier;
use crate::secret::Password;

/// The body of a sign-in by email.
#[derive(Clone, Debug, Deserialize)]
pub struct EmailLogin {
    /// The address in its one form: see [`normalize_identifier`].
    #[serde(deserialize_with = "identifier")]
    pub email: String,
    /// The password, untouched.
    pub password: Password,
}

/// The body of a sign-in by username.
#[derive(Clone, Debug, Deserialize)]
pub struct UsernameLogin {
    /// The name in its one form: see [`normalize_identifier`].
    #[serde(deserialize_with = "identifier")]
    pub username: String,
    /// The password, untouched.
    pub password: Password,
}

/// An identifier of a body, in its one form.
fn identifier<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    String::deserialize(deserializer).map(|text| normalize_identifier(&text))
}
