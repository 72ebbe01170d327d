//! Bodies of forms (`application/x-www-form-urlencoded`) as values.

use std::borrow::Cow;

use serde::de::value::{Error, MapDeserializer};
use serde::de::{DeserializeOwned, Deserializer, Error as _, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

/// Reads a form whose values are strings; `None` if it is not the form of a `T`.
pub(super) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let pairs = form_urlencoded::parse(bytes).map(|(name, value)| (name, Text(value)));
    T::deserialize(MapDeserializer::new(pairs)).ok()
}

/// Decodes one value; `None` if the text is more than one value.
pub(super) fn decode(text: &str) -> Option<String> {
    let text = format!("v={text}");
    let mut pairs = form_urlencoded::parse(text.as_bytes());
    let (_, value) = pairs.next()?;
    pairs.next().is_none().then(|| value.into_owned())
}

/// A value: a string, for a member that may be optional.
struct Text<'a>(Cow<'a, str>);

impl<'de> IntoDeserializer<'de> for Text<'_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Text<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Cow::Borrowed(text) => visitor.visit_str(text),
            Cow::Owned(text) => visitor.visit_string(text),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let value = self.0.parse().map_err(Error::custom)?;
        visitor.visit_bool(value)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Form {
        token: String,
        hint: Option<String>,
        #[serde(default)]
        tree: bool,
    }

    fn form(token: &str, hint: Option<&str>) -> Option<Form> {
        Some(Form {
            token: token.to_owned(),
            hint: hint.map(str::to_owned),
            tree: false,
        })
    }

    #[test]
    fn a_form_is_read_as_browsers_write_it() {
        assert_eq!(parse(b"token=a"), form("a", None));
        assert_eq!(parse(b"hint=x+y%26&token=%C3%A4"), form("ä", Some("x y&")));
        assert_eq!(parse(b"token=&hint="), form("", Some("")));
        assert_eq!(parse(b"token=a&other=b"), form("a", None));
        assert!(parse::<Form>(b"token=a&tree=true").is_some_and(|form| form.tree));
        assert_eq!(parse(b"token"), form("", None));
        for other in ["", "hint=x", "token=a&token=b", "TOKEN=a", "token=a&tree=1"] {
            assert_eq!(parse::<Form>(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn a_value_is_one_value() {
        assert_eq!(decode("a%3Ab+c").as_deref(), Some("a:b c"));
        assert_eq!(decode("").as_deref(), Some(""));
        assert_eq!(decode("a&b=c"), None);
    }
}
