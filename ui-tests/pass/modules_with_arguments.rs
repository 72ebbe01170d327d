//! Modules and functions with type arguments, and a module that serde knows by a longer path.
use std::marker::PhantomData;

use serde::{Deserialize, Serialize};
use tollgate::JwtClaims;

mod serde_with {
    pub use super::As;
}

pub struct As<T>(PhantomData<T>);
pub struct Text;

impl As<Text> {
    pub fn serialize<S: serde::Serializer>(value: &u64, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&value.to_string())
    }
    pub fn deserialize<'de, D: serde::Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

#[derive(Serialize, Deserialize, JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
    #[claim(with = As::<Text>)]
    #[serde(with = "serde_with::As::<Text>")]
    balance: u64,
    #[claim(default = Vec::<String>::new)]
    groups: Vec<String>,
}

fn main() {
    let user = User { id: 7, balance: 3, groups: Vec::new() };
    let wire = serde_json::to_string(&user.to_claims()).unwrap();
    assert_eq!(wire, r#"{"sub":"7","balance":"3","groups":[]}"#);
}
