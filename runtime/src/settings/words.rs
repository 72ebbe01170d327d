//! Settings that take one of a few words.

use std::fmt;

use serde::Serialize;
use serde::de::{DeserializeOwned, IntoDeserializer as _};
use toml::Value;

use super::value::{Scalar, SettingValue};
use super::{
    BindingMode, Counted, ForwardedHeader, KeysGroup, OnLimit, OnRefresh, OnStale, RefreshCookie,
    RefreshPolicy, Registry, SameSite, StoreTls,
};

macro_rules! words {
    ($($kind:ty),+) => {$(
        impl SettingValue for $kind {
            fn read(raw: Scalar<'_>) -> Result<Self, String> {
                read_word(raw)
            }

            #[cfg(any(test, feature = "cli"))]
            fn schema() -> super::value::Schema {
                let words = choices::<Self>();
                serde_json::json!({ "type": "string", "enum": words })
            }

            fn show(&self) -> Option<String> {
                show_word(self)
            }
        }
    )+};
}

words!(
    BindingMode,
    Counted,
    ForwardedHeader,
    KeysGroup,
    OnLimit,
    OnRefresh,
    OnStale,
    RefreshCookie,
    RefreshPolicy,
    Registry,
    SameSite,
    StoreTls
);

fn read_word<T: DeserializeOwned>(raw: Scalar<'_>) -> Result<T, String> {
    let word: Result<T, Choices> =
        T::deserialize(raw.text().unwrap_or_default().into_deserializer());
    word.map_err(|choices| choices.to_string())
}

/// Returns the words of a type, in their order.
#[cfg(any(test, feature = "cli"))]
fn choices<T: DeserializeOwned>() -> &'static [&'static str] {
    let none: Result<T, Choices> = T::deserialize("".into_deserializer());
    none.err().map_or(&[], |choices| choices.0)
}

fn show_word<T: Serialize>(word: &T) -> Option<String> {
    Value::try_from(word)
        .ok()
        .and_then(|value| value.as_str().map(str::to_owned))
}

/// The words that serde accepts.
#[derive(Debug)]
struct Choices(&'static [&'static str]);

impl fmt::Display for Choices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("must be ")?;
        for (at, word) in self.0.iter().enumerate() {
            let before = match at {
                0 => "",
                _ if at + 1 == self.0.len() => " or ",
                _ => ", ",
            };
            write!(f, "{before}`{word}`")?;
        }
        Ok(())
    }
}

impl std::error::Error for Choices {}

impl serde::de::Error for Choices {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self(&[])
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self(expected)
    }
}
