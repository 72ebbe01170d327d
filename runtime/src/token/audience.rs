//! The audiences of a token of another issuer, compared with the expected ones.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::de::{DeserializeSeed, Deserializer, Error, SeqAccess, Visitor};

/// The expected audience of a token, and whether it has others too.
pub(super) struct Audiences {
    pub(super) expected: Option<Arc<str>>,
    pub(super) are_several: bool,
    /// The first audience, where none is expected: for the log.
    pub(super) first: Option<Box<str>>,
}

/// A string, or a list of strings, one of which is expected (R47, RFC 7519 section 4.1.3).
pub(super) struct AnyAudience<'a>(pub(super) &'a [Arc<str>]);

impl AnyAudience<'_> {
    fn find(&self, text: &str) -> Option<Arc<str>> {
        self.0.iter().find(|known| ***known == *text).cloned()
    }
}

impl<'de> DeserializeSeed<'de> for AnyAudience<'_> {
    type Value = Audiences;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Audiences, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for AnyAudience<'_> {
    type Value = Audiences;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or a list of strings")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Audiences, E> {
        let expected = self.find(text);
        Ok(Audiences {
            first: expected.is_none().then(|| text.into()),
            expected,
            are_several: false,
        })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Audiences, A::Error> {
        let (mut expected, mut first, mut count) = (None, None, 0_usize);
        while let Some(text) = list.next_element::<Cow<'de, str>>()? {
            count += 1;
            expected = expected.or_else(|| self.find(&text));
            first = first.or_else(|| Some(text.into()));
        }
        Ok(Audiences {
            first,
            expected,
            are_several: count > 1,
        })
    }
}
