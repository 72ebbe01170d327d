//! Counts, events and log lines from which operators learn of refused tokens.

use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tollgate::event::EventKind;
use tollgate::guard::{Issuer, TokenFault, TokenKind};
use tollgate::keys::Algorithm;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::guard::issuer::{ISSUER, Key, builder, claims, claims_with, expected, fixed, verify};

type Seen = Arc<Mutex<Vec<(Option<String>, &'static str)>>>;

fn seen() -> (
    Seen,
    impl Fn(&tollgate::event::Event) + Send + Sync + 'static,
) {
    let seen = Seen::default();
    let into = Arc::clone(&seen);
    let handler = move |event: &tollgate::event::Event| {
        if let EventKind::ForeignTokenRefused { guard, reason } = &event.kind {
            into.lock().unwrap().push((guard.clone(), *reason));
        }
    };
    (seen, handler)
}

/// Each refused token has its reason: in the health of its guard, and in an event.
#[tokio::test]
async fn every_refused_token_has_a_reason() {
    let (key, other) = (Key::new("k1"), Key::new("k1"));
    let now = crate::guard::issuer::START.as_secs();
    let with = |changes: Value| key.token(&claims_with(&changes));
    let cases = [
        (TokenFault::Malformed, "a.b".to_owned()),
        (
            TokenFault::Malformed,
            key.with_header(&json!({"crit": ["x"]})),
        ),
        (
            TokenFault::Malformed,
            key.sign(
                &key.header().to_string(),
                &claims().to_string().replacen('{', "{\"a\":1,\"a\":2,", 1),
            ),
        ),
        (TokenFault::TooLarge, with(json!({"x": "y".repeat(9000)}))),
        (
            TokenFault::Issuer,
            with(json!({"iss": "https://partner.example"})),
        ),
        (TokenFault::Realm, with(json!({"rlm": "staff"}))),
        (
            TokenFault::Algorithm,
            key.with_header(&json!({"alg": "RS256"})),
        ),
        (
            TokenFault::Algorithm,
            key.with_header(&json!({"alg": "none"})),
        ),
        (TokenFault::Kind, key.with_header(&json!({"typ": "JWT"}))),
        (TokenFault::Kind, with(json!({"at_hash": "h"}))),
        (TokenFault::Key, key.with_header(&json!({"kid": "other"}))),
        (TokenFault::Signature, other.token(&claims())),
        (TokenFault::Audience, with(json!({"aud": "other"}))),
        (TokenFault::Audience, with(json!({"aud": "-"}))),
        (TokenFault::NotYet, with(json!({"nbf": now + 31}))),
        (TokenFault::NotYet, with(json!({"iat": now + 31}))),
        (TokenFault::Lifetime, with(json!({"exp": now + 86_401}))),
        (TokenFault::Expired, with(json!({"exp": now - 31}))),
        (TokenFault::Claims, with(json!({"sub": "-"}))),
        (TokenFault::Claims, with(json!({"exp": "soon"}))),
        (TokenFault::Claims, with(json!({"email": 7}))),
    ];
    for (reason, token) in cases {
        let (seen, handler) = seen();
        let guards = builder()
            .0
            .on_event(handler)
            .guard("partner", fixed(expected(), &[&key]));
        let guards = guards.build().unwrap();
        assert!(verify(&guards, &token).await.is_err(), "{reason}");
        let by_guard = guards.health()[0].refused.clone();
        let by_none = guards.refused();
        let all: Vec<_> = by_guard.iter().chain(&by_none).copied().collect();
        assert_eq!(all, [(reason, 1)], "{token}");
        let guard = (!by_guard.is_empty()).then(|| "partner".to_owned());
        assert_eq!(*seen.lock().unwrap(), [(guard, reason.as_str())]);
    }
    // A party, of an ID token.
    let guards = builder()
        .0
        .guard("ids", fixed(expected().accept(TokenKind::IdToken), &[&key]))
        .build()
        .unwrap();
    let header = json!({"alg": "EdDSA", "kid": "k1"}).to_string();
    let token = key.sign(&header, &claims_with(&json!({"azp": "b"})).to_string());
    assert!(verify(&guards, &token).await.is_err());
    assert_eq!(guards.health()[0].refused, [(TokenFault::Party, 1)]);
    // A good one counts nowhere.
    let (seen, handler) = self::seen();
    let guards = builder()
        .0
        .on_event(handler)
        .guard("partner", fixed(expected(), &[&key]));
    let guards = guards.build().unwrap();
    assert!(verify(&guards, &key.token(&claims())).await.is_ok());
    assert!(guards.health()[0].refused.is_empty() && guards.refused().is_empty());
    assert!(seen.lock().unwrap().is_empty());
}

/// A flood of refused tokens is counted, and told of once a second for each guard.
#[tokio::test]
async fn a_flood_is_told_of_once_a_second_a_guard() {
    let key = Key::new("k1");
    let (seen, handler) = seen();
    let (builder, clock) = builder();
    let second = Issuer::new("https://second.example")
        .audience(crate::guard::issuer::AUDIENCE)
        .algorithms([Algorithm::EdDSA]);
    let guards = builder
        .on_event(handler)
        .guard("first", fixed(expected(), &[&key]))
        .guard("second", fixed(second, &[&key]))
        .build()
        .unwrap();
    let bad = |iss: &str| key.token(&claims_with(&json!({"iss": iss, "aud": "other"})));
    let told = || std::mem::take(&mut *seen.lock().unwrap()).len();
    for _ in 0..50 {
        assert!(verify(&guards, &bad(ISSUER)).await.is_err());
    }
    assert_eq!(told(), 1);
    for iss in ["https://second.example", "https://third.example"] {
        for _ in 0..50 {
            assert!(verify(&guards, &bad(iss)).await.is_err());
        }
        assert_eq!(told(), 1, "{iss}");
    }
    clock.advance(Duration::from_millis(999));
    assert!(verify(&guards, &bad(ISSUER)).await.is_err());
    assert_eq!(told(), 0);
    clock.advance(Duration::from_millis(1));
    assert!(verify(&guards, &bad(ISSUER)).await.is_err());
    assert_eq!(told(), 1);
    assert_eq!(guards.health()[0].refused, [(TokenFault::Audience, 52)]);
    assert_eq!(guards.health()[1].refused, [(TokenFault::Audience, 50)]);
    assert_eq!(guards.refused(), [(TokenFault::Issuer, 50)]);
}

/// Collects what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("tollgate")
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        struct Line(String);
        impl Visit for Line {
            fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
                write!(self.0, " {}={value:?}", field.name()).unwrap();
            }
        }
        let mut line = Line(event.metadata().level().to_string());
        event.record(&mut line);
        self.0.lock().unwrap().push(line.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// A debug line says what is wrong, names both sides, and holds neither the token nor a claim of the
/// user; what a stranger wrote is escaped and short.
#[tokio::test]
async fn a_debug_line_says_what_is_wrong_without_the_token() {
    let key = Key::new("k1");
    let log = Log::default();
    // Two dispatchers: of a process that has only one, a line that another thread reaches first is
    // asked of that thread's dispatcher, which is none, and never written again.
    let _second = tracing::Dispatch::new(log.clone());
    let _logging = tracing::subscriber::set_default(log.clone());
    let long = "\u{202e}\r\nforged line".repeat(50);
    for (token, words) in [
        (
            key.token(&claims_with(&json!({"iss": "https://partner.example"}))),
            vec![
                "reason=issuer",
                "\"https://partner.example\"",
                "\"https://partner.example/\"",
            ],
        ),
        (
            key.token(&claims_with(&json!({"aud": "other"}))),
            vec![
                "guard=\"partner\"",
                "reason=audience",
                "\"other\"",
                "\"https://api.example.com\"",
            ],
        ),
        (
            key.token(&claims_with(&json!({ "aud": long }))),
            vec!["reason=audience", "\\u{202e}\\r\\nforged line", "…"],
        ),
        (
            key.token(&claims_with(&json!({ "iss": long }))),
            vec!["reason=issuer", "\\u{202e}\\r\\nforged line", "…"],
        ),
        (
            key.with_header(&json!({ "kid": long.get(..100).unwrap_or(&long[..99]) })),
            vec!["reason=key", "EdDSA"],
        ),
        (
            key.with_header(&json!({"alg": "HS256"})),
            vec!["reason=algorithm", "\"HS256\"", "is a secret"],
        ),
        (
            key.token(&claims_with(&json!({"email": {"secret-of-p": 1}}))),
            vec!["reason=claims", "\"email\""],
        ),
        (
            key.token(&claims_with(&json!({"typ": "ID"}))),
            vec!["reason=kind", "`typ: at+jwt`", "`typ` says ID token"],
        ),
        (
            key.token(&claims_with(
                &json!({"exp": crate::guard::issuer::START.as_secs() - 99}),
            )),
            vec!["reason=expired"],
        ),
    ] {
        let (builder, _) = builder();
        let guards = builder
            .guard("partner", fixed(expected(), &[&key]))
            .build()
            .unwrap();
        log.0.lock().unwrap().clear();
        assert!(verify(&guards, &token).await.is_err());
        let lines = log.0.lock().unwrap().clone();
        let line = lines.iter().find(|line| line.starts_with("DEBUG")).unwrap();
        for word in words {
            assert!(line.contains(word), "{word}: {line}");
        }
        for line in &lines {
            let [_, payload, signature] = token.split('.').collect::<Vec<_>>()[..] else {
                unreachable!()
            };
            assert!(
                !line.contains(payload) && !line.contains(signature),
                "{line}"
            );
            assert!(
                !line.contains("p@partner") && !line.contains("secret-of-p"),
                "{line}"
            );
            assert!(!line.contains(['\r', '\n', '\u{202e}']), "{line}");
            assert!(line.len() < 700, "{line}");
        }
    }
}
