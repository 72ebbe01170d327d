//! Access tokens at a protected route: what gets through, and what every other thing is told.

use axum::Router;
use axum::routing::get;
use http::header::{AUTHORIZATION, HeaderValue};
use http::{Method, Request, StatusCode};
use serde_json::json;
use tollgate::prelude::*;
use tollgate_tests::{Admins, App, FreshAdmins, User, Writers, request};

#[tokio::test]
async fn r103_no_credentials_are_told_apart_from_bad_ones() {
    let app = App::new().await;
    let nothing = app.send(request(Method::GET, "/me", None, None)).await;
    nothing.assert_problem(401, "missing_token");
    assert_eq!(nothing.headers["www-authenticate"], "Bearer");
    let garbage = app.get("/me", "garbage").await;
    garbage.assert_problem(401, "invalid_token");
    assert_eq!(
        garbage.headers["www-authenticate"],
        "Bearer error=\"invalid_token\""
    );
}

#[tokio::test]
async fn an_expired_token_is_told_so_after_a_good_signature_only() {
    let app = App::new().await;
    let tokens = app.sign_in("ada@example.com").await;
    app.wait(600 + 31);
    app.get("/me", &tokens.access)
        .await
        .assert_problem(401, "token_expired");
    let mut forged = tokens.access.into_bytes();
    let last = forged.len() - 5;
    forged[last] = if forged[last] == b'A' { b'B' } else { b'A' };
    app.get("/me", std::str::from_utf8(&forged).unwrap())
        .await
        .assert_problem(401, "invalid_token");
}

/// R50, R83: kinds of tokens never pass for one another.
#[tokio::test]
async fn a_refresh_token_opens_no_route_and_an_access_token_refreshes_nothing() {
    let app = App::new().await;
    let tokens = app.sign_in("ada@example.com").await;
    app.get("/me", &tokens.refresh)
        .await
        .assert_problem(401, "invalid_token");
    app.refresh(&tokens.access)
        .await
        .assert_problem(401, "invalid_grant");
}

/// R106.
#[tokio::test]
async fn r106_the_header_is_one_scheme_spaces_and_one_token() {
    let app = App::new().await;
    let token = app.sign_in("ada@example.com").await.access;
    let get = async |value: &str| {
        let value = HeaderValue::from_str(value).unwrap();
        app.send(
            Request::get("/me")
                .header(AUTHORIZATION, value)
                .body(axum::body::Body::empty())
                .unwrap(),
        )
        .await
    };
    for good in [
        format!("Bearer {token}"),
        format!("bearer {token}"),
        format!("BEARER {token}"),
        format!("Bearer  {token}"),
        format!("bearer{}{token}", " ".repeat(40)),
    ] {
        assert_eq!(get(&good).await.status, StatusCode::OK, "{good}");
    }
    let bad = [
        "Bearer".into(),
        "Bearer ".into(),
        "Bearer   ".into(),
        format!("Bearer\t{token}"),
        format!("Bearer \t{token}"),
        format!("Bearer\t {token}"),
        format!("Bearer {token} x"),
    ];
    for bad in bad {
        get(&bad).await.assert_problem(401, "invalid_token");
    }
    for foreign in ["Basic YTpi", "Token abc", ""] {
        get(foreign).await.assert_problem(401, "missing_token");
    }
}

/// R104.
#[tokio::test]
async fn two_credentials_in_one_request_are_malformed() {
    let app = App::new().await;
    let token = app.sign_in("ada@example.com").await.access;
    let mut twice = request(Method::GET, "/me", Some(&token), None);
    twice.headers_mut().append(
        AUTHORIZATION,
        HeaderValue::from_str(&format!("Bearer {token}")).unwrap(),
    );
    let refused = app.send(twice).await;
    refused.assert_problem(400, "invalid_request");
    assert_eq!(
        refused.json()["detail"],
        "more than one credential was sent"
    );
    assert_eq!(app.get("/me", "x").await.json().get("detail"), None);
}

#[tokio::test]
async fn a_header_that_is_not_ascii_is_a_bad_token() {
    let app = App::new().await;
    let value = HeaderValue::from_bytes(b"Bearer \xff\xfe").unwrap();
    let request = Request::get("/me")
        .header(AUTHORIZATION, value)
        .body(axum::body::Body::empty())
        .unwrap();
    app.send(request).await.assert_problem(401, "invalid_token");
}

/// R105.
#[tokio::test]
async fn a_token_in_the_query_is_no_credential() {
    let app = App::new().await;
    let token = app.sign_in("ada@example.com").await.access;
    let answer = app
        .send(request(
            Method::GET,
            &format!("/me?access_token={token}"),
            None,
            None,
        ))
        .await;
    answer.assert_problem(401, "missing_token");
}

#[tokio::test]
async fn an_optional_caller_may_be_nobody_but_not_somebody_with_a_bad_token() {
    let app = App::new().await;
    let token = app.sign_in("ada@example.com").await.access;
    assert_eq!(
        app.send(request(Method::GET, "/maybe", None, None))
            .await
            .text,
        "nobody"
    );
    assert_eq!(
        app.get("/maybe", &token).await.text,
        app.accounts.id_of("ada@example.com").to_string()
    );
    app.get("/maybe", "garbage")
        .await
        .assert_problem(401, "invalid_token");
}

/// Bad credentials count as none, and nothing else does.
#[tokio::test]
async fn a_lenient_route_takes_bad_credentials_for_none_and_refuses_all_the_same() {
    let app = App::new().await;
    let name = |Lenient(caller): Lenient<Auth<User>>| {
        std::future::ready(
            caller.map_or_else(|| "nobody".into(), |caller| caller.subject().to_string()),
        )
    };
    let router = Router::new()
        .route("/greet", get(name))
        .route(
            "/admin",
            get(async |Lenient(caller): Lenient<Auth<User, Admins>>| {
                caller.map_or("nobody", |_| "in")
            }),
        )
        .route(
            "/fresh",
            get(async |Lenient(caller): Lenient<Auth<User, FreshAdmins>>| {
                caller.map_or("nobody", |_| "in")
            }),
        )
        .route(
            "/write",
            get(async |Lenient(caller): Lenient<Auth<User, Writers>>| {
                caller.map_or("nobody", |_| "in")
            }),
        );
    let app = app.serving(app.gate.install(router).with_state(app.gate.clone()));
    let (ada, grace) = (
        app.sign_in("ada@example.com").await,
        app.sign_in("grace@example.com").await,
    );
    let gone = app.sign_in("ada@example.com").await;
    app.gate
        .revoke(Revoke::session(gone.session.parse().unwrap()))
        .await
        .unwrap();

    for path in ["/greet", "/admin", "/fresh", "/write"] {
        let nothing = app.send(request(Method::GET, path, None, None)).await;
        assert_eq!(
            (nothing.status, nothing.text.as_str()),
            (StatusCode::OK, "nobody"),
            "{path}"
        );
        for bad in ["garbage", "", &ada.refresh, &gone.access] {
            assert_eq!(app.get(path, bad).await.text, "nobody", "{path} {bad}");
        }
    }
    assert_eq!(
        app.get("/greet", &ada.access).await.text,
        app.accounts.id_of("ada@example.com").to_string()
    );
    assert_eq!(app.get("/admin", &ada.access).await.text, "in");
    app.get("/admin", &grace.access)
        .await
        .assert_problem(403, "forbidden");
    app.get("/write", &grace.access)
        .await
        .assert_problem(403, "insufficient_scope");
    let mut twice = request(Method::GET, "/greet", Some(&ada.access), None);
    twice
        .headers_mut()
        .append(AUTHORIZATION, HeaderValue::from_static("Bearer garbage"));
    app.send(twice).await.assert_problem(400, "invalid_request");
    app.wait(301);
    // The credentials are good; what the policy asks for is a fresh proof (RFC 9470).
    app.get("/fresh", &ada.access)
        .await
        .assert_problem(401, "insufficient_user_authentication");
    app.gate.pause().await.unwrap();
    app.get("/greet", &ada.access)
        .await
        .assert_problem(503, "unavailable");
    app.gate.resume().await.unwrap();
    app.wait(331);
    assert_eq!(
        app.get("/greet", &ada.access).await.text,
        "nobody",
        "expired"
    );
}

#[tokio::test]
async fn the_current_user_is_loaded_and_must_still_be_there() {
    let app = App::new().await;
    let token = app.sign_in("ada@example.com").await.access;
    assert_eq!(app.get("/current", &token).await.text, "ada@example.com");
    app.accounts
        .is_down
        .store(true, std::sync::atomic::Ordering::SeqCst);
    app.get("/current", &token)
        .await
        .assert_problem(503, "unavailable");
    assert_eq!(app.get("/me", &token).await.status, StatusCode::OK);
    app.accounts
        .is_down
        .store(false, std::sync::atomic::Ordering::SeqCst);
    app.accounts.remove("ada@example.com");
    app.get("/current", &token)
        .await
        .assert_problem(401, "invalid_token");
}

#[tokio::test]
async fn a_token_without_a_session_counts_until_it_is_revoked() {
    let app = App::new().await;
    let ada = app.accounts.id_of("ada@example.com");
    let user = app.accounts.user("ada@example.com");
    let token = app
        .gate
        .issue(&user, std::time::Duration::from_secs(60))
        .await
        .unwrap();
    let verified = app.gate.verify(&token).await.unwrap();
    assert_eq!(
        (
            verified.token().sid(),
            verified.token().generation(),
            verified.token().auth_time()
        ),
        (None, None, None)
    );
    assert_eq!(app.get("/me", &token).await.status, StatusCode::OK);
    app.gate.revoke(Revoke::access_of(ada)).await.unwrap();
    app.get("/me", &token)
        .await
        .assert_problem(401, "invalid_token");
    let again = app
        .gate
        .issue(&user, std::time::Duration::from_secs(60))
        .await
        .unwrap();
    assert_eq!(app.get("/me", &again).await.status, StatusCode::OK);
    let error = app
        .gate
        .issue(&user, std::time::Duration::from_secs(601))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("access.max_ttl"), "{error}");
}

/// R38, R35.
#[tokio::test]
async fn the_key_set_is_public_and_holds_nothing_private() {
    let app = App::new().await;
    let answer = app
        .send(request(Method::GET, "/.well-known/jwks.json", None, None))
        .await;
    assert_eq!(answer.status, StatusCode::OK);
    let keys = answer.json()["keys"].clone();
    assert!(!keys.as_array().unwrap().is_empty());
    for key in keys.as_array().unwrap() {
        assert_eq!(
            (&key["kty"], &key["crv"], &key["alg"], &key["use"]),
            (
                &json!("OKP"),
                &json!("Ed25519"),
                &json!("EdDSA"),
                &json!("sig")
            )
        );
        for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
            assert!(key.get(private).is_none(), "{private}");
        }
    }
}

/// R129: a refusal of bad credentials is an event; a request without credentials is not.
#[tokio::test]
async fn r129_refused_credentials_are_an_event() {
    use tollgate::event::EventKind;

    let app = App::new().await;
    for token in [None, Some("garbage")] {
        app.send(request(Method::GET, "/me", token, None)).await;
    }
    assert_eq!(
        app.heard_kinds(),
        [EventKind::AccessRefused(Code::InvalidToken)]
    );
}
