//! Reads a JSON body, and says in the gate's own words what is wrong with a body that is not
//! accepted.

use std::cell::Cell;
use std::fmt;

use serde::de::value::MapDeserializer;
use serde::de::{DeserializeOwned, Deserializer, Error as _, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::{Error, Map, Value};

use crate::error::Malformed;

/// Reads a JSON body as a value.
pub(crate) fn parse_body<T: DeserializeOwned>(body: &[u8]) -> Result<T, Malformed> {
    serde_json::from_slice(body).map_err(|error| fault::<T>(body, &error))
}

/// Finds what is wrong with a body that was not accepted. Only then is it read again, member by
/// member.
fn fault<T: DeserializeOwned>(body: &[u8], error: &Error) -> Malformed {
    let members = match serde_json::from_slice(body) {
        Ok(Value::Object(members)) => members,
        Ok(_) => return Malformed::NotAnObject,
        Err(_) => return Malformed::NotJson,
    };
    let names = names_of::<T>();
    let said = error.to_string();
    let is_said = |what: &str, name: &str| said.starts_with(&format!("{what} field `{name}`"));
    let named = names.iter().copied().find_map(|name| {
        if is_said("missing", name) {
            Some(Malformed::Missing(name))
        } else {
            is_said("duplicate", name).then_some(Malformed::Twice(name))
        }
    });
    named.unwrap_or_else(|| unfit::<T>(members, names))
}

/// Finds the member whose value is not accepted.
fn unfit<T: DeserializeOwned>(members: Map<String, Value>, names: &[&'static str]) -> Malformed {
    let last = Cell::new(None);
    let members = members.into_iter().inspect(|(read, _)| {
        last.set(names.iter().copied().find(|name| name == read));
    });
    let read = T::deserialize(MapDeserializer::<'_, _, Error>::new(members));
    match (read, last.get()) {
        (Err(_), Some(name)) => Malformed::Unfit(name),
        _ => Malformed::UnfitMember,
    }
}

/// Returns the names of the members of a type, if it is a struct that names them.
fn names_of<T: DeserializeOwned>() -> &'static [&'static str] {
    let names = Cell::new(&[][..]);
    drop(T::deserialize(Names(&names)));
    names.get()
}

/// Records the members that a type asks for, and gives it no value.
struct Names<'a>(&'a Cell<&'static [&'static str]>);

impl<'de> Deserializer<'de> for Names<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(Error::custom("nothing is there"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.0.set(fields);
        self.deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

impl fmt::Debug for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Names")
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::super::{EmailLogin, GuardLogin};
    use super::*;

    #[test]
    fn every_fault_is_said_in_words_of_ours() {
        #[derive(Debug, Deserialize)]
        #[allow(dead_code, reason = "only read")]
        struct Own {
            pin: u16,
            #[serde(flatten)]
            rest: std::collections::BTreeMap<String, u16>,
        }
        let email = |body: &str| parse_body::<EmailLogin>(body.as_bytes()).unwrap_err();
        let good = r#""email":"a@example.com","password":"p""#;
        assert!(parse_body::<EmailLogin>(format!("{{{good}}}").as_bytes()).is_ok());
        let long = "x".repeat(1025);
        for (body, expected) in [
            ("", Malformed::NotJson),
            ("{", Malformed::NotJson),
            ("hunter2", Malformed::NotJson),
            ("7", Malformed::NotAnObject),
            ("null", Malformed::NotAnObject),
            ("{}", Malformed::Missing("email")),
            (r#"{"email":"a"}"#, Malformed::Missing("password")),
            (
                r#"{"hunter2":1,"password":"p"}"#,
                Malformed::Missing("email"),
            ),
            (r#"{"email":7,"password":"p"}"#, Malformed::Unfit("email")),
            (
                r#"{"email":"a","password":null}"#,
                Malformed::Unfit("password"),
            ),
            (
                r#"{"email":"a","password":["hunter2"]}"#,
                Malformed::Unfit("password"),
            ),
            (
                &format!(r#"{{"email":"a","password":"{long}"}}"#),
                Malformed::Unfit("password"),
            ),
            (
                &format!(r#"{{"email":"a",{good}}}"#),
                Malformed::Twice("email"),
            ),
            (
                &format!(r#"{{{good},"password":"hunter2"}}"#),
                Malformed::Twice("password"),
            ),
        ] {
            assert_eq!(email(body), expected, "{body}");
            assert!(!email(body).to_string().contains("hunter2"));
        }
        let token = parse_body::<GuardLogin>(br#"{"token":"t","nonce":7}"#);
        assert!(matches!(token, Err(Malformed::Unfit("nonce"))));
        let own = parse_body::<Own>(br#"{"hunter2":"hunter2"}"#);
        assert!(matches!(own, Err(Malformed::UnfitMember)));
    }
}
