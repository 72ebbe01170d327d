//! Signing in with the token of another issuer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::routing::get;
use axum::{Json, Router};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use tollgate::clock::Clock;
use tollgate::guard::{GuardRouter, Issuer, Nonce, TokenKind};
use tollgate::prelude::*;
use tollgate::token::Verified;
use tollgate_tests::{Answer, request};
use tower::ServiceExt as _;

use crate::openapi::body_of;

use crate::guard::issuer::{
    ISSUER, Key, Partner, PartnerClaims, START, claims_with, expected, fixed,
};

#[derive(Clone, JwtClaims)]
struct Member {
    #[claim(sub)]
    id: u64,
}

/// Members by issuer and subject.
#[auth_backend(guard, user = Member)]
#[derive(Clone)]
struct Members {
    guards: GuardRouter<Partner>,
    known: Arc<Mutex<HashMap<(String, String), u64>>>,
}

impl Exchange for Members {
    type External = Partner;

    fn guards(&self) -> &GuardRouter<Partner> {
        &self.guards
    }

    async fn exchange(
        &self,
        token: &Verified<PartnerClaims>,
        _: &Client,
    ) -> Result<Member, AuthError> {
        let (issuer, subject) = token.token().identity();
        if subject == "down" {
            return Err(AuthError::unavailable("the database is down"));
        }
        let id = self
            .known
            .lock()
            .unwrap()
            .get(&(issuer.to_owned(), subject.to_owned()))
            .copied();
        id.map(|id| Member { id }).ok_or(AuthError::Invalid)
    }
}

impl Refresh for Members {
    async fn refresh(&self, id: &u64, _: &Client) -> Result<Member, AuthError> {
        if self.known.lock().unwrap().values().any(|known| known == id) {
            Ok(Member { id: *id })
        } else {
            Err(AuthError::Gone)
        }
    }
}

const OTHER: &str = "https://other.example";

async fn app(issuer: Issuer, key: &Key, other: &Key) -> (Router, Members) {
    let theirs = Issuer::new(OTHER)
        .audience("https://api.example.com")
        .algorithms(issuer.allowed().to_vec())
        .accept(TokenKind::IdToken);
    let guards = GuardRouter::builder()
        .clock(Clock::manual(START))
        .guard("partner", fixed(issuer.accept(TokenKind::IdToken), &[key]))
        .guard("other", fixed(theirs, &[other]))
        .build()
        .unwrap();
    let known = HashMap::from([
        ((ISSUER.to_owned(), "p-7".to_owned()), 7),
        ((OTHER.to_owned(), "p-8".to_owned()), 8),
    ]);
    let members = Members {
        guards,
        known: Arc::new(Mutex::new(known)),
    };
    let (builder, _) = tollgate::testing::ready(members.clone().gate()).unwrap();
    let gate = builder.build().await.unwrap();
    let app = Router::new().route(
        "/me",
        get(async |auth: Auth<Member>| Json(auth.claims().clone())),
    );
    (gate.install(app).with_state(gate.clone()), members)
}

async fn send(app: &Router, path: &str, token: Option<&str>, body: Option<Value>) -> Answer {
    let method = if body.is_some() {
        Method::POST
    } else {
        Method::GET
    };
    let response = app
        .clone()
        .oneshot(request(method, path, token, body))
        .await
        .unwrap();
    Answer::of(response).await
}

/// An ID token.
fn id_token(key: &Key, changes: &Value) -> String {
    key.sign(
        &json!({"alg": "EdDSA", "typ": "JWT", "kid": key.kid}).to_string(),
        &claims_with(changes).to_string(),
    )
}

#[tokio::test]
async fn an_id_token_is_exchanged_for_a_pair_of_ours() {
    let (key, other) = (Key::new("k"), Key::new("k"));
    let (app, members) = app(expected(), &key, &other).await;
    let answer = send(
        &app,
        "/auth/signin",
        None,
        Some(json!({"token": id_token(&key, &json!({})), "device_name": "phone"})),
    )
    .await;
    let tokens = answer.tokens();
    assert_eq!(
        send(&app, "/me", Some(&tokens.access), None).await.json(),
        json!({"sub": "7"})
    );
    assert_eq!(answer.headers["cache-control"], "no-store");
    let refreshed = send(
        &app,
        "/auth/refresh-access",
        None,
        Some(json!({"refresh_token": tokens.refresh})),
    )
    .await
    .tokens();
    assert_eq!(
        send(&app, "/me", Some(&refreshed.access), None)
            .await
            .status,
        StatusCode::OK
    );
    // R55: the ID token itself opens nothing here.
    send(&app, "/me", Some(&id_token(&key, &json!({}))), None)
        .await
        .assert_problem(401, "invalid_token");
    members.known.lock().unwrap().clear();
    send(
        &app,
        "/auth/refresh-access",
        None,
        Some(json!({"refresh_token": refreshed.refresh})),
    )
    .await
    .assert_problem(401, "invalid_grant");
}

/// R48: the same subject of another issuer is another person, whatever address both give.
#[tokio::test]
async fn r48_who_it_is_issuer_and_subject_say_together() {
    let (key, other) = (Key::new("k"), Key::new("k"));
    let (app, _) = app(expected(), &key, &other).await;
    let sign_in =
        async |token: String| send(&app, "/auth/signin", None, Some(json!({"token": token}))).await;
    let of_other = |subject: &str| {
        id_token(
            &other,
            &json!({"iss": OTHER, "sub": subject, "email": "p@partner.example"}),
        )
    };
    sign_in(of_other("p-7"))
        .await
        .assert_problem(401, "invalid_credentials");
    let member = sign_in(of_other("p-8")).await.tokens();
    assert_eq!(
        send(&app, "/me", Some(&member.access), None).await.json(),
        json!({"sub": "8"})
    );
    // R46: nor does the other's key speak for this issuer.
    sign_in(id_token(&other, &json!({})))
        .await
        .assert_problem(401, "invalid_credentials");
}

#[tokio::test]
async fn whoever_is_not_vouched_for_does_not_get_in() {
    let (key, other) = (Key::new("k"), Key::new("k"));
    let (app, _) = app(expected(), &key, &other).await;
    let own = send(
        &app,
        "/auth/signin",
        None,
        Some(json!({"token": id_token(&key, &json!({}))})),
    )
    .await
    .tokens();
    let mut answers = Vec::new();
    for token in [
        id_token(&key, &json!({"sub": "stranger"})),
        id_token(&key, &json!({"aud": "another-client"})),
        id_token(&key, &json!({"azp": "another-client"})),
        id_token(&key, &json!({"aud": ["https://api.example.com", "x"]})),
        id_token(&key, &json!({"exp": START.as_secs() - 60, "iat": 0})),
        id_token(&Key::new("k"), &json!({})),
        // An access token of the same issuer is no ID token.
        key.token(&claims_with(&json!({}))),
        own.access,
        own.refresh,
        String::new(),
    ] {
        let answer = send(&app, "/auth/signin", None, Some(json!({"token": token}))).await;
        answer.assert_problem(401, "invalid_credentials");
        answers.push(answer);
    }
    // R117: nobody is told why.
    assert!(answers.windows(2).all(|two| two[0] == two[1]));
    send(
        &app,
        "/auth/signin",
        None,
        Some(json!({"token": id_token(&key, &json!({"sub": "down"}))})),
    )
    .await
    .assert_problem(503, "unavailable");
    send(
        &app,
        "/auth/signin",
        None,
        Some(json!({"email": "a", "password": "b"})),
    )
    .await
    .assert_problem(400, "invalid_request");
}

#[tokio::test]
async fn a_nonce_that_was_asked_with_must_come_along() {
    let (key, other) = (Key::new("k"), Key::new("k"));
    let hashed = {
        use aws_lc_rs::digest::{SHA256, digest};
        digest(&SHA256, b"n-0S6")
            .as_ref()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    for (mode, bound) in [
        (Nonce::AsSent, "n-0S6".to_owned()),
        (Nonce::Sha256, hashed.clone()),
    ] {
        let (app, _) = app(expected().nonce(mode), &key, &other).await;
        for (nonce, sent, counts) in [
            (json!(bound), json!("n-0S6"), true),
            (json!(bound), json!("n-0S7"), false),
            (json!(bound), json!(""), false),
            (json!(bound), Value::Null, false),
            (json!("-"), json!("n-0S6"), false),
            (json!("-"), Value::Null, true),
            // Sending the hash that stands in the token is not enough.
            (json!(hashed), json!(hashed), mode == Nonce::AsSent),
        ] {
            let body = json!({"token": id_token(&key, &json!({"nonce": nonce})), "nonce": sent});
            let answer = send(&app, "/auth/signin", None, Some(body)).await;
            assert_eq!(
                answer.status.as_u16(),
                if counts { 200 } else { 401 },
                "{mode:?} {nonce} {sent}"
            );
        }
    }
}

#[tokio::test]
async fn the_members_of_an_id_token_are_in_the_document() {
    let (key, other) = (Key::new("k"), Key::new("k"));
    let (app, _) = app(expected(), &key, &other).await;
    let document = send(&app, "/openapi.json", None, None).await.json();
    let login = body_of(&document, "/auth/signin");
    assert_eq!(login["required"], json!(["token"]));
    let kinds = ["token", "nonce"].map(|name| login["properties"][name]["type"].clone());
    assert_eq!(kinds, [json!("string"), json!(["string", "null"])]);
    assert_eq!(login["properties"].get("password"), None);
}
