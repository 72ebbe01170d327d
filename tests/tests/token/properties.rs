//! Random input: nothing panics, and only the token that was issued verifies.

use proptest::prelude::*;
use serde_json::Value;
use tollgate::clock::Timestamp;
use tollgate::id::SessionId;
use tollgate::keys::{Algorithm, KeyRing};
use tollgate::prelude::JwtClaims;
use tollgate::realm::RealmName;
use tollgate::token::{
    Expect, RefreshToken, Stamp, VerifyError, issue, open_successor, read_stored, seal_successor,
    verify,
};

use crate::claims::UserClaims;
use crate::forge::{Forge, NOW, expect, issue_from};
use crate::issuing::payload;

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_text_is_refused(text in any::<String>(), bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let forge = Forge::new();
        let lossy = String::from_utf8_lossy(&bytes);
        for text in [&text, lossy.as_ref()] {
            prop_assert!(forge.verify(text).is_err());
            prop_assert!(RefreshToken::parse(&forge.ring.set(), None, text).is_err());
            let prefixed = format!("tgr1_{text}");
            prop_assert!(RefreshToken::parse(&forge.ring.set(), None, &prefixed).is_err());
            prop_assert!(read_stored::<UserClaims>(text, text.as_bytes()).is_none());
        }
    }

    #[test]
    fn arbitrary_parts_are_refused(header in "[A-Za-z0-9_-]{0,200}", payload in "[A-Za-z0-9_-]{0,200}", signature in "[A-Za-z0-9_-]{0,90}") {
        let forge = Forge::new();
        for header in [header, forge.issued_header()] {
            let token = format!("{header}.{payload}.{signature}");
            prop_assert!(forge.verify(&token).is_err());
        }
    }

    /// Genuinely signed nonsense: the decoder sees it, and neither panics nor accepts.
    #[test]
    fn signed_nonsense_is_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300), text in "[\\[\\]{}:,\"0-9a-z\\\\ .eE+-]{0,120}") {
        let forge = Forge::new();
        use base64::Engine as _;
        let encode = |bytes: &[u8]| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes);
        for content in [bytes.as_slice(), text.as_bytes()] {
            prop_assert!(forge.verify(&forge.sign_encoded(&forge.issued_header(), &encode(content))).is_err());
            let token = forge.sign_encoded(&encode(content), &encode(b"{}"));
            prop_assert!(forge.verify(&token).is_err());
        }
    }

    #[test]
    fn only_the_unmodified_token_verifies(at in any::<prop::sample::Index>(), with in any::<char>(), how in 0..4u8) {
        for algorithm in [Algorithm::HS256, Algorithm::EdDSA] {
            let ring = KeyRing::generate(algorithm).unwrap();
            let token = issue_from(&ring);
            let mut chars: Vec<char> = token.chars().collect();
            let at = at.index(chars.len());
            match how {
                0 => chars[at] = with,
                1 => chars.insert(at, with),
                2 => drop(chars.remove(at)),
                _ => chars.truncate(at),
            }
            let changed: String = chars.into_iter().collect();
            let verified = verify::<UserClaims>(&changed, &ring.set(), &expect(), Timestamp::from_secs(NOW));
            if changed == token {
                prop_assert!(verified.is_ok());
            } else {
                prop_assert_eq!(verified.err(), Some(VerifyError::Invalid));
            }
        }
    }

    #[test]
    fn only_the_unmodified_refresh_token_parses(sid in any::<[u8; 16]>(), generation in any::<u32>(), secret in any::<[u8; 16]>(), at in any::<prop::sample::Index>(), with in any::<char>()) {
        let forge = Forge::new();
        let token = RefreshToken::mint(&forge.ring.set(), None, SessionId::from_bytes(sid), generation, &secret);
        let parsed = RefreshToken::parse(&forge.ring.set(), None, token.expose()).unwrap();
        prop_assert_eq!((*parsed.sid.as_bytes(), parsed.generation, *parsed.secret, parsed.retired), (sid, generation, secret, false));
        let mut chars: Vec<char> = token.expose().chars().collect();
        let at = at.index(chars.len());
        chars[at] = with;
        let changed: String = chars.into_iter().collect();
        prop_assert_eq!(RefreshToken::parse(&forge.ring.set(), None, &changed).is_ok(), changed == token.expose());
    }

    #[test]
    fn only_the_unmodified_seal_opens(secret in any::<[u8; 16]>(), successor in any::<[u8; 16]>(), generation in any::<u32>(), at in any::<prop::sample::Index>(), flip in 1..=255u8) {
        let sid = SessionId::from_bytes([5; 16]);
        let next = generation.wrapping_add(1);
        let mut sealed = seal_successor(&secret, sid, generation, next, &successor).unwrap();
        let opened = open_successor(&secret, sid, generation, next, &sealed);
        prop_assert_eq!(opened.as_deref(), Some(&successor));
        let at = at.index(sealed.len());
        sealed[at] ^= flip;
        prop_assert!(open_successor(&secret, sid, generation, next, &sealed).is_none());
    }
}

/// A value of JSON, up to and beyond every limit.
fn json_value() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::Value;
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        (0..9000usize).prop_map(|len| Value::from("x".repeat(len))),
    ];
    leaf.prop_recursive(20, 400, 8, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(any::<String>(), inner.clone(), 0..3)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
            (inner, 0..20usize).prop_map(|(value, levels)| {
                (0..levels).fold(value, |value, _| serde_json::json!([value]))
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn everything_that_is_issued_verifies(extra in proptest::option::of(json_value()), email in any::<String>(), acr in proptest::option::of("[a-z]{0,9}")) {
        let forge = Forge::new();
        let claims = UserClaims { email, extra: extra.filter(|value| !value.is_null()), ..UserClaims::ada() };
        let stamp = tollgate::token::Stamp { acr: acr.as_deref(), ..crate::forge::stamp() };
        if let Ok(token) = tollgate::token::issue(&forge.ring.set(), &stamp, &claims) {
            prop_assert!(forge.verify(&token).is_ok());
        }
    }
}

/// A user whose subject is any text.
#[derive(JwtClaims)]
struct Texts {
    #[claim(sub)]
    name: String,
    nick: Option<String>,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whether a text is written as it is or with escapes, the members are what serde_json reads,
    /// in one order, and the verifier reads the token.
    #[test]
    fn names_and_subjects_are_written_as_json(
        names in [(); 3].map(|()| text().prop_filter("a name has letters", |name| !name.is_empty())),
        name in text(),
        nick in proptest::option::of(any::<String>()),
        (in_session, in_realm) in any::<(bool, bool)>(),
    ) {
        let forge = Forge::new();
        let [issuer, audience, client_id] = &names;
        let realm = in_realm.then(|| RealmName::parse("staff").unwrap());
        let stamp = Stamp {
            issuer,
            audience,
            client_id,
            realm: realm.as_ref().map(RealmName::as_str),
            sid: in_session.then(|| SessionId::from_bytes([2; 16])),
            generation: in_session.then_some(3),
            ..crate::forge::stamp()
        };
        let claims = Texts { name: name.clone(), nick: nick.clone() }.to_claims();
        let issued = issue(&forge.ring.set(), &stamp, &claims);
        let is_kept = (1..=1024).contains(&name.len()) && !name.contains('\0');
        prop_assert_eq!(issued.is_ok(), is_kept, "{:?}", issued);
        let Ok(token) = issued else { return Ok(()) };

        let Value::Object(read) = serde_json::from_str(&payload(&token)).unwrap() else { panic!() };
        prop_assert_eq!(&read["iss"], issuer);
        prop_assert_eq!(&read["sub"], &name);
        prop_assert_eq!(&read["aud"], audience);
        prop_assert_eq!(&read["client_id"], client_id);
        prop_assert_eq!(read.get("sid").is_some(), in_session);
        prop_assert_eq!(read.get("rlm").is_some(), in_realm);
        prop_assert_eq!(read.get("nick").and_then(Value::as_str), nick.as_deref());

        let expect = Expect {
            issuer: issuer.as_str().into(),
            audience: audience.as_str().into(),
            client_id: client_id.as_str().into(),
            realm,
            ..expect()
        };
        let now = Timestamp::from_secs(NOW);
        let verified = verify::<TextsClaims>(&token, &forge.ring.set(), &expect, now).unwrap();
        prop_assert_eq!(verified.token().subject(), name);
        let claims = serde_json::to_value(verified.claims()).unwrap();
        prop_assert_eq!(claims.get("nick").and_then(Value::as_str), nick.as_deref());
    }
}

/// Any text, most of them of letters alone, and a long one now and then.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[ -~]{0,40}", 2 => any::<String>(), 1 => "[a-z\"\\\\\0é]{0,8}", 1 => "x{1020,1028}"]
}
