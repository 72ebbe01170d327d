//! The members of a login as serde asks for them, for the OpenAPI document: their names, their
//! types and which of them must be there.

use std::cell::Cell;
use std::fmt;

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use crate::flow::{LoginMember, LoginValue};
use crate::secret::Password;

/// Returns the members of a type that derives `Deserialize`; `None` if serde does not reveal
/// them: for an enum, a struct with `#[serde(flatten)]` and an implementation by hand.
///
/// Only what the type asks of a deserializer is known, so each member is tried with a value of the
/// kind that it asks for. A type that accepts none of the tried values is described by its kind
/// alone, and counts as required unless it is an `Option`.
pub(crate) fn members<T: DeserializeOwned>() -> Option<Vec<LoginMember>> {
    let names = Trial::new(&[]);
    _ = names.read::<T>();
    let names = names.names.get()?;
    let mut found: Vec<Tried> = Vec::new();
    for name in names.iter().copied() {
        let tried = Tried::of::<T>(name);
        let mut given: Vec<_> = found.iter().filter_map(Tried::given).collect();
        given.extend(tried.given());
        // The name is another one for an earlier member.
        let is_alias = Trial::new(&given).read::<T>() == Err(Fault::Twice);
        if !is_alias {
            found.push(tried);
        }
    }
    let given: Vec<_> = found.iter().filter_map(Tried::given).collect();
    // A member that accepts none of the texts is reported missing, and hides the members after it
    // that are missing too.
    let missing_anyway = missing(&Trial::new(&given).read::<T>());
    let position = |wanted| names.iter().position(|name| *name == wanted);
    let hidden_from = missing_anyway.and_then(position);
    let member = |tried: &Tried| {
        let without = given
            .iter()
            .copied()
            .filter(|(name, _)| *name != tried.name)
            .collect::<Vec<_>>();
        let is_required = match missing(&Trial::new(&without).read::<T>()) {
            Some(name) if name == tried.name => true,
            Some(_) if hidden_from.is_some_and(|from| position(tried.name) >= Some(from)) => {
                !tried.is_nullable
            }
            _ => false,
        };
        LoginMember {
            name: tried.name,
            holds: tried.holds,
            is_required,
            is_nullable: tried.is_nullable,
        }
    };
    Some(found.iter().map(member).collect())
}

/// Returns the member that is missing.
fn missing(read: &Result<(), Fault>) -> Option<&'static str> {
    match read {
        Err(Fault::Missing(name)) => Some(name),
        _ => None,
    }
}

/// A member, and the result of trying it.
struct Tried {
    name: &'static str,
    holds: LoginValue,
    is_nullable: bool,
    /// The text that it accepts; any text for a member of another type.
    taken: Option<&'static str>,
}

impl Tried {
    fn of<T: DeserializeOwned>(name: &'static str) -> Self {
        let mut tried = Self {
            name,
            holds: LoginValue::Any,
            is_nullable: false,
            taken: None,
        };
        for text in TEXTS {
            let given = [(name, *text)];
            let trial = Trial::new(&given);
            _ = trial.read::<T>();
            tried.is_nullable = trial.is_nullable.get();
            if let Some(holds) = trial.asked.get() {
                tried.holds = holds;
            }
            if trial.was_taken.get() {
                tried.taken = Some(text);
                break;
            }
        }
        if tried.holds == LoginValue::Text && is_password::<T>(name) {
            tried.holds = LoginValue::Password;
        }
        tried
    }

    fn given(&self) -> Option<(&'static str, &'static str)> {
        Some((self.name, self.taken?))
    }
}

/// Returns whether a member refuses a text that is too long, as a [`Password`] does.
fn is_password<T: DeserializeOwned>(name: &'static str) -> bool {
    let long = "x".repeat(Password::MAX_BYTES + 1);
    let given = [(name, long.as_str())];
    Trial::new(&given).read::<T>() == Err(Fault::Said(Password::TOO_LONG.to_owned()))
}

/// Texts of forms that a type may ask for.
const TEXTS: &[&str] = &[
    "ada@example.com",
    "1",
    "a",
    "00000000-0000-4000-8000-000000000000",
    "2000-01-01T00:00:00Z",
    "2000-01-01",
    "https://example.com/",
    "127.0.0.1",
];

/// One reading of a type from some members, which notes what the type asks for.
struct Trial<'a> {
    given: &'a [(&'static str, &'a str)],
    names: Cell<Option<&'static [&'static str]>>,
    /// The type that the last member asked for.
    asked: Cell<Option<LoginValue>>,
    is_nullable: Cell<bool>,
    was_taken: Cell<bool>,
    /// `true` if it reads an object inside a member.
    is_inner: bool,
}

impl<'a> Trial<'a> {
    fn new(given: &'a [(&'static str, &'a str)]) -> Self {
        Self {
            given,
            names: Cell::new(None),
            asked: Cell::new(None),
            is_nullable: Cell::new(false),
            was_taken: Cell::new(false),
            is_inner: false,
        }
    }

    fn read<T: DeserializeOwned>(&self) -> Result<(), Fault> {
        T::deserialize(Whole(self)).map(drop)
    }
}

/// The body as a whole.
struct Whole<'a>(&'a Trial<'a>);

impl<'de> Deserializer<'de> for Whole<'_> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Fault> {
        Err(Fault::Said("nothing is there".to_owned()))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.0.names.set(Some(names));
        let members = Members {
            trial: self.0,
            rest: self.0.given.iter(),
            next: None,
        };
        visitor.visit_map(members)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// The members that are given.
struct Members<'a> {
    trial: &'a Trial<'a>,
    rest: std::slice::Iter<'a, (&'static str, &'a str)>,
    next: Option<&'a str>,
}

impl<'de> MapAccess<'de> for Members<'_> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Fault> {
        let Some((name, text)) = self.rest.next() else {
            return Ok(None);
        };
        self.next = Some(text);
        seed.deserialize(name.into_deserializer()).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Fault> {
        let value = Value {
            trial: self.trial,
            text: self.next.take().unwrap_or_default(),
        };
        let read = seed.deserialize(value)?;
        self.trial.was_taken.set(true);
        Ok(read)
    }
}

/// The value of a member, of the kind that is asked for.
struct Value<'a> {
    trial: &'a Trial<'a>,
    text: &'a str,
}

impl Value<'_> {
    fn note(&self, asked: LoginValue) {
        self.trial.asked.set(Some(asked));
    }
}

macro_rules! visits {
    ($($asked:ident as $kind:ident: $visit:ident($($value:expr)?)),+ $(,)?) => {$(
        fn $asked<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            self.note(LoginValue::$kind);
            visitor.$visit($($value)?)
        }
    )+};
}

impl<'de> Deserializer<'de> for Value<'_> {
    type Error = Fault;

    visits! {
        deserialize_bool as Bool: visit_bool(true),
        deserialize_i8 as Integer: visit_i8(1),
        deserialize_i16 as Integer: visit_i16(1),
        deserialize_i32 as Integer: visit_i32(1),
        deserialize_i64 as Integer: visit_i64(1),
        deserialize_i128 as Integer: visit_i64(1),
        deserialize_u8 as Integer: visit_u8(1),
        deserialize_u16 as Integer: visit_u16(1),
        deserialize_u32 as Integer: visit_u32(1),
        deserialize_u64 as Integer: visit_u64(1),
        deserialize_u128 as Integer: visit_u64(1),
        deserialize_f32 as Number: visit_f32(1.0),
        deserialize_f64 as Number: visit_f64(1.0),
        deserialize_char as Text: visit_char('a'),
        deserialize_unit as Any: visit_unit(),
        deserialize_ignored_any as Any: visit_unit(),
        deserialize_seq as List: visit_seq(SeqDeserializer::new(std::iter::empty::<u8>())),
        deserialize_map as Object: visit_map(MapDeserializer::new(std::iter::empty::<(u8, u8)>())),
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.note(LoginValue::Text);
        visitor.visit_str(self.text)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.note(LoginValue::Any);
        visitor.visit_str(self.text)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_any(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_any(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.trial.is_nullable.set(true);
        // A type may contain itself.
        if self.trial.is_inner {
            return visitor.visit_none();
        }
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.note(LoginValue::Object);
        let given: Vec<_> = names.iter().map(|name| (*name, self.text)).collect();
        let trial = Trial {
            is_inner: true,
            ..Trial::new(&given)
        };
        visitor.visit_map(Members {
            trial: &trial,
            rest: given.iter(),
            next: None,
        })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        words: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.note(LoginValue::Any);
        let first = words.first().copied().unwrap_or_default();
        let read = visitor.visit_enum(first.into_deserializer())?;
        // A variant that is more than its name would not have been read.
        self.note(LoginValue::Word(words));
        Ok(read)
    }
}

/// The reason why a reading ended.
#[derive(Debug, PartialEq, Eq)]
enum Fault {
    Missing(&'static str),
    Twice,
    Said(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(name) => write!(f, "`{name}` is missing"),
            Self::Twice => f.write_str("a member is there twice"),
            Self::Said(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for Fault {}

impl serde::de::Error for Fault {
    fn custom<T: fmt::Display>(text: T) -> Self {
        Self::Said(text.to_string())
    }

    fn missing_field(name: &'static str) -> Self {
        Self::Missing(name)
    }

    fn duplicate_field(_: &'static str) -> Self {
        Self::Twice
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::super::{EmailLogin, GuardLogin, UsernameLogin};
    use super::*;

    fn member(name: &'static str, holds: LoginValue, is_required: bool, null: bool) -> LoginMember {
        LoginMember {
            name,
            holds,
            is_required,
            is_nullable: null,
        }
    }

    #[test]
    fn the_members_of_our_logins_are_known() {
        let password = member("password", LoginValue::Password, true, false);
        let text = |name| member(name, LoginValue::Text, true, false);
        assert_eq!(members::<EmailLogin>(), Some(vec![text("email"), password]));
        assert_eq!(
            members::<UsernameLogin>(),
            Some(vec![text("username"), password])
        );
        let nonce = member("nonce", LoginValue::Text, false, true);
        assert_eq!(members::<GuardLogin>(), Some(vec![text("token"), nonce]));
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    #[allow(dead_code, reason = "only described")]
    struct Own {
        #[serde(alias = "tel")]
        phone_number: String,
        tenant: uuid::Uuid,
        pin: Option<Password>,
        tries: u8,
        #[serde(default)]
        share: f64,
        #[serde(default)]
        remember: bool,
        way: Way,
        tags: Vec<String>,
        more: Option<serde_json::Value>,
        #[serde(rename = "where")]
        place: Place,
        after: Option<u8>,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "lowercase")]
    #[allow(dead_code, reason = "only described")]
    enum Way {
        Sms,
        Call,
    }

    #[derive(Deserialize)]
    #[allow(dead_code, reason = "only described")]
    struct Place {
        city: String,
        around: Option<Box<Place>>,
        days: [u8; 3],
    }

    #[test]
    fn the_members_of_a_login_of_its_own_are_what_serde_asks_for() {
        let found = members::<Own>().unwrap();
        let expected = [
            member("phoneNumber", LoginValue::Text, true, false),
            member("tenant", LoginValue::Text, true, false),
            member("pin", LoginValue::Password, false, true),
            member("tries", LoginValue::Integer, true, false),
            member("share", LoginValue::Number, false, false),
            member("remember", LoginValue::Bool, false, false),
            member("way", LoginValue::Word(&["sms", "call"]), true, false),
            member("tags", LoginValue::List, true, false),
            member("more", LoginValue::Any, false, true),
            member("where", LoginValue::Object, true, false),
            member("after", LoginValue::Integer, false, true),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn what_serde_does_not_tell_is_not_guessed() {
        #[derive(Deserialize)]
        #[allow(dead_code, reason = "only described")]
        struct Flat {
            name: String,
            #[serde(flatten)]
            rest: std::collections::BTreeMap<String, String>,
        }
        #[derive(Deserialize)]
        #[serde(tag = "kind")]
        #[allow(dead_code, reason = "only described")]
        enum Tagged {
            Pin { pin: String },
        }
        #[derive(Deserialize)]
        #[allow(dead_code, reason = "only described")]
        struct Wrapped(EmailLogin);
        assert_eq!(members::<Flat>(), None);
        assert_eq!(members::<Tagged>(), None);
        assert_eq!(members::<serde_json::Value>(), None);
        assert_eq!(members::<Wrapped>(), members::<EmailLogin>());
    }
}
