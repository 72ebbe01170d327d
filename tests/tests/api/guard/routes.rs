//! Callers from elsewhere on routes: alone, and beside the gate's own.

use axum::body::Body;
use axum::extract::FromRef;
use axum::{Json, Router};
use http::{Method, StatusCode};
use serde_json::json;
use tollgate::clock::Clock;
use tollgate::guard::{GuardRouter, Issuer};
use tollgate::keys::Algorithm;
use tollgate::policy::Rule;
use tollgate::prelude::*;
use tollgate::protected::Security;
use tollgate::routing::get;
use tollgate_tests::{Accounts, Admins, App, User, request};

use crate::guard::issuer::{Key, Partner, PartnerClaims, claims, claims_with, expected, fixed};

#[derive(Policy)]
#[policy(user = Partner, role = "buyer", scope = "write")]
struct Buyers;

#[derive(Policy)]
#[policy(user = Partner, not(role = "buyer"))]
struct NoBuyers;

#[derive(Clone)]
struct State {
    gate: Gate<Accounts>,
    partners: Verifier<Partner>,
}

impl FromRef<State> for Verifier<User> {
    fn from_ref(state: &State) -> Self {
        state.gate.verifier()
    }
}

impl FromRef<State> for Verifier<Partner> {
    fn from_ref(state: &State) -> Self {
        state.partners.clone()
    }
}

async fn either(caller: OneOf<Auth<User, Admins>, Auth<Partner, Buyers>>) -> String {
    match caller {
        OneOf::First(user) => format!("user {}", user.token().issuer()),
        OneOf::Second(partner) => format!("partner {}", partner.subject()),
    }
}

fn protected() -> ProtectedRouter<State> {
    ProtectedRouter::new()
        .route(
            "/partner",
            get(async |partner: Auth<Partner>| Json(partner.claims().clone())),
        )
        .route("/buyer", get(async |_: Auth<Partner, Buyers>| "in"))
        .route("/no-buyer", get(async |_: Auth<Partner, NoBuyers>| "in"))
        .route(
            "/maybe",
            get(async |partner: Option<Auth<Partner>>| {
                if partner.is_some() {
                    "somebody"
                } else {
                    "nobody"
                }
            }),
        )
        .route("/either", get(either))
        .route(
            "/turned",
            get(async |caller: OneOf<Auth<Partner>, Auth<User>>| {
                if matches!(caller, OneOf::First(_)) {
                    "partner"
                } else {
                    "user"
                }
            }),
        )
}

async fn app(key: &Key) -> App {
    let app = App::new().await;
    let guards: GuardRouter<Partner> = GuardRouter::builder()
        .clock(Clock::manual(crate::guard::issuer::START))
        .beside(&app.gate)
        .guard("partner", fixed(expected(), &[key]))
        .build()
        .unwrap();
    let state = State {
        gate: app.gate.clone(),
        partners: guards.verifier(),
    };
    let perhaps = axum::routing::get(async |caller: Option<OneOf<Auth<User>, Auth<Partner>>>| {
        if caller.is_some() {
            "somebody"
        } else {
            "nobody"
        }
    });
    let router = Router::from(protected())
        .route("/perhaps", perhaps)
        .with_state(state);
    app.serving(router.merge(app.gate.router()))
}

#[tokio::test]
async fn a_caller_from_elsewhere_is_a_caller() {
    let key = Key::new("k");
    let app = app(&key).await;
    let token = key.token(&claims());
    let answer = app.get("/partner", &token).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(
        answer.json(),
        json!({"sub": "p-7", "email": "p@partner.example", "roles": ["buyer"], "scope": "read write"})
    );
    assert_eq!(app.get("/maybe", &token).await.text, "somebody");
    let nobody = app.send(request(Method::GET, "/maybe", None, None)).await;
    assert_eq!(nobody.text, "nobody");
    app.send(request(Method::GET, "/partner", None, None))
        .await
        .assert_problem(401, "missing_token");
    app.get("/maybe", "x")
        .await
        .assert_problem(401, "invalid_token");
    app.get(
        "/partner",
        &key.token(&claims_with(&json!({"exp": 1, "iat": 0}))),
    )
    .await
    .assert_problem(401, "token_expired");
    // R83: our own tokens are not theirs.
    let own = app.sign_in("ada@example.com").await;
    app.get("/partner", &own.access)
        .await
        .assert_problem(401, "invalid_token");
    app.get("/partner", &own.refresh)
        .await
        .assert_problem(401, "invalid_token");
}

#[tokio::test]
async fn policies_ask_for_roles_and_scopes_of_an_open_set() {
    let key = Key::new("k");
    let app = app(&key).await;
    for (changes, buyer, not_buyer) in [
        (json!({}), 200, 403),
        (json!({"roles": "buyer"}), 200, 403),
        (
            json!({"roles": ["x", "buyer"], "scope": ["write"]}),
            200,
            403,
        ),
        (json!({"roles": "-"}), 403, 200),
        (json!({"roles": ["Buyer"]}), 403, 200),
        (json!({"roles": "x buyer"}), 403, 200),
        (json!({"scope": "writer"}), 403, 403),
        (json!({"scope": "-"}), 403, 403),
        (json!({"roles": 7}), 401, 401),
        (json!({"roles": [7]}), 401, 401),
        (json!({"scope": {"write": true}}), 401, 401),
    ] {
        let token = key.token(&claims_with(&changes));
        assert_eq!(
            app.get("/buyer", &token).await.status.as_u16(),
            buyer,
            "{changes}"
        );
        assert_eq!(
            app.get("/no-buyer", &token).await.status.as_u16(),
            not_buyer,
            "{changes}"
        );
    }
}

/// Chosen by the exact issuer, without falling through.
#[tokio::test]
async fn one_route_takes_tokens_of_both() {
    let key = Key::new("k");
    let app = app(&key).await;
    let own = app.sign_in("ada@example.com").await.access;
    let editor = app.sign_in("grace@example.com").await.access;
    let partner = key.token(&claims());
    assert_eq!(
        app.get("/either", &own).await.text,
        "user https://accounts.example.com"
    );
    assert_eq!(app.get("/either", &partner).await.text, "partner p-7");
    assert_eq!(app.get("/turned", &own).await.text, "user");
    assert_eq!(app.get("/turned", &partner).await.text, "partner");
    // Each by its own policy.
    app.get("/either", &editor)
        .await
        .assert_problem(403, "forbidden");
    app.get("/either", &key.token(&claims_with(&json!({"roles": []}))))
        .await
        .assert_problem(403, "forbidden");
    for token in [
        key.token(&claims_with(
            &json!({"iss": "https://accounts.example.com"}),
        )),
        key.token(&claims_with(&json!({"iss": "https://third.example"}))),
        key.token(&claims_with(&json!({"iss": "-"}))),
        Key::new("k").token(&claims()),
        format!("{own}A"),
        "nonsense".into(),
        "a.b.c.d.e".into(),
    ] {
        app.get("/either", &token)
            .await
            .assert_problem(401, "invalid_token");
        app.get("/perhaps", &token)
            .await
            .assert_problem(401, "invalid_token");
    }
    app.send(request(Method::GET, "/either", None, None))
        .await
        .assert_problem(401, "missing_token");
    assert_eq!(
        app.send(request(Method::GET, "/perhaps", None, None))
            .await
            .text,
        "nobody"
    );
    assert_eq!(app.get("/perhaps", &partner).await.text, "somebody");
    // A token that the gate revoked is refused here.
    app.post_as("/auth/signout", &own, None).await;
    app.get("/either", &own)
        .await
        .assert_problem(401, "invalid_token");
    // R104.
    let two = http::Request::get("/either")
        .header("authorization", format!("Bearer {partner}"))
        .header("authorization", "Bearer x");
    app.send(two.body(Body::empty()).unwrap())
        .await
        .assert_problem(400, "invalid_request");
}

#[tokio::test]
async fn two_verifiers_of_one_issuer_do_not_start_and_decide_nothing() {
    let key = Key::new("k");
    let app = App::new().await;
    let same = || {
        Issuer::new("https://accounts.example.com")
            .audience("https://api.example.com")
            .algorithms([Algorithm::EdDSA])
    };
    let error = GuardRouter::<Partner>::builder()
        .beside(&app.gate)
        .guard("same", fixed(same(), &[&key]))
        .build()
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("whose tokens the gate itself verifies"),
        "{error}"
    );
    // Another realm of the issuer is another gate's, and none of this one.
    GuardRouter::<Partner>::builder()
        .beside(&app.gate)
        .guard("staff", fixed(same().realm("staff"), &[&key]))
        .build()
        .unwrap();
    // A request finds it out where nobody said that they are beside each other.
    let guards = GuardRouter::alone("same", fixed::<Partner>(same(), &[&key])).unwrap();
    let state = State {
        gate: app.gate.clone(),
        partners: guards.verifier(),
    };
    let app = app.serving(
        Router::from(protected())
            .with_state(state)
            .merge(app.gate.router()),
    );
    let own = app.sign_in("ada@example.com").await.access;
    app.get("/either", &own)
        .await
        .assert_problem(503, "unavailable");
}

/// The size that a guard reads holds where the gate's own tokens are taken too.
#[tokio::test]
async fn a_large_token_counts_beside_the_gates_own() {
    let key = Key::new("k");
    let app = App::new().await;
    let issuer = expected().max_bytes(64 * 1024).max_members(4096);
    let guards: GuardRouter<Partner> = GuardRouter::builder()
        .clock(Clock::manual(crate::guard::issuer::START))
        .beside(&app.gate)
        .guard("partner", fixed(issuer, &[&key]))
        .build()
        .unwrap();
    let state = State {
        gate: app.gate.clone(),
        partners: guards.verifier(),
    };
    let routes = Router::from(protected()).with_state(state);
    let app = app.serving(routes.merge(app.gate.router()));
    let groups: Vec<_> = (0..500)
        .map(|n| format!("{n:08x}-86f1-41af-91ab-2d7cd011db47"))
        .collect();
    let token = key.token(&claims_with(&json!({ "groups": groups })));
    assert!(token.len() > 20_000);
    assert_eq!(app.get("/either", &token).await.status, StatusCode::OK);
    let own = app.sign_in("ada@example.com").await.access;
    assert_eq!(app.get("/either", &own).await.status, StatusCode::OK);
}

#[test]
fn a_guarded_route_says_that_it_takes_both() {
    let routes = protected();
    let of = |path: &str| {
        routes
            .routes()
            .iter()
            .find(|route| route.path == path)
            .unwrap()
            .security
    };
    assert_eq!(
        of("/either"),
        Security::OneOf(
            Rule::Role("admin"),
            Rule::All(&[Rule::Role("buyer"), Rule::Scope("write")])
        )
    );
    assert_eq!(of("/partner"), Security::Required(Rule::Anyone));
}

/// Claims of others are read, kept and shown as the gate's own are.
#[test]
fn claims_of_others_are_read_only_values() {
    let partner = Partner {
        id: "p".into(),
        email: None,
        roles: vec!["a".into()],
        scope: vec!["x".into(), "y".into()],
    };
    let claims: PartnerClaims = partner.to_claims();
    assert_eq!(
        serde_json::to_string(&claims).unwrap(),
        r#"{"sub":"p","roles":["a"],"scope":"x y"}"#
    );
    assert_eq!(
        format!("{claims:?}"),
        "PartnerClaims { sub: p, email: [redacted], roles: [redacted], scope: [redacted] }"
    );
}
