//! Checks what derived claims put on the wire, and what they read back.

use std::collections::BTreeSet;
use std::fmt;

use serde::Deserializer as _;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde_json::json;
use tollgate::token::{ClaimSet, Confidential, Open};
use tollgate::{ClaimValue, JwtClaims};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ClaimValue)]
enum Role {
    Admin,
    Editor,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ClaimValue)]
enum Scope {
    #[claim_value(rename = "notes:read")]
    Read,
    #[claim_value(rename = "notes:write")]
    Write,
}

#[derive(Clone, JwtClaims)]
#[claims(rename_all = "camelCase", namespace = "https://example.com/")]
struct User {
    full_name: String,
    #[claim(sub)]
    user_id: uuid::Uuid,
    #[claim(roles)]
    granted_roles: Vec<Role>,
    #[claim(scope)]
    granted_scope: BTreeSet<Scope>,
    nick_name: Option<String>,
    #[claim(default)]
    visits: u32,
    #[claim(default = one)]
    weight: u32,
    #[claim(with = hex)]
    r#type: Vec<u8>,
    #[claim(rename = "avatar")]
    picture: Option<String>,
    #[claim(expose)]
    pin: u16,
    #[claim(skip)]
    #[expect(dead_code)]
    password_hash: String,
}

fn one() -> u32 {
    1
}

mod hex {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!(
            "{}",
            bytes
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect::<String>()
        ))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        let pairs = (0..text.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&text[at..at + 2], 16));
        pairs
            .collect::<Result<_, _>>()
            .map_err(serde::de::Error::custom)
    }
}

fn ada() -> User {
    User {
        full_name: String::from("Ada"),
        user_id: uuid::Uuid::nil(),
        granted_roles: vec![Role::Admin],
        granted_scope: BTreeSet::from([Scope::Read, Scope::Write]),
        nick_name: None,
        visits: 3,
        weight: 4,
        r#type: vec![0xab, 0x01],
        picture: Some(String::from("a.png")),
        pin: 1815,
        password_hash: String::from("never in a token"),
    }
}

/// Reads claims as a verifier does: `sub` apart, every other name by its place.
fn read<C: ClaimSet>(text: &str) -> Result<C, String> {
    struct Claims<C>(std::marker::PhantomData<C>);
    impl<'de, C: ClaimSet> Visitor<'de> for Claims<C> {
        type Value = (C::Draft, Option<String>);
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("claims")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let (mut draft, mut subject) = (C::Draft::default(), None);
            while let Some(name) = map.next_key::<String>()? {
                match C::place(&name) {
                    Some(place) => C::read(&mut draft, place, &mut map)?,
                    None if name == "sub" => subject = Some(map.next_value()?),
                    None => drop(map.next_value::<IgnoredAny>()?),
                }
            }
            Ok((draft, subject))
        }
    }
    let mut json = serde_json::Deserializer::from_str(text);
    let (draft, subject) = json
        .deserialize_map(Claims::<C>(std::marker::PhantomData))
        .map_err(|error| error.to_string())?;
    let subject = C::parse_subject(&subject.ok_or("sub")?).ok_or("sub")?;
    C::finish(draft, subject).map_err(str::to_owned)
}

fn wire() -> serde_json::Value {
    serde_json::to_value(ada().to_claims()).unwrap()
}

/// The wire form with one member set, or removed where the value is `null`.
fn with(name: &str, value: serde_json::Value) -> String {
    let mut wire = wire();
    let members = wire.as_object_mut().unwrap();
    match value {
        serde_json::Value::Null => drop(members.remove(name)),
        value => drop(members.insert(name.to_owned(), value)),
    }
    wire.to_string()
}

#[test]
fn claims_have_their_wire_names_and_nothing_else_is_in_the_token() {
    let expected = json!({
        "sub": "00000000-0000-0000-0000-000000000000",
        "https://example.com/fullName": "Ada",
        "roles": ["admin"],
        "scope": "notes:read notes:write",
        "https://example.com/visits": 3,
        "https://example.com/weight": 4,
        "https://example.com/type": "ab01",
        "https://example.com/avatar": "a.png",
        "https://example.com/pin": 1815,
    });
    assert_eq!(wire(), expected);
    let text = serde_json::to_string(&ada().to_claims()).unwrap();
    assert!(text.starts_with(r#"{"sub":"#), "{text}");
}

#[test]
fn claims_come_back_as_they_went() {
    let claims: UserClaims = read(&wire().to_string()).unwrap();
    assert_eq!(serde_json::to_value(&claims).unwrap(), wire());
    assert_eq!(
        (claims.user_id(), claims.full_name().as_str()),
        (&uuid::Uuid::nil(), "Ada")
    );
    assert_eq!(claims.granted_roles(), &[Role::Admin]);
    assert_eq!(
        (claims.nick_name(), claims.r#type().as_slice()),
        (&None, &[0xab, 0x01][..])
    );
    assert_eq!(
        (
            claims.visits(),
            claims.weight(),
            claims.pin(),
            claims.picture().is_some()
        ),
        (&3, &4, &1815, true)
    );
}

#[test]
fn a_missing_claim_is_refused_by_name_unless_it_has_a_default() {
    for (name, missing) in [
        ("https://example.com/fullName", true),
        ("roles", true),
        ("scope", true),
        ("sub", true),
    ] {
        assert_eq!(
            read::<UserClaims>(&with(name, json!(null)))
                .err()
                .as_deref(),
            missing.then_some(name)
        );
    }
    let claims: UserClaims = read(&with("https://example.com/visits", json!(null))).unwrap();
    assert_eq!(*claims.visits(), 0);
    let claims: UserClaims = read(&with("https://example.com/weight", json!(null))).unwrap();
    assert_eq!(*claims.weight(), 1);
}

#[test]
fn unknown_roles_and_scopes_are_refused() {
    for roles in [
        json!(["root"]),
        json!("admin"),
        json!(["admin", 1]),
        json!([["admin"]]),
        json!({ "admin": true }),
    ] {
        assert!(
            read::<UserClaims>(&with("roles", roles.clone())).is_err(),
            "{roles}"
        );
    }
    for scope in [
        "notes:delete",
        "notes:read  notes:write",
        " notes:read",
        "notes:read ",
        "notes:read,notes:write",
        "NOTES:READ",
    ] {
        assert!(
            read::<UserClaims>(&with("scope", json!(scope))).is_err(),
            "{scope}"
        );
    }
    assert!(read::<UserClaims>(&with("scope", json!(["notes:read"]))).is_err());
    assert!(
        read::<UserClaims>(&with("scope", json!("")))
            .unwrap()
            .granted_scope()
            .is_empty()
    );
}

/// R6: duplicate members are refused.
#[test]
fn a_claim_that_comes_twice_is_refused() {
    for name in [
        "roles",
        "scope",
        "https://example.com/type",
        "https://example.com/fullName",
        "https://example.com/avatar",
    ] {
        let value = &wire()[name];
        let twice = wire()
            .to_string()
            .replacen('{', &format!("{{{}:{value},", json!(name)), 1);
        let error = read::<UserClaims>(&twice).err().unwrap_or_default();
        assert!(error.contains("duplicate field"), "{name}: {error}");
    }
}

#[test]
fn roles_and_scopes_are_found_by_their_wire_names() {
    let claims = ada().to_claims();
    assert!(claims.has_role("admin") && !claims.has_role("editor") && !claims.has_role("Admin"));
    assert!(claims.has_scope("notes:write") && !claims.has_scope("notes:"));
    for near in ["", "adm", "admins", "admin ", "admin editor"] {
        assert!(!claims.has_role(near), "{near}");
    }
    for near in ["", "notes:writ", "notes:write2", "notes:read notes:write"] {
        assert!(!claims.has_scope(near), "{near}");
    }
    assert!(!claims.has_role("notes:write") && !claims.has_scope("admin"));
}

/// R53: `Debug` shows the subject and the names of claims.
#[test]
fn debug_tells_no_values() {
    let text = format!("{:?}", ada().to_claims());
    assert!(
        text.contains("00000000-0000") && text.contains("https://example.com/fullName"),
        "{text}"
    );
    for value in [
        "Ada",
        "1815",
        "a.png",
        "ab01",
        "never in a token",
        "notes:read",
        "admin",
    ] {
        assert!(!text.contains(value), "{text}");
    }
}

#[test]
fn secrecy_is_confidential_where_one_claim_is() {
    #[derive(JwtClaims)]
    struct Patient {
        #[claim(sub)]
        id: u64,
        #[claim(confidential)]
        diagnosis: String,
    }
    fn is<U: tollgate::token::JwtClaims<Secrecy = S>, S>() {}
    is::<User, Open>();
    is::<Patient, Confidential>();
    let claims = Patient {
        id: 1,
        diagnosis: String::from("flu"),
    }
    .to_claims();
    assert_eq!((claims.id(), claims.diagnosis().as_str()), (&1, "flu"));
}

#[test]
fn fields_are_renamed_as_serde_renames_them() {
    macro_rules! same {
        ($($case:literal),*) => {$({
            #[derive(serde::Serialize, JwtClaims)]
            #[serde(rename_all = $case)]
            #[claims(rename_all = $case)]
            struct Both {
                #[claim(sub)]
                #[serde(rename = "sub")]
                id: u8,
                name: u8,
                full_name: u8,
                a_b_c: u8,
                line_2: u8,
                __odd__: u8,
            }
            let both = Both { id: 1, name: 1, full_name: 1, a_b_c: 1, line_2: 1, __odd__: 1 };
            let names = |value: serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
            let serde = names(serde_json::to_value(&both).unwrap());
            assert_eq!(names(serde_json::to_value(both.to_claims()).unwrap()), serde, $case);
        })*};
    }
    same!(
        "lowercase",
        "UPPERCASE",
        "PascalCase",
        "camelCase",
        "snake_case",
        "SCREAMING_SNAKE_CASE",
        "kebab-case"
    );
    same!("SCREAMING-KEBAB-CASE");
}

#[test]
fn a_user_without_claims_of_its_own_has_a_subject() {
    #[derive(JwtClaims)]
    struct Bare {
        #[claim(sub)]
        id: String,
    }
    let claims: BareClaims = read(r#"{"sub":"ada","role":"admin"}"#).unwrap();
    assert_eq!(serde_json::to_string(&claims).unwrap(), r#"{"sub":"ada"}"#);
    assert_eq!(
        Bare {
            id: String::from("ada")
        }
        .subject(),
        claims.id()
    );
}
