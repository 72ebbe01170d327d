//! The path of every route is an option of the backend: the routes, the document, the key set and
//! the cookies follow it, and two things at one path are refused.

use axum::Router;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use tollgate::error::Error;
use tollgate::gate::{AuthBackend, GateBuilder};
use tollgate::prelude::*;
use tollgate::settings::{Service, Settings};
use tollgate::store::Store;
use tollgate_tests::{Accounts, Answer, App, AppBuilder, PASSWORD, User, request};
use tower::ServiceExt as _;

use crate::realms::{Shop, ring, shop};

/// Accounts whose routes all have a path of their own.
#[auth_backend(
    email,
    user = User,
    prefix = "/api/v2",
    signin(path = "/token"),
    step(path = "/token/second"),
    refresh(path = "/token/refresh"),
    reauthenticate(path = "/token/again", summary = "Asks for the password again"),
    verify(path = "/token/verify"),
    signout(path = "/logout", summary = "Signs out", description = "Of this device."),
    signout_all(path = "/logout/everywhere"),
    revoke(path = "/token/blacklist"),
    sessions(path = "/devices"),
    end_session(path = "/devices/{id}/session", description = "Of a device."),
    exchange(path = "/token/former"),
    introspect(path = "/token/introspect"),
    jwks(path = "/keys.json")
)]
#[derive(Clone)]
struct Renamed(Accounts);

/// Accounts with a path for sign-in and sessions, which the step and the end of a session follow.
#[auth_backend(email, user = User, signin(path = "/in"), sessions(path = "/devices"))]
#[derive(Clone)]
struct Followed(Accounts);

/// Accounts whose key set is where the document is by default.
#[auth_backend(email, user = User, jwks(path = "/openapi.json"))]
#[derive(Clone)]
struct Meeting(Accounts);

/// Accounts whose devices are where Swagger UI is told to be.
#[auth_backend(email, user = User, end_session(path = "/{id}/end"))]
#[derive(Clone)]
struct Patterned(Accounts);

/// Accounts whose sign-in is where the shop's step is.
#[auth_backend(email, user = User, prefix = "/auth/signin", signin(path = "/step"))]
#[derive(Clone)]
struct Beside(Accounts);

/// Accounts with the prefix of the shop, which have one path in common with it.
#[auth_backend(
    email,
    user = User,
    prefix = "/auth",
    signin(path = "/a"),
    refresh(path = "/b"),
    signout(path = "/c"),
    disable(reauthenticate, signout_all, revoke, sessions)
)]
#[derive(Clone)]
struct Other(Accounts);

/// Accounts with a path for the key set.
#[auth_backend(email, user = User, prefix = "/one", jwks(path = "/keys.json"))]
#[derive(Clone)]
struct Keys(Accounts);

/// Others with the same.
#[auth_backend(email, user = User, prefix = "/two", jwks(path = "/keys.json"))]
#[derive(Clone)]
struct OtherKeys(Accounts);

/// Others whose key set would be where the default realm has it.
#[auth_backend(
    email,
    user = User,
    prefix = "/three",
    jwks(path = "/.well-known/jwks.json")
)]
#[derive(Clone)]
struct UsualKeys(Accounts);

/// Others with another method at a path of the first ones.
#[auth_backend(
    email,
    user = User,
    prefix = "/auth/verify",
    sessions(path = "/mine"),
    verify(path = "/all")
)]
#[derive(Clone)]
struct Mine(Accounts);

/// Others who verify where those have their sessions.
#[auth_backend(
    email,
    user = User,
    prefix = "/auth",
    verify(path = "/verify/mine"),
    signin(path = "/other/signin")
)]
#[derive(Clone)]
struct Verifying(Accounts);

macro_rules! same_accounts {
    ($($backend:ident),+) => {$(
        impl Authenticate for $backend {
            async fn authenticate(&self, login: EmailLogin, _: &Client) -> Result<User, AuthError> {
                let user = self.0.users.lock().unwrap().values().find(|u| u.email == login.email).cloned();
                user.filter(|_| login.password.expose() == PASSWORD).ok_or(AuthError::Invalid)
            }
        }

        impl Refresh for $backend {
            async fn refresh(&self, id: &uuid::Uuid, _: &Client) -> Result<User, AuthError> {
                self.0.users.lock().unwrap().get(id).cloned().ok_or(AuthError::Gone)
            }
        }
    )+};
}

same_accounts!(
    Renamed, Followed, Meeting, Patterned, Beside, Other, Keys, OtherKeys, UsualKeys, Mine,
    Verifying
);

fn of<B: AuthBackend<User = User> + Clone>(backend: fn(Accounts) -> B) -> AppBuilder<B> {
    AppBuilder::of(backend(Accounts::seeded()), |gate| {
        gate.install(Router::new().route("/me", axum::routing::get(|_: Auth<User>| async {})))
            .with_state(gate.clone())
    })
}

async fn gate<B: AuthBackend<User = User>>(backend: fn(Accounts) -> B) -> Gate<B> {
    let accounts = backend(Accounts::seeded());
    let (builder, _) = tollgate::testing::ready(GateBuilder::new(accounts)).unwrap();
    builder.build().await.unwrap()
}

fn services() -> Settings {
    let mut settings = Settings::default();
    settings.issuer = Some("https://accounts.example.com".into());
    settings.public_url = Some("https://api.example.com/base".into());
    settings.introspection.services = vec![Service::new("reports", [7; 32])];
    settings
}

async fn renamed() -> App<Renamed> {
    of(Renamed).settings(services()).build().await
}

fn login() -> Value {
    json!({ "email": "ada@example.com", "password": PASSWORD })
}

#[tokio::test]
async fn every_route_is_at_the_path_that_its_option_says() {
    let app = renamed().await;
    let tokens = app.post("/api/v2/token", login()).await.tokens();
    let refresh = json!({ "refresh_token": tokens.refresh });
    let tokens = app.post("/api/v2/token/refresh", refresh).await.tokens();
    let access = &tokens.access;
    let described = app.post("/api/v2/token/verify", json!({ "token": access }));
    assert_eq!(described.await.json()["kind"], "access");
    let again = app.post_as("/api/v2/token/again", access, Some(login()));
    assert_eq!(again.await.status, StatusCode::OK);
    let devices = app.get("/api/v2/devices", access).await.json();
    assert_eq!(devices[0]["session_id"], json!(tokens.session));
    let other = app.post("/api/v2/token", login()).await.tokens();
    let path = format!("/api/v2/devices/{}/session", other.session);
    let ended = app.send(request(Method::DELETE, &path, Some(access), None));
    assert_eq!(ended.await.status, StatusCode::NO_CONTENT);
    assert_eq!(
        app.get("/me", &other.access).await.status,
        StatusCode::UNAUTHORIZED
    );
    let step = app.post(
        "/api/v2/token/second",
        json!({ "step_token": "x", "code": "1" }),
    );
    assert_eq!(step.await.json()["code"], "invalid_credentials");
    let asked = app.post("/api/v2/token/introspect", json!({ "token": access }));
    assert_eq!(asked.await.status, StatusCode::UNAUTHORIZED);
    let blacklisted = app
        .post("/api/v2/token/blacklist", json!({ "token": access }))
        .await;
    assert_eq!(blacklisted.status, StatusCode::OK);
    for path in ["/api/v2/logout", "/api/v2/logout/everywhere"] {
        let tokens = app.post("/api/v2/token", login()).await.tokens();
        let out = app.post_as(path, &tokens.access, None).await;
        assert_eq!(out.status, StatusCode::NO_CONTENT, "{path}");
        assert_eq!(
            app.get("/me", &tokens.access).await.status,
            StatusCode::UNAUTHORIZED
        );
    }
    let keys = app.get("/keys.json", "").await.json();
    assert!(!keys["keys"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn nothing_is_left_at_the_usual_paths() {
    let app = renamed().await;
    for prefix in ["/auth", "/api/v2"] {
        for path in [
            "/signin",
            "/signin/step",
            "/token/step",
            "/refresh-access",
            "/reauthenticate",
            "/verify",
            "/signout",
            "/signout-all",
            "/revoke",
            "/sessions",
            "/exchange",
            "/introspect",
        ] {
            let answer = app.post(&format!("{prefix}{path}"), json!({})).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{prefix}{path}");
        }
    }
    let keys = app.get("/.well-known/jwks.json", "").await;
    assert_eq!(keys.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_document_has_the_paths_and_the_words() {
    let app = renamed().await;
    let document = app.get("/openapi.json", "").await.json();
    let mut paths: Vec<&str> = document["paths"]
        .as_object()
        .unwrap()
        .keys()
        .map(|k| &**k)
        .collect();
    paths.retain(|path| *path != "/me");
    paths.sort_unstable();
    assert_eq!(
        paths,
        [
            "/api/v2/devices",
            "/api/v2/devices/{id}/session",
            "/api/v2/logout",
            "/api/v2/logout/everywhere",
            "/api/v2/token",
            "/api/v2/token/again",
            "/api/v2/token/blacklist",
            "/api/v2/token/introspect",
            "/api/v2/token/refresh",
            "/api/v2/token/second",
            "/api/v2/token/verify",
            "/keys.json",
        ]
    );
    let operation = |method: &str, path: &str| &document["paths"][path][method];
    let signout = operation("post", "/api/v2/logout");
    assert_eq!(
        (
            &signout["operationId"],
            &signout["summary"],
            &signout["description"]
        ),
        (
            &json!("signout"),
            &json!("Signs out"),
            &json!("Of this device.")
        )
    );
    let end = operation("delete", "/api/v2/devices/{id}/session");
    assert_eq!(
        (&end["description"], &end["parameters"][0]["name"]),
        (&json!("Of a device."), &json!("id"))
    );
    let again = operation("post", "/api/v2/token/again");
    assert_eq!(again["summary"], "Asks for the password again");
    // What the backend does not say stays.
    assert_eq!(operation("post", "/api/v2/token")["summary"], "Signs in");
}

#[tokio::test]
async fn the_metadata_name_the_paths_of_the_backend() {
    let app = renamed().await;
    let metadata = app
        .get("/.well-known/oauth-authorization-server", "")
        .await
        .json();
    for (name, path) in [
        ("jwks_uri", "/keys.json"),
        ("revocation_endpoint", "/base/api/v2/token/blacklist"),
        ("introspection_endpoint", "/base/api/v2/token/introspect"),
    ] {
        assert_eq!(
            metadata[name],
            format!("https://api.example.com{path}"),
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_step_and_the_end_of_a_session_follow_the_route_that_they_belong_to() {
    let app = of(Followed).build().await;
    let tokens = app.post("/auth/in", login()).await.tokens();
    let step = app
        .post("/auth/in/step", json!({ "step_token": "x", "code": "1" }))
        .await;
    assert_eq!(step.json()["code"], "invalid_credentials");
    let path = format!("/auth/devices/{}", tokens.session);
    let ended = app
        .send(request(Method::DELETE, &path, Some(&tokens.access), None))
        .await;
    assert_eq!(ended.status, StatusCode::NO_CONTENT);
}

/// The next page is at the path of the list, and cookies are sent to the renamed routes.
#[tokio::test]
async fn renamed_routes_work_with_cookies() {
    let mut settings = Settings::default();
    settings.cookies.path = Some("/api/v2".to_owned());
    let app = of(Renamed).settings(settings).build().await;
    let signed_in = app.post("/api/v2/token", login()).await;
    assert!(signed_in.json().get("access_token").is_none());
    let cookies: Vec<String> = signed_in
        .headers
        .get_all("set-cookie")
        .iter()
        .filter_map(|line| Some(line.to_str().ok()?.split(';').next()?.to_owned()))
        .collect();
    let send = |method: Method, path: &str| {
        let mut asked = request(method, path, None, None);
        let headers = asked.headers_mut();
        headers.insert("cookie", cookies.join("; ").parse().unwrap());
        headers.insert("sec-fetch-site", "same-origin".parse().unwrap());
        app.send(asked)
    };
    assert_eq!(
        send(Method::POST, "/api/v2/token/refresh").await.status,
        StatusCode::OK
    );
    assert_eq!(
        send(Method::GET, "/api/v2/devices").await.status,
        StatusCode::OK
    );
    let out = send(Method::POST, "/api/v2/logout").await;
    assert_eq!(out.status, StatusCode::NO_CONTENT);
    assert!(out.headers.get_all("set-cookie").iter().count() > 1);
}

#[tokio::test]
async fn a_setting_at_the_path_of_a_route_keeps_the_gate_from_starting() {
    let error = of(Meeting).try_build().await.err().unwrap().to_string();
    for word in [
        "`openapi.path`",
        "`jwks`",
        "`/openapi.json`",
        "jwks(path = \"…\")",
    ] {
        assert!(error.contains(word), "{word}: {error}");
    }
    let mut settings = Settings::default();
    settings.openapi.path = "/auth/verify".to_owned();
    let error = App::builder()
        .settings(settings)
        .try_build()
        .await
        .err()
        .unwrap();
    assert!(error.to_string().contains("`verify`"), "{error}");
    let mut settings = Settings::default();
    settings.openapi.swagger_ui = "/auth/docs/end".to_owned();
    let error = of(Patterned)
        .settings(settings.clone())
        .try_build()
        .await
        .err()
        .unwrap();
    assert!(error.to_string().contains("`end_session`"), "{error}");
    settings.openapi.swagger_ui = "/auth/docs/all/end".to_owned();
    of(Patterned).settings(settings).build().await;
}

#[tokio::test]
async fn two_gates_with_one_path_do_not_come_into_one_application() {
    let store = Store::from(MemoryStore::new());
    let shop: Gate<Shop> = shop(&store, &ring()).build().await.unwrap();
    let refused = |error: Error, words: &[&str]| {
        let error = error.to_string();
        for word in words {
            assert!(error.contains(word), "{word}: {error}");
        }
    };
    let other = gate(Other).await;
    let error = tollgate::try_install(Router::<()>::new(), (&shop, &other)).unwrap_err();
    refused(
        error,
        &["`/auth/verify`", "a `prefix` of its own", "`/auth`"],
    );
    let beside = gate(Beside).await;
    let error = tollgate::try_install(Router::<()>::new(), (&shop, &beside)).unwrap_err();
    refused(
        error,
        &[
            "`/auth/signin/step`",
            "another path in one",
            "`/auth` and `/auth/signin`",
        ],
    );
    let (keys, others) = (gate(Keys).await, gate(OtherKeys).await);
    let error = tollgate::try_install(Router::<()>::new(), (&keys, &others)).unwrap_err();
    refused(
        error,
        &["`/keys.json`", "another path in one", "`/one` and `/two`"],
    );
    let usual = gate(UsualKeys).await;
    for gates in [true, false] {
        let error = match gates {
            true => tollgate::try_install(Router::<()>::new(), (&shop, &usual)).unwrap_err(),
            false => tollgate::try_install(Router::<()>::new(), (&usual, &shop)).unwrap_err(),
        };
        refused(error, &["`/.well-known/jwks.json`", "another path in one"]);
    }
    let (mine, verifying) = (gate(Mine).await, gate(Verifying).await);
    let error = tollgate::try_install(Router::<()>::new(), (&mine, &verifying)).unwrap_err();
    refused(error, &["`/auth/verify/mine`", "another path in one"]);
    // A key set of its own path is served there, beside another gate's at the usual one.
    let app: Router = tollgate::try_install(Router::new(), (&shop, &keys)).unwrap();
    for path in ["/keys.json", "/.well-known/jwks.json"] {
        let asked = request(Method::GET, path, None, None);
        let answer = Answer::of(app.clone().oneshot(asked).await.unwrap()).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
    }
}
