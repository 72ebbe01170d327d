//! Services that ask about tokens and revoke them, and the metadata that tell them where.

use axum::Router;
use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use tollgate::settings::{Service, Settings};
use tollgate_tests::{Answer, App, request};

const SECRET: &str = "9Y3wMpb0Zkq1uQ4aX7cD2eF5gH8iJ6kL";

fn service(name: &str) -> Service {
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, SECRET.as_bytes());
    Service::new(name, hash.as_ref().try_into().unwrap())
}

fn settings(change: impl FnOnce(&mut Settings)) -> Settings {
    let mut settings = Settings::default();
    settings.issuer = Some("https://accounts.example.com".into());
    settings.audience = Some("https://api.example.com".into());
    settings.introspection.services = vec![service("reports"), service("orders")];
    change(&mut settings);
    settings
}

async fn app() -> App {
    App::with(settings(|_| ())).await
}

fn basic(name: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{secret}")))
}

async fn form(app: &App, path: &str, authorization: Option<&str>, body: &str) -> Answer {
    let mut request =
        Request::post(path).header("content-type", "application/x-www-form-urlencoded");
    if let Some(authorization) = authorization {
        request = request.header("authorization", authorization);
    }
    app.send(request.body(Body::from(body.to_owned())).unwrap())
        .await
}

async fn ask(app: &App, token: &str) -> Answer {
    form(
        app,
        "/auth/introspect",
        Some(&basic("reports", SECRET)),
        &format!("token={token}&token_type_hint=nonsense"),
    )
    .await
}

/// R96.
#[tokio::test]
async fn r96_a_service_is_told_about_a_token_that_counts() {
    let app = app().await;
    let tokens = app.sign_in("ada@example.com").await;
    let answer = ask(&app, &tokens.access).await;
    assert_eq!(
        (answer.status, &answer.headers["cache-control"]),
        (StatusCode::OK, &"no-store".parse().unwrap())
    );
    assert_eq!(answer.headers["content-type"], "application/json");
    let said = answer.json();
    let now = app.clock.now().as_secs();
    for (name, value) in [
        ("active", json!(true)),
        ("iss", json!("https://accounts.example.com")),
        ("aud", json!("https://api.example.com")),
        ("sub", json!(app.accounts.id_of("ada@example.com"))),
        ("client_id", json!("first-party")),
        ("token_type", json!("Bearer")),
        ("iat", json!(now)),
        ("exp", json!(now + 600)),
        ("sid", json!(tokens.session)),
        ("scope", json!("read write")),
        ("email", json!("ada@example.com")),
    ] {
        assert_eq!(said[name], value, "{name}: {said}");
    }
    let refresh = ask(&app, &tokens.refresh).await.json();
    assert_eq!(
        (&refresh["active"], &refresh["token_type"]),
        (&json!(true), &json!("refresh_token"))
    );
    // Asking changes nothing.
    assert_eq!(ask(&app, &tokens.refresh).await.json(), refresh);
    assert!(app.refresh(&tokens.refresh).await.status.is_success());
}

/// R96: what does not count is not active, without a reason.
#[tokio::test]
async fn r96_what_does_not_count_is_not_active() {
    let app = app().await;
    let (out, old, disowned) = (
        app.sign_in("ada@example.com").await,
        app.sign_in("ada@example.com").await,
        app.sign_in("grace@example.com").await,
    );
    app.post_as("/auth/signout", &out.access, None).await;
    let newer = app.refresh(&old.refresh).await.tokens();
    app.gate
        .revoke(tollgate::session::Revoke::access_of(
            app.accounts.id_of("grace@example.com"),
        ))
        .await
        .unwrap();
    let mut answers = Vec::new();
    for token in [
        &out.access,
        &out.refresh,
        &old.refresh,
        &disowned.access,
        "nonsense",
        "",
        "a.b.c",
        &format!("{}x", old.access),
    ] {
        answers.push((token.to_owned(), ask(&app, token).await));
    }
    assert_eq!(ask(&app, &newer.access).await.json()["active"], true);
    app.wait(700);
    answers.push((newer.access.clone(), ask(&app, &newer.access).await));
    for (token, answer) in answers {
        assert_eq!(
            (answer.status, answer.text.as_str()),
            (StatusCode::OK, r#"{"active":false}"#),
            "{token}"
        );
    }
    // A gate that cannot decide does not say that a token is dead.
    let fresh = app.sign_in("ada@example.com").await;
    app.gate.pause().await.unwrap();
    ask(&app, &fresh.access)
        .await
        .assert_problem(503, "unavailable");
}

/// R96: who may not ask is told nothing, and the body is not read.
#[tokio::test]
async fn r96_only_services_may_ask() {
    let app = app().await;
    let tokens = app.sign_in("ada@example.com").await;
    let body = format!("token={}", tokens.access);
    let mut answers = Vec::new();
    for authorization in [
        None,
        Some(basic("reports", "wrong")),
        Some(basic("reports", "")),
        Some(basic("nobody", SECRET)),
        Some(basic("", "")),
        Some("Basic".into()),
        Some("Basic !".into()),
        Some(format!("Basic {}", STANDARD.encode("reports"))),
        Some(format!("Bearer {}", tokens.access)),
        Some(format!(
            "Basic\t{}",
            STANDARD.encode(format!("reports:{SECRET}"))
        )),
    ] {
        let answer = form(&app, "/auth/introspect", authorization.as_deref(), &body).await;
        answer.assert_problem(401, "invalid_credentials");
        assert_eq!(
            answer.headers["www-authenticate"],
            r#"Basic realm="services""#
        );
        answers.push(answer);
    }
    assert!(answers.windows(2).all(|two| two[0] == two[1]));
    let json = app
        .post(
            "/auth/introspect",
            json!({"token": tokens.access, "client_id": "reports", "client_secret": SECRET}),
        )
        .await;
    json.assert_problem(401, "invalid_credentials");
    let known = basic("reports", SECRET);
    assert_eq!(
        form(
            &app,
            "/auth/introspect",
            Some(&known.replace("Basic", "bAsIc ")),
            &body
        )
        .await
        .json()["active"],
        true
    );
    form(&app, "/auth/introspect", Some(&known), "")
        .await
        .assert_problem(400, "invalid_request");
    form(&app, "/auth/introspect", Some(&known), "token=a&token=b")
        .await
        .assert_problem(400, "invalid_request");
    assert_eq!(
        app.send(request(Method::GET, "/auth/introspect", None, None))
            .await
            .status,
        StatusCode::METHOD_NOT_ALLOWED
    );
}

#[tokio::test]
async fn r115_nothing_is_there_until_it_is_configured() {
    let app = App::new().await;
    let known = basic("reports", SECRET);
    assert_eq!(
        form(&app, "/auth/introspect", Some(&known), "token=x")
            .await
            .status,
        StatusCode::NOT_FOUND
    );
    for settings in [
        settings(|settings| settings.introspection.services.clear()),
        settings(|_| ()),
    ] {
        let app = App::with(settings).await;
        let metadata = app
            .send(request(
                Method::GET,
                "/.well-known/oauth-authorization-server",
                None,
                None,
            ))
            .await;
        assert_eq!(metadata.status, StatusCode::NOT_FOUND);
    }
    let no_services = settings(|settings| {
        settings.introspection.services.clear();
        settings.public_url = Some("https://api.example.com".into());
    });
    let app = App::with(no_services).await;
    let metadata = app
        .send(request(
            Method::GET,
            "/.well-known/oauth-authorization-server",
            None,
            None,
        ))
        .await;
    assert_eq!(metadata.status, StatusCode::NOT_FOUND);
}

/// R115: nested routes, and an issuer with a path (RFC 8414 section 3.1). Every address that is
/// published answers.
#[tokio::test]
async fn r115_the_metadata_say_where_things_are() {
    for (issuer, place) in [
        (
            "https://accounts.example.com",
            "/.well-known/oauth-authorization-server",
        ),
        (
            "https://accounts.example.com/tenants/a",
            "/.well-known/oauth-authorization-server/tenants/a",
        ),
        (
            "https://accounts.example.com/b/",
            "/.well-known/oauth-authorization-server/b",
        ),
    ] {
        for nest in ["", "/v1/accounts"] {
            let settings = settings(|settings| {
                settings.public_url = Some(format!("https://api.example.com{nest}"));
            });
            let app = App::builder()
                .settings(settings)
                .change(move |gate| gate.issuer(issuer));
            let app = app.build().await;
            let routes: Router = app.gate.router();
            let router = if nest.is_empty() {
                routes
            } else {
                Router::new().nest(nest, routes)
            };
            let app = app.serving(router.merge(app.gate.well_known()));
            let answer = app.send(request(Method::GET, place, None, None)).await;
            let said = answer.json();
            assert_eq!(
                said,
                json!({
                    "issuer": issuer,
                    "jwks_uri": "https://api.example.com/.well-known/jwks.json",
                    "introspection_endpoint": format!("https://api.example.com{nest}/auth/introspect"),
                    "introspection_endpoint_auth_methods_supported": ["client_secret_basic"],
                    "revocation_endpoint": format!("https://api.example.com{nest}/auth/revoke"),
                    "revocation_endpoint_auth_methods_supported": ["none", "client_secret_basic"],
                    "response_types_supported": [],
                    "grant_types_supported": [],
                })
            );
            let path = |name: &str| {
                said[name]
                    .as_str()
                    .unwrap()
                    .strip_prefix("https://api.example.com")
                    .unwrap()
                    .to_owned()
            };
            assert!(
                app.send(request(Method::GET, &path("jwks_uri"), None, None))
                    .await
                    .status
                    .is_success()
            );
            let known = basic("orders", SECRET);
            assert_eq!(
                form(
                    &app,
                    &path("introspection_endpoint"),
                    Some(&known),
                    "token=x"
                )
                .await
                .text,
                r#"{"active":false}"#
            );
            assert!(
                form(&app, &path("revocation_endpoint"), Some(&known), "token=x")
                    .await
                    .status
                    .is_success()
            );
        }
    }
}

/// R95: a client that has a secret shows it, and revokes its own tokens alone.
#[tokio::test]
async fn r95_a_confidential_client_says_who_it_is() {
    let revoke = async |app: &App, authorization: Option<&str>, more: &str, token: &str| {
        form(
            app,
            "/auth/revoke",
            authorization,
            &format!("token={token}{more}"),
        )
        .await
    };
    let is_alive =
        async |app: &App, token: &str| app.get("/me", token).await.status == StatusCode::OK;
    // The client of these tokens has no secret: they are revoked as before.
    let open = app().await;
    let tokens = open.sign_in("ada@example.com").await;
    let (known, wrong) = (basic("reports", SECRET), basic("reports", "wrong"));
    revoke(&open, Some(&wrong), "", &tokens.access)
        .await
        .assert_problem(401, "invalid_credentials");
    revoke(&open, None, "&client_id=reports", &tokens.access)
        .await
        .assert_problem(401, "invalid_credentials");
    revoke(&open, Some(&known), "&client_id=orders", &tokens.access)
        .await
        .assert_problem(401, "invalid_credentials");
    // Another client's token: 200, and nothing happens (R95).
    assert_eq!(
        revoke(&open, Some(&known), "", &tokens.access).await.status,
        StatusCode::OK
    );
    assert_eq!(
        revoke(&open, Some(&known), "", &tokens.refresh)
            .await
            .status,
        StatusCode::OK
    );
    assert!(is_alive(&open, &tokens.access).await);
    assert_eq!(
        revoke(&open, None, "", &tokens.access).await.status,
        StatusCode::OK
    );
    assert!(!is_alive(&open, &tokens.access).await);

    // The client of these has one.
    let closed = App::with(settings(|settings| settings.client_id = "reports".into())).await;
    let tokens = closed.sign_in("ada@example.com").await;
    revoke(&closed, None, "", &tokens.access)
        .await
        .assert_problem(401, "invalid_credentials");
    assert_eq!(
        revoke(&closed, Some(&basic("orders", SECRET)), "", &tokens.access)
            .await
            .status,
        StatusCode::OK
    );
    assert!(is_alive(&closed, &tokens.access).await);
    assert_eq!(
        revoke(&closed, Some(&known), "&client_id=reports", &tokens.refresh)
            .await
            .status,
        StatusCode::OK
    );
    assert!(!is_alive(&closed, &tokens.access).await);
    assert_eq!(
        revoke(&closed, Some(&known), "", "garbage").await.status,
        StatusCode::OK
    );
}

#[test]
fn what_is_wrong_with_the_settings_is_told() {
    for (change, words) in [
        (json!("api.example.com"), "`public_url`"),
        (
            json!("https://api.example.com/"),
            "without a slash at its end",
        ),
        (json!("https://api.example.com/?a"), "`public_url`"),
        (json!("https://"), "`public_url`"),
        (json!("https://api.example.com/{id}"), "`public_url`"),
    ] {
        let wrong = settings(|settings| settings.public_url = change.as_str().map(str::to_owned));
        let error = wrong.validate().unwrap_err().to_string();
        assert!(error.contains(words), "{change}: {error}");
    }
    let named = settings(|settings| {
        settings.issuer = Some("accounts".into());
        settings.public_url = Some("https://api.example.com".into());
    });
    assert!(
        named
            .validate()
            .unwrap_err()
            .to_string()
            .contains("RFC 8414")
    );
    let twice = settings(|settings| settings.introspection.services.push(service("reports")));
    assert!(
        twice
            .validate()
            .unwrap_err()
            .to_string()
            .contains("names a service twice")
    );
    let hash = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    let read = |value: &str| {
        let set = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let all = [
            set("TOLLGATE_ISSUER", "i"),
            set("TOLLGATE_AUDIENCE", "a"),
            set("TOLLGATE_INTROSPECTION__SERVICES", value),
        ];
        Settings::from_sources(None, all)
    };
    assert_eq!(
        read(&format!("a:sha256:{hash},b:sha256:{hash}"))
            .unwrap()
            .introspection
            .services
            .len(),
        2
    );
    // The message does not repeat the value: it may be the secret itself.
    let error = read("a:my-secret").unwrap_err().to_string();
    assert!(
        error.contains("must be services") && !error.contains("my-secret"),
        "{error}"
    );
}

/// Metadata are JSON whatever is configured.
#[tokio::test]
async fn the_metadata_lists_no_route_that_is_not_there() {
    let app = App::with(settings(|settings| {
        settings.public_url = Some("https://api.example.com".into());
    }))
    .await;
    let said: Value = app
        .send(request(
            Method::GET,
            "/.well-known/oauth-authorization-server",
            None,
            None,
        ))
        .await
        .json();
    for name in [
        "authorization_endpoint",
        "token_endpoint",
        "registration_endpoint",
        "scopes_supported",
    ] {
        assert!(said.get(name).is_none(), "{name}");
    }
}

/// R116: signing in is no grant of OAuth, even for a request that asks for it as one.
#[tokio::test]
async fn r116_no_grant_of_oauth_takes_a_password() {
    let app = app().await;
    let body = "grant_type=password&username=ada@example.com&password=correct+horse+battery+staple";
    for authorization in [None, Some(basic("reports", SECRET))] {
        let refused = form(&app, "/auth/signin", authorization.as_deref(), body).await;
        refused.assert_problem(415, "unsupported_media_type");
        for path in ["/auth/token", "/token", "/oauth/token"] {
            assert_eq!(
                form(&app, path, authorization.as_deref(), body)
                    .await
                    .status,
                404,
                "{path}"
            );
        }
    }
}
