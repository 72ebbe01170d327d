//! The issuer, the audience, the subject and the kind of a token (R46 to R49).

use serde::de::MapAccess;
use serde::ser::SerializeMap;
use serde_json::{Map, Value, json};
use tollgate::clock::Timestamp;
use tollgate::token::{ClaimSet, RefreshToken, VerifyError, verify};

use crate::claims::UserClaims;
use crate::forge::{AUDIENCE, Forge, ISSUER, NOW};

fn set(name: &str, value: Value) -> impl FnOnce(&mut Map<String, Value>) {
    move |members| drop(members.insert(name.into(), value))
}

fn unset(name: &str) -> impl FnOnce(&mut Map<String, Value>) {
    move |members| drop(members.remove(name))
}

#[test]
fn r46_the_issuer_is_one_string_byte_for_byte() {
    let forge = Forge::new();
    let strange = [
        json!([ISSUER]),
        Value::Null,
        json!(1),
        json!(""),
        json!(format!("{ISSUER}/")),
        json!(ISSUER.to_uppercase()),
        json!(format!(" {ISSUER}")),
        json!("https://accounts.example.co"),
        json!("https://accounts.example.com.evil.example"),
    ];
    for iss in strange {
        forge.assert_invalid(&forge.with_payload(set("iss", iss)));
    }
    forge.assert_invalid(&forge.with_payload(unset("iss")));
}

#[test]
fn r47_the_audience_is_named() {
    let forge = Forge::new();
    forge.assert_good(&forge.with_payload(set("aud", json!([AUDIENCE]))));
    forge.assert_good(&forge.with_payload(set("aud", json!(["https://other.example", AUDIENCE]))));
    let strange = [
        json!([]),
        Value::Null,
        json!(1),
        json!({}),
        json!(""),
        json!([[AUDIENCE]]),
        json!([AUDIENCE, 1]),
        json!([AUDIENCE, null]),
        json!(["https://other.example"]),
        json!(format!("{AUDIENCE}/")),
        json!(&AUDIENCE[..AUDIENCE.len() - 1]),
        json!(AUDIENCE.to_uppercase()),
        json!(format!("{AUDIENCE} https://other.example")),
    ];
    for aud in strange {
        forge.assert_invalid(&forge.with_payload(set("aud", aud)));
    }
    forge.assert_invalid(&forge.with_payload(unset("aud")));
}

#[test]
fn r48_a_token_has_a_subject_of_the_right_type() {
    let forge = Forge::new();
    for sub in [
        json!(""),
        Value::Null,
        json!(1),
        json!(["a"]),
        json!("not a uuid"),
        json!(" "),
    ] {
        forge.assert_invalid(&forge.with_payload(set("sub", sub)));
    }
    forge.assert_invalid(&forge.with_payload(unset("sub")));
}

/// With a subject that any text is, nothing but the rule itself refuses the empty one.
#[test]
fn r48_an_empty_subject_is_none_even_where_subjects_are_strings() {
    let forge = Forge::new();
    let read = |sub: &str| {
        let token = forge.with_payload(set("sub", json!(sub)));
        verify::<Named>(
            &token,
            &forge.ring.set(),
            &forge.expect,
            Timestamp::from_secs(NOW),
        )
        .map(|token| token.into_claims().0)
    };
    assert_eq!(read("ada").as_deref(), Ok("ada"));
    assert_eq!(read("").unwrap_err(), VerifyError::Invalid);
}

/// Claims that are a name and nothing else.
#[derive(Clone, Debug, serde::Serialize)]
struct Named(String);

impl ClaimSet for Named {
    type Subject = String;
    type Draft = ();

    fn subject(&self) -> &String {
        &self.0
    }

    fn parse_subject(text: &str) -> Option<String> {
        text.parse().ok()
    }

    fn write<M: SerializeMap>(&self, _: &mut M) -> Result<(), M::Error> {
        Ok(())
    }

    fn place(_: &str) -> Option<usize> {
        None
    }

    fn read<'de, A: MapAccess<'de>>((): &mut (), _: usize, _: &mut A) -> Result<(), A::Error> {
        Ok(())
    }

    fn finish((): (), name: String) -> Result<Self, &'static str> {
        Ok(Self(name))
    }

    fn has_role(&self, _: &str) -> bool {
        false
    }

    fn has_scope(&self, _: &str) -> bool {
        false
    }
}

#[test]
fn r49_only_an_access_token_is_one() {
    let forge = Forge::new();
    for typ in [
        "at+jwt",
        "AT+JWT",
        "At+Jwt",
        "application/at+jwt",
        "APPLICATION/AT+JWT",
    ] {
        forge.assert_good(&forge.with_header(set("typ", json!(typ))));
    }
    let strange = [
        json!("JWT"),
        json!("jwt"),
        json!(""),
        json!("dpop+jwt"),
        json!("logout+jwt"),
        json!("rt+jwt"),
        json!("application/jwt"),
        json!("application/application/at+jwt"),
        json!("text/at+jwt"),
        json!("at+jwt "),
        json!("at+jwt; charset=utf-8"),
        Value::Null,
        json!(["at+jwt"]),
    ];
    for typ in strange {
        forge.assert_invalid(&forge.with_header(set("typ", typ)));
    }
    forge.assert_invalid(&forge.with_header(unset("typ")));
}

#[test]
fn what_the_gate_stamps_must_be_there_in_form() {
    let forge = Forge::new();
    for name in ["client_id", "jti", "uep", "email", "roles"] {
        forge.assert_invalid(&forge.with_payload(unset(name)));
        forge.assert_invalid(&forge.with_payload(set(name, Value::Null)));
        forge.assert_invalid(&forge.with_payload(set(name, json!({}))));
    }
    for (name, value) in [
        ("client_id", json!("")),
        ("jti", json!("short")),
        ("jti", json!("AAAAAAAAAAAAAAAAAAAAAB")),
        ("sid", json!("short")),
        ("sid", Value::Null),
        ("gen", json!(u64::from(u32::MAX) + 1)),
        ("gen", json!(-1)),
        ("uep", json!("4")),
        ("uep", json!(-4)),
        ("acr", json!(1)),
        ("roles", json!(["root"])),
        ("roles", json!("admin")),
    ] {
        forge.assert_invalid(&forge.with_payload(set(name, value)));
    }
    forge.assert_invalid(&forge.with_payload(unset("sid")));
    forge.assert_invalid(&forge.with_payload(unset("gen")));
    let without = forge.assert_good(&forge.with_payload(|claims| {
        claims.remove("sid");
        claims.remove("gen");
        claims.remove("auth_time");
    }));
    assert_eq!(
        (
            without.token().sid(),
            without.token().generation(),
            without.token().auth_time()
        ),
        (None, None, None)
    );
}

#[test]
fn unknown_claims_are_ignored() {
    let forge = Forge::new();
    let verified = forge.assert_good(&forge.with_payload(|claims| {
        claims.insert("is_admin".into(), json!(true));
        claims.insert("nested".into(), json!({"a": [1, {"b": null}]}));
    }));
    assert_eq!(verified.claims().email, "ada@example.com");
}

#[test]
fn a_verified_token_tells_what_stands_in_it() {
    let forge = Forge::new();
    let verified = forge.assert_good(&forge.with_payload(|claims| {
        claims.insert("client_id".into(), json!("mobile"));
        claims.insert("acr".into(), json!("urn:example:mfa"));
    }));
    let token = verified.token();
    assert_eq!(
        (token.issuer(), token.audience(), token.client_id()),
        (ISSUER, AUDIENCE, "mobile")
    );
    assert_eq!(token.subject(), UserClaims::ada().id.to_string());
    assert_eq!(
        (token.jti().as_bytes(), token.sid().unwrap().as_bytes()),
        (&[1; 16], &[2; 16])
    );
    assert_eq!(
        (token.generation(), token.epoch(), token.acr()),
        (Some(3), 4, Some("urn:example:mfa"))
    );
    assert_eq!(token.kid(), forge.kid());
    assert_eq!(
        token.expires_at().as_secs() - token.issued_at().as_secs(),
        600
    );
    assert_eq!(
        token.issued_at().as_secs() - token.auth_time().unwrap().as_secs(),
        5
    );
    assert_eq!(
        forge.assert_good(&forge.token()).token().client_id(),
        "first-party"
    );
    assert_eq!(verified.clone().into_claims(), *verified.claims());
}

#[test]
fn a_refresh_token_is_no_access_token() {
    let forge = Forge::new();
    let refresh = RefreshToken::mint(
        &forge.ring.set(),
        None,
        tollgate::id::SessionId::from_bytes([2; 16]),
        3,
        &[9; 16],
    );
    forge.assert_invalid(refresh.expose());
    assert!(RefreshToken::parse(&forge.ring.set(), None, &forge.token()).is_err());
}
