//! A type of the user's own that is called `Option`, and another name for the real one; also where
//! a module of the user's writes them.
use serde::{Deserialize, Serialize};
use tollgate::JwtClaims;
use tollgate::token::ClaimSet as _;

#[derive(Clone, Serialize, Deserialize)]
struct Option<T>(T);
type Perhaps = std::option::Option<String>;

#[derive(JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
    choice: Option<u8>,
    nickname: Perhaps,
    #[claim(with = same)]
    written: Option<u8>,
    #[claim(with = same)]
    perhaps: Perhaps,
    #[claim(with = same)]
    real: std::option::Option<u8>,
}

mod same {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<T: Serialize, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        value.serialize(serializer)
    }

    pub fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
        T::deserialize(from)
    }
}

fn main() {
    let user = User {
        id: 7,
        choice: Option(3),
        nickname: None,
        written: Option(4),
        perhaps: None,
        real: None,
    };
    let wire = serde_json::to_string(&user.to_claims()).unwrap();
    assert_eq!(wire, r#"{"sub":"7","choice":3,"written":4}"#);
    let user = User { perhaps: Some("a".to_owned()), real: Some(5), ..user };
    let wire = serde_json::to_string(&user.to_claims()).unwrap();
    assert_eq!(wire, r#"{"sub":"7","choice":3,"written":4,"perhaps":"a","real":5}"#);

    let read = |text: &str| {
        let mut draft = <UserClaims as tollgate::token::ClaimSet>::Draft::default();
        let mut json = serde_json::Deserializer::from_str(text);
        serde::Deserializer::deserialize_map(&mut json, Own(&mut draft)).unwrap();
        UserClaims::finish(draft, 7)
    };
    assert_eq!(read("{}").err(), Some("choice"));
    assert_eq!(read(r#"{"choice":3}"#).err(), Some("written"));
    let claims = read(r#"{"choice":3,"written":4}"#).unwrap();
    assert_eq!((claims.perhaps(), claims.real()), (&None, &None));
    let claims = read(r#"{"choice":3,"written":4,"perhaps":"a","real":5}"#).unwrap();
    assert_eq!((claims.perhaps().as_deref(), claims.real()), (Some("a"), &Some(5)));
}

/// Reads own claims into a draft.
struct Own<'a>(&'a mut <UserClaims as tollgate::token::ClaimSet>::Draft);

impl<'de> serde::de::Visitor<'de> for Own<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("claims")
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            UserClaims::read(self.0, UserClaims::place(&name).unwrap(), &mut map)?;
        }
        Ok(())
    }
}
