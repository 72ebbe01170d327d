//! The name of a realm: one kind of users of a deployment, kept apart from every other kind.

mod live;

pub(crate) use live::{LiveGate, LiveGates};

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::error::{Error, ErrorKind};

/// The name of a realm, for example `staff`. Cheap to clone.
///
/// `[a-z]([a-z0-9]|-[a-z0-9])*`, at most 32 characters, and not `default`: the default realm has no
/// name. In the environment `_` is written for `-`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RealmName(Arc<str>);

impl RealmName {
    /// The greatest length of a name, in characters.
    pub const MAX_LEN: usize = 32;

    /// Reads a name.
    ///
    /// # Errors
    /// The text is not of the form above.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if Self::has_the_form(text) {
            Ok(Self(text.into()))
        } else {
            Err(Error::new(
                ErrorKind::Settings,
                format!(
                    "`{}` is no name of a realm: use at most {} lower-case letters, digits and \
                     single hyphens, with a letter first and no hyphen last, and not `default`",
                    text.chars().take(64).collect::<String>().escape_debug(),
                    Self::MAX_LEN,
                ),
            ))
        }
    }

    /// Returns the name as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn has_the_form(text: &str) -> bool {
        let mut words = text.split('-');
        text.len() <= Self::MAX_LEN
            && text != "default"
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && words.all(|word| {
                !word.is_empty()
                    && word
                        .bytes()
                        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
            })
    }
}

impl AsRef<str> for RealmName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RealmName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for RealmName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RealmName({})", self.0)
    }
}

impl FromStr for RealmName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_form_are_read() {
        let longest = format!("a{}", "1".repeat(31));
        for name in ["staff", "a", "a1", "eu-west-1", "x-0", &longest] {
            assert_eq!(RealmName::parse(name).unwrap().as_str(), name);
        }
    }

    #[test]
    fn everything_else_is_refused() {
        let too_long = format!("a{}", "1".repeat(32));
        for name in [
            "", "default", "Staff", "1a", "-a", "a-", "a--b", "a_b", "a.b", "ä", "a b", "a\0",
            &too_long,
        ] {
            assert!(RealmName::parse(name).is_err(), "{name:?}");
        }
    }
}
