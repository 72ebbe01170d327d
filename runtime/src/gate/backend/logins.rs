//! The bodies of a sign-in that a backend need not declare itself.

use serde::Deserialize;

use super::super::normalize_identifier;
use crate::secret::Password;

/// The body of a sign-in by email.
#[derive(Clone, Debug, Deserialize)]
pub struct EmailLogin {
    /// The address in its normal form: see [`normalize_identifier`].
    #[serde(deserialize_with = "identifier")]
    pub email: String,
    /// The password as the client sent it.
    pub password: Password,
}

/// The body of a sign-in by username.
#[derive(Clone, Debug, Deserialize)]
pub struct UsernameLogin {
    /// The name in its normal form: see [`normalize_identifier`].
    #[serde(deserialize_with = "identifier")]
    pub username: String,
    /// The password as the client sent it.
    pub password: Password,
}

/// Reads an identifier of a body into its normal form.
fn identifier<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    String::deserialize(deserializer).map(|text| normalize_identifier(&text))
}
