//! The reason why a clause does not hold.

use std::fmt;

use crate::store::record::StoreError;

/// The reason why a clause does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken(String);

impl Broken {
    /// Adds the realm, of two, in which it was seen.
    pub(super) fn in_realm(self, realm: &str) -> Self {
        Self(format!(
            "in {realm}, while the same happens in another one: {}",
            self.0
        ))
    }

    pub(super) fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Broken {}

impl From<StoreError> for Broken {
    fn from(error: StoreError) -> Self {
        let mut text = format!("the store answered with an error: {error}");
        let mut source = std::error::Error::source(&error);
        while let Some(error) = source {
            text = format!("{text}: {error}");
            source = error.source();
        }
        Self(text)
    }
}
