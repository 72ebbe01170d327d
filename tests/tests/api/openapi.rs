//! The OpenAPI document: what it says is what the routes do, and who may call a route comes from
//! the type that guards it.

use std::collections::BTreeSet;

use axum::Router;
use axum::extract::Path;
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use tollgate::prelude::*;
use tollgate::routing::{any, get, post};
use tollgate::settings::{Service, Settings};
use tollgate_tests::{Accounts, Admins, App, FreshAdmins, User, Writers, request};

async fn served(app: &App) -> Value {
    let response = app
        .send(request(Method::GET, "/openapi.json", None, None))
        .await;
    assert_eq!(
        (
            response.status,
            response.headers["content-type"].to_str().unwrap()
        ),
        (StatusCode::OK, "application/json")
    );
    serde_json::from_str(&response.text).unwrap()
}

/// Every operation as `(METHOD, path)`.
fn operations(document: &Value) -> BTreeSet<(String, String)> {
    let paths = document["paths"].as_object().unwrap();
    let of = |(path, item): (&String, &Value)| {
        let methods: Vec<_> = item
            .as_object()
            .unwrap()
            .keys()
            .map(|method| (method.to_uppercase(), path.clone()))
            .collect();
        methods
    };
    paths.iter().flat_map(of).collect()
}

#[tokio::test]
async fn the_document_has_the_routes_that_there_are() {
    let app = App::new().await;
    let document = served(&app).await;
    let found = operations(&document);
    let expected = [
        ("POST", "/auth/signin"),
        ("POST", "/auth/signin/step"),
        ("POST", "/auth/refresh-access"),
        ("POST", "/auth/reauthenticate"),
        ("POST", "/auth/verify"),
        ("POST", "/auth/signout"),
        ("POST", "/auth/signout-all"),
        ("POST", "/auth/revoke"),
        ("GET", "/auth/sessions"),
        ("DELETE", "/auth/sessions/{id}"),
        ("GET", "/.well-known/jwks.json"),
    ];
    assert_eq!(
        found,
        expected
            .iter()
            .map(|&(method, path)| (method.to_owned(), path.to_owned()))
            .collect()
    );
    let user = app.sign_in("ada@example.com").await;
    for (method, path) in &found {
        let path = path.replace("{id}", "AAAAAAAAAAAAAAAAAAAAAA");
        let answer = app
            .send(request(
                method.parse().unwrap(),
                &path,
                Some(&user.access),
                None,
            ))
            .await;
        assert_ne!(
            answer.status,
            StatusCode::METHOD_NOT_ALLOWED,
            "{method} {path}"
        );
        // The one route that takes ids says in its own words that an id is not a token.
        assert!(
            answer.status != StatusCode::NOT_FOUND || answer.text.contains("not_found"),
            "{method} {path}"
        );
    }
}

/// Each path of the gate answers every method that it does not have with the ones that it has.
#[tokio::test]
async fn another_method_is_refused_as_a_problem_that_names_the_right_ones() {
    let app = App::new().await;
    let mut found = operations(&served(&app).await);
    found.insert(("GET".to_owned(), "/openapi.json".to_owned()));
    let paths: BTreeSet<&String> = found.iter().map(|(_, path)| path).collect();
    for path in paths {
        let known = |method: &str| found.contains(&(method.to_owned(), path.clone()));
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"] {
            if known(method) {
                continue;
            }
            let sent = path.replace("{id}", "AAAAAAAAAAAAAAAAAAAAAA");
            let answer = app.send(request(method.parse().unwrap(), &sent, None, None));
            let answer = answer.await;
            answer.assert_problem(405, "method_not_allowed");
            let allowed = answer.headers["allow"].to_str().unwrap().split(',');
            let allowed: BTreeSet<&str> = allowed.map(str::trim).collect();
            assert!(!allowed.is_empty() && !allowed.contains(method), "{path}");
            for method in allowed {
                assert!(
                    known(method) || (method == "HEAD" && known("GET")),
                    "{path}"
                );
            }
        }
    }
}

/// A page of the application may share a path with the gate.
#[tokio::test]
async fn an_application_may_answer_another_method_of_a_path_of_the_gate() {
    let app = App::new().await;
    let page = Router::new().route("/auth/signin", axum::routing::get(async || "a form"));
    let shared = app.serving(app.gate.install(page));
    let send = async |method: Method| {
        shared
            .send(request(method, "/auth/signin", None, None))
            .await
    };
    assert_eq!(send(Method::GET).await.text, "a form");
    send(Method::POST)
        .await
        .assert_problem(415, "unsupported_media_type");
    let refused = send(Method::PUT).await;
    refused.assert_problem(405, "method_not_allowed");
    let allowed = refused.headers["allow"].to_str().unwrap();
    assert!(
        allowed.contains("GET") && allowed.contains("POST"),
        "{allowed}"
    );
}

/// Checks a value against a schema of the document, as far as our schemas go; members that no
/// schema names are wrong.
pub(crate) fn assert_fits(document: &Value, schema: &Value, value: &Value, at: &str) {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = document
            .pointer(reference.trim_start_matches('#'))
            .unwrap_or_else(|| panic!("{reference} is nowhere"));
        return assert_fits(document, target, value, at);
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let allowed = &schema["type"];
    assert!(
        allowed.is_null()
            || *allowed == json!(kind)
            || allowed
                .as_array()
                .is_some_and(|all| all.contains(&json!(kind))),
        "{at}: {value} is no {allowed}"
    );
    if let Some(values) = schema["enum"].as_array() {
        assert!(values.contains(value), "{at}: {value}");
    }
    for item in value.as_array().into_iter().flatten() {
        assert_fits(document, &schema["items"], item, &format!("{at}[]"));
    }
    let Some(object) = value.as_object() else {
        return;
    };
    for name in schema["required"].as_array().into_iter().flatten() {
        assert!(
            object.contains_key(name.as_str().unwrap()),
            "{at}: {name} is missing"
        );
    }
    if schema.get("properties").is_some() {
        for (name, value) in object {
            let schema = schema["properties"]
                .get(name)
                .unwrap_or_else(|| panic!("{at}: nobody documented {name}"));
            assert_fits(document, schema, value, &format!("{at}.{name}"));
        }
    }
}

#[tokio::test]
async fn answers_and_refusals_are_as_documented() {
    let app = App::new().await;
    let document = served(&app).await;
    let user = app.sign_in("ada@example.com").await;
    let credentials =
        json!({"email": "ada@example.com", "password": "correct horse battery staple"});
    let token = Some(user.access.as_str());
    let mut seen = 0;
    for (method, path, token, body) in [
        (
            Method::POST,
            "/auth/signin",
            None,
            Some(credentials.clone()),
        ),
        (
            Method::POST,
            "/auth/signin",
            None,
            Some(json!({"email": "ada@example.com", "password": "wrong"})),
        ),
        (
            Method::POST,
            "/auth/signin",
            None,
            Some(json!({"email": "ada@example.com"})),
        ),
        (
            Method::POST,
            "/auth/refresh-access",
            None,
            Some(json!({"refresh_token": "garbage"})),
        ),
        (
            Method::POST,
            "/auth/refresh-access",
            None,
            Some(json!({"refresh_token": user.refresh})),
        ),
        (
            Method::POST,
            "/auth/reauthenticate",
            token,
            Some(credentials),
        ),
        (
            Method::POST,
            "/auth/verify",
            None,
            Some(json!({"token": user.access})),
        ),
        (
            Method::POST,
            "/auth/verify",
            None,
            Some(json!({"token": "garbage"})),
        ),
        (Method::GET, "/auth/sessions", token, None),
        (Method::GET, "/auth/sessions", None, None),
        (Method::DELETE, "/auth/sessions/nothing", token, None),
        (Method::GET, "/.well-known/jwks.json", None, None),
        (
            Method::POST,
            "/auth/revoke",
            None,
            Some(json!({"token": "garbage"})),
        ),
        (Method::POST, "/auth/signout-all", token, None),
        (
            Method::POST,
            "/auth/signout",
            None,
            Some(json!({"refresh_token": "garbage"})),
        ),
    ] {
        let answer = app.send(request(method.clone(), path, token, body)).await;
        let documented = if path.ends_with("/nothing") {
            "/auth/sessions/{id}"
        } else {
            path
        };
        let operation = &document["paths"][documented][method.as_str().to_lowercase()];
        let mut response = &operation["responses"][answer.status.as_str()];
        if let Some(reference) = response["$ref"].as_str() {
            response = document.pointer(reference.trim_start_matches('#')).unwrap();
        }
        assert!(
            response.is_object(),
            "{method} {path} answers {} and nobody documented it",
            answer.status
        );
        let Some(content) = response["content"].as_object() else {
            assert_eq!(answer.text, "", "{method} {path}");
            continue;
        };
        let media = answer.headers["content-type"].to_str().unwrap();
        let schema = &content
            .get(media)
            .unwrap_or_else(|| panic!("{method} {path}: {media}"))["schema"];
        assert_fits(
            &document,
            schema,
            &serde_json::from_str(&answer.text).unwrap(),
            path,
        );
        seen += 1;
    }
    assert_eq!(seen, 13, "answers with a body");
}

async fn anybody(_: Public) {}

#[tokio::test]
async fn who_may_call_a_route_comes_from_the_type() {
    let mut settings = Settings::default();
    settings.openapi.policies = true;
    let app = App::with(settings).await;
    let protected = ProtectedRouter::<Gate<Accounts>>::new()
        .route("/open", get(anybody))
        .route(
            "/me",
            get(async |_: Auth<User>| ()).delete(async |_: Auth<User, FreshAdmins>| ()),
        )
        .route("/maybe", get(async |_: Option<Auth<User>>| ()))
        .route(
            "/write/{name}",
            post(async |_: Auth<User, Writers>, _: Path<String>| ()),
        )
        .route(
            "/both",
            get(async |_: Auth<User, (Admins, Writers, FreshAdmins)>| ()),
        )
        .route("/files/{*path}", get(async |_: Auth<User, Admins>| ()))
        .route("/any", any(async |_: Auth<User>| ()));
    let app = app.serving(app.gate.install(protected).with_state(app.gate.clone()));
    let document = served(&app).await;
    let security = |method: &str, path: &str| document["paths"][path][method]["security"].clone();
    assert_eq!(security("get", "/open"), json!([]));
    assert_eq!(security("get", "/me"), json!([{"access_token": []}]));
    assert_eq!(
        security("delete", "/me"),
        json!([{"access_token": ["admin"]}])
    );
    assert_eq!(security("get", "/maybe"), json!([{}, {"access_token": []}]));
    assert_eq!(
        security("post", "/write/{name}"),
        json!([{"access_token": ["write"]}])
    );
    assert_eq!(
        security("get", "/both"),
        json!([{"access_token": ["admin", "write"]}])
    );
    assert_eq!(
        security("get", "/files/{path}"),
        json!([{"access_token": ["admin"]}])
    );
    assert_eq!(
        document["paths"]["/write/{name}"]["post"]["parameters"][0]["name"],
        "name"
    );
    assert_eq!(
        document["components"]["securitySchemes"]["access_token"]["scheme"],
        "bearer"
    );
    // Those of the gate are there, too.
    assert_eq!(security("post", "/auth/signin"), json!([]));
    assert_eq!(
        security("get", "/auth/sessions"),
        json!([{"access_token": []}])
    );
}

#[tokio::test]
async fn cookies_and_services_are_in_it_where_they_are_configured() {
    let mut settings = Settings::default();
    settings.issuer = Some("https://accounts.example.com".into());
    settings.audience = Some("https://api.example.com".into());
    settings.cookies.path = Some("/auth".into());
    settings.openapi.policies = true;
    settings.introspection.services = vec![Service::new("reports", [7; 32])];
    let app = App::with(settings).await;
    let protected = ProtectedRouter::<Gate<Accounts>>::new()
        .route("/me", get(async |_: Auth<User, Admins>| ()));
    let document =
        served(&app.serving(app.gate.install(protected).with_state(app.gate.clone()))).await;
    let operation = |method: &str, path: &str| document["paths"][path][method].clone();
    assert_eq!(
        operation("get", "/me")["security"],
        json!([{"access_token": ["admin"]}, {"access_cookie": ["admin"]}])
    );
    assert_eq!(
        document["components"]["securitySchemes"]["access_cookie"]["in"],
        "cookie"
    );
    assert_eq!(
        operation("post", "/auth/introspect")["security"],
        json!([{"service": []}])
    );
    let refused = app
        .post("/auth/introspect", json!({"token": "garbage"}))
        .await;
    assert!(
        operation("post", "/auth/introspect")["responses"][refused.status.as_str()].is_object()
    );
}

#[tokio::test]
async fn what_the_user_wrote_of_a_route_stays_and_its_security_does_not() {
    let written = json!({
        "openapi": "3.2.0",
        "info": {"title": "mine", "version": "1"},
        "paths": {"/any": {"put": {"summary": "mine", "security": [], "responses": {}}}},
    });
    let own: utoipa::openapi::OpenApi = serde_json::from_value(written).unwrap();
    let app = App::new().await;
    let mut document = own.merge_from(app.gate.openapi());
    ProtectedRouter::<Gate<Accounts>>::new()
        .route("/any", any(async |_: Auth<User, Admins>| ()))
        .describe_with_policies(&mut document);
    let document = serde_json::to_value(document).unwrap();
    let operation = &document["paths"]["/any"]["put"];
    assert_eq!(
        (&operation["summary"], &operation["security"]),
        (&json!("mine"), &json!([{"access_token": ["admin"]}]))
    );
    assert_eq!(document["info"]["title"], "mine");
    assert!(document["paths"]["/auth/signin"].is_object());
}

#[auth_backend(username, user = User, prefix = "/in", openapi = false)]
#[derive(Clone)]
struct Quiet;

impl Authenticate for Quiet {
    async fn authenticate(
        &self,
        _login: UsernameLogin,
        _client: &Client,
    ) -> Result<User, AuthError> {
        Err(AuthError::Invalid)
    }
}

impl Refresh for Quiet {
    async fn refresh(&self, _subject: &uuid::Uuid, _client: &Client) -> Result<User, AuthError> {
        Err(AuthError::Gone)
    }
}

#[tokio::test]
async fn a_backend_may_stay_out_of_it() {
    let (gate, _clock) = tollgate::testing::ready(Quiet.gate()).unwrap();
    let gate = gate.build().await.unwrap();
    assert!(gate.openapi().paths.paths.is_empty());
    let app: Router = gate.install(Router::new());
    let request = Request::get("/openapi.json")
        .body(axum::body::Body::empty())
        .unwrap();
    let answer = tower::ServiceExt::oneshot(app, request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
}

/// With cookies on, bodies need not have tokens, and a cookie is another way to authenticate.
#[tokio::test]
async fn cookies_are_in_the_document_where_they_are_on() {
    let plain = serde_json::to_value(App::new().await.gate.openapi()).unwrap();
    assert!(
        plain["components"]["securitySchemes"]
            .get("access_cookie")
            .is_none()
    );
    let mut settings = Settings::default();
    settings.cookies.path = Some("/auth".to_owned());
    let app = App::with(settings).await;
    let document = serde_json::to_value(app.gate.openapi()).unwrap();
    let scheme = &document["components"]["securitySchemes"]["access_cookie"];
    assert_eq!(
        (&scheme["type"], &scheme["in"], &scheme["name"]),
        (
            &json!("apiKey"),
            &json!("cookie"),
            &json!("__Host-tollgate-access")
        )
    );
    let sessions = &document["paths"]["/auth/sessions"]["get"];
    assert_eq!(
        sessions["security"],
        json!([{ "access_token": [] }, { "access_cookie": [] }])
    );
    assert!(sessions["responses"].get("403").is_some());
    let login = json!({ "email": "ada@example.com", "password": tollgate_tests::PASSWORD });
    let schema = json!({ "$ref": "#/components/schemas/AuthTokens" });
    assert_fits(
        &document,
        &schema,
        &app.post("/auth/signin", login.clone()).await.json(),
        "by cookie",
    );
    let mut by_body = login;
    by_body["transport"] = json!("body");
    assert_fits(
        &document,
        &schema,
        &app.post("/auth/signin", by_body).await.json(),
        "by body",
    );
}

/// Once the gate has pages, the routes that take forms say so, and what a browser is answered.
#[tokio::test]
async fn forms_are_in_the_document_where_the_gate_has_pages() {
    const FORM: &str = "application/x-www-form-urlencoded";
    let mut settings = Settings::default();
    settings.cookies.path = Some("/auth".to_owned());
    let app = App::with(settings).await;
    let document = || serde_json::to_value(app.gate.openapi()).unwrap();
    let before = document();
    let form_of = |document: &Value, path: &str| {
        document["paths"][path]["post"]["requestBody"]["content"]
            .get(FORM)
            .cloned()
    };
    assert_eq!(form_of(&before, "/auth/signin"), None);
    drop(app.gate.pages("/login"));
    let with_pages = document();
    for (path, fields, required) in [
        (
            "/auth/signin",
            &["email", "password", "next", "device_name", "device_id"][..],
            &["email", "password"][..],
        ),
        (
            "/auth/signin/step",
            &["code", "next", "device_name", "device_id"],
            &[],
        ),
        (
            "/auth/reauthenticate",
            &["email", "password", "next"],
            &["email", "password"],
        ),
        ("/auth/signout", &[], &[]),
    ] {
        let schema = form_of(&with_pages, path).unwrap()["schema"].clone();
        let names = |value: &Value| -> BTreeSet<String> {
            let list = value.as_array().into_iter().flatten();
            list.map(|name| name.as_str().unwrap().to_owned()).collect()
        };
        let known: BTreeSet<_> = schema["properties"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, _)| name.clone())
            .collect();
        let expected: BTreeSet<_> = fields.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(known, expected, "{path}");
        let needed: BTreeSet<_> = required.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(names(&schema["required"]), needed, "{path}");
        let operation = &with_pages["paths"][path]["post"];
        let headers = &operation["responses"]["303"]["headers"];
        assert!(
            headers.get("Location").is_some() && headers.get("Set-Cookie").is_some(),
            "{path}"
        );
        assert!(operation["responses"].get("403").is_some(), "{path}");
        // JSON is as it was.
        let json_of = |document: &Value| {
            document["paths"][path]["post"]["requestBody"]["content"]["application/json"].clone()
        };
        assert_eq!(json_of(&with_pages), json_of(&before), "{path}");
    }
    for path in ["/auth/refresh-access", "/auth/signout-all", "/auth/verify"] {
        assert_eq!(form_of(&with_pages, path), None, "{path}");
        let responses = &with_pages["paths"][path]["post"]["responses"];
        assert!(
            responses.get("200").or(responses.get("204")).is_some(),
            "{path}"
        );
        assert!(responses.get("303").is_none(), "{path}");
    }
}

/// A login of the application's own, with what serde says of its members.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code, reason = "only described")]
struct PhoneLogin {
    phone_number: String,
    pin: Password,
    tenant: Option<u32>,
}

#[auth_backend(login = PhoneLogin, user = User)]
#[derive(Clone)]
struct Phones;

impl Authenticate for Phones {
    async fn authenticate(&self, _: PhoneLogin, _: &Client) -> Result<User, AuthError> {
        Err(AuthError::Invalid)
    }
}

impl Refresh for Phones {
    async fn refresh(&self, _subject: &uuid::Uuid, _client: &Client) -> Result<User, AuthError> {
        Err(AuthError::Gone)
    }
}

/// Returns the schema of the JSON body of a `POST`.
pub(crate) fn body_of(document: &Value, path: &str) -> Value {
    let content = &document["paths"][path]["post"]["requestBody"]["content"];
    content["application/json"]["schema"].clone()
}

#[tokio::test]
async fn the_login_of_an_application_has_its_members_in_the_document() {
    let (gate, _clock) = tollgate::testing::ready(Phones.gate()).unwrap();
    let gate = gate.build().await.unwrap();
    let document: Value = serde_json::from_str(&gate.openapi_json()).unwrap();
    let login = body_of(&document, "/auth/signin");
    assert_eq!(login["required"], json!(["phoneNumber", "pin"]));
    let of = |name: &str| login["properties"][name].clone();
    assert_eq!(of("phoneNumber")["type"], "string");
    assert_eq!(of("tenant")["type"], json!(["integer", "null"]));
    assert_eq!(
        (&of("pin")["format"], &of("pin")["maxLength"]),
        (&json!("password"), &json!(1024))
    );
    assert_eq!(of("device_name")["maxLength"], 128);
    let again = body_of(&document, "/auth/reauthenticate");
    assert_eq!(again["anyOf"][0]["required"], login["required"]);
    assert_eq!(again["anyOf"][1]["required"], json!(["step_token"]));
    // No member is longer than a body.
    for (path, name) in [
        ("/auth/refresh-access", "refresh_token"),
        ("/auth/signin/step", "step_token"),
        ("/auth/verify", "token"),
        ("/auth/revoke", "token"),
    ] {
        let member = &body_of(&document, path)["properties"][name];
        assert_eq!(member["maxLength"], 16 * 1024, "{path} {name}");
    }
    assert!(document["paths"].get("/auth/exchange").is_none());
}

#[tokio::test]
async fn title_and_version_are_those_of_the_application() {
    let document: Value = serde_json::from_str(&App::new().await.gate.openapi_json()).unwrap();
    let package = (env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
    assert_eq!(document["info"]["title"], package.0);
    assert_eq!(document["info"]["version"], package.1);
    assert_eq!(document["servers"], json!([{"url": "/"}]));
    let mut settings = Settings::default();
    settings.issuer = Some("https://accounts.example.com".into());
    settings.openapi.title = Some("Shop".into());
    settings.openapi.version = Some("7.1".into());
    settings.public_url = Some("https://api.example.com/v1".into());
    let app = App::with(settings).await;
    let document: Value = serde_json::from_str(&app.gate.openapi_json()).unwrap();
    assert_eq!(document["info"], json!({"title": "Shop", "version": "7.1"}));
    assert_eq!(document["servers"], json!([{"url": "/v1"}]));
    let page = app
        .send(request(Method::GET, "/docs/swagger", None, None))
        .await;
    assert!(page.text.contains("<title>Shop</title>"), "{}", page.text);
}

/// Anybody may read the document.
#[tokio::test]
async fn no_role_is_named_unless_the_settings_say_so() {
    for policies in [false, true] {
        let mut settings = Settings::default();
        settings.openapi.policies = policies;
        let app = App::with(settings).await;
        let protected = ProtectedRouter::<Gate<Accounts>>::new()
            .route("/purge", get(async |_: Auth<User, (Admins, Writers)>| ()));
        let own = app.serving(
            app.gate
                .install(protected.clone())
                .with_state(app.gate.clone()),
        );
        let document = served(&own).await;
        let names = document["paths"]["/purge"]["get"]["security"][0]["access_token"].clone();
        let expected = if policies {
            json!(["admin", "write"])
        } else {
            json!([])
        };
        assert_eq!(names, expected);
        let mut described = app.gate.openapi();
        protected.describe(&mut described);
        assert!(!described.to_json().unwrap().contains("\"admin\""));
    }
}

/// Every operation can be named by a generator of clients, and no two alike.
#[tokio::test]
async fn routes_of_the_application_have_ids_and_tags() {
    let app = App::new().await;
    let protected = ProtectedRouter::<Gate<Accounts>>::new()
        .route(
            "/me",
            get(async |_: Auth<User>| ()).delete(async |_: Auth<User>| ()),
        )
        .route("/users/{id}/notes", post(async |_: Auth<User>| ()))
        .route("/users-id/notes", post(async |_: Auth<User>| ()))
        .route("/", get(anybody));
    let own = app.serving(app.gate.install(protected).with_state(app.gate.clone()));
    let document = served(&own).await;
    let of = |method: &str, path: &str| {
        let operation = &document["paths"][path][method];
        (operation["operationId"].clone(), operation["tags"].clone())
    };
    for (method, path, id, tag) in [
        ("get", "/me", "get_me", "me"),
        ("delete", "/me", "delete_me", "me"),
        ("post", "/users/{id}/notes", "post_users_id_notes", "users"),
        ("post", "/users-id/notes", "post_users_id_notes_2", "users"),
        ("get", "/", "get", "root"),
    ] {
        assert_eq!(
            of(method, path),
            (json!(id), json!([tag])),
            "{method} {path}"
        );
    }
    assert_eq!(
        of("post", "/auth/signin"),
        (json!("signin"), json!(["auth"]))
    );
    let summary = &document["paths"]["/users/{id}/notes"]["post"]["summary"];
    assert_eq!(summary, "POST /users/{id}/notes");
    assert_eq!(document["tags"][0]["name"], "auth");
}

#[derive(Clone, JwtClaims)]
#[claims(external)]
struct Machine {
    #[claim(sub)]
    id: String,
    #[claim(scope)]
    scope: Vec<String>,
}

#[derive(Policy)]
#[policy(scope = "read", user = Machine)]
struct MayRead;

#[derive(Clone)]
struct Two {
    gate: Gate<Accounts>,
    machines: Verifier<Machine>,
}

impl axum::extract::FromRef<Two> for Verifier<User> {
    fn from_ref(two: &Two) -> Self {
        two.gate.verifier()
    }
}

impl axum::extract::FromRef<Two> for Verifier<Machine> {
    fn from_ref(two: &Two) -> Self {
        two.machines.clone()
    }
}

/// Each caller is described by what that caller sends: a service has no cookie of the gate.
#[tokio::test]
async fn each_caller_of_a_route_is_described_apart() {
    let mut settings = Settings::default();
    settings.cookies.path = Some("/auth".into());
    settings.openapi.policies = true;
    let app = App::with(settings).await;
    let guard = tollgate::guard::StaticGuard::<Machine>::new(crate::guard::issuer::expected());
    let machines = tollgate::guard::GuardRouter::alone("machines", guard).unwrap();
    let machines = machines.verifier();
    let either = async |_: OneOf<Auth<User>, Auth<Machine, MayRead>>| ();
    let protected = ProtectedRouter::<Two>::new()
        .route("/either", get(either))
        .route("/machine", get(async |_: Auth<Machine, MayRead>| ()));
    let two = Two {
        gate: app.gate.clone(),
        machines,
    };
    let own = app.serving(app.gate.install(protected).with_state(two));
    let document = served(&own).await;
    let security = |path: &str| document["paths"][path]["get"]["security"].clone();
    assert_eq!(
        security("/either"),
        json!([{"access_token": []}, {"foreign_token": ["read"]}, {"access_cookie": []}])
    );
    assert_eq!(security("/machine"), json!([{"foreign_token": ["read"]}]));
    let scheme = &document["components"]["securitySchemes"]["foreign_token"];
    assert_eq!(scheme["scheme"], "bearer");
}

/// What a browser sends by itself stands in the document wherever it counts.
#[tokio::test]
async fn cookies_are_said_wherever_they_count() {
    let mut settings = Settings::default();
    settings.cookies.path = Some("/auth".into());
    let document = served(&App::with(settings).await).await;
    let post = |path: &str| document["paths"][path]["post"].clone();
    assert_eq!(
        post("/auth/refresh-access")["security"],
        json!([{}, {"refresh_cookie": []}])
    );
    let signout = post("/auth/signout")["security"].clone();
    for scheme in ["access_token", "access_cookie", "refresh_cookie"] {
        assert!(
            signout.as_array().unwrap().contains(&json!({scheme: []})),
            "{signout}"
        );
    }
    let cookie = &document["components"]["securitySchemes"]["refresh_cookie"]["name"];
    assert_eq!(cookie, "__Host-tollgate-refresh");
    for path in ["/auth/signin", "/auth/signin/step"] {
        let device = &post(path)["parameters"][0];
        assert_eq!(
            (&device["name"], &device["in"]),
            (&json!("__Host-tollgate-device"), &json!("cookie"))
        );
        assert!(post(path)["responses"]["200"]["headers"]["Set-Cookie"].is_object());
    }
    assert!(post("/auth/signout")["responses"]["204"]["headers"]["Set-Cookie"].is_object());
}

/// A sign-in with a further step, and the list of sessions with hints, fit the document.
#[tokio::test]
async fn problems_with_a_step_and_devices_are_as_documented() {
    let app = App::new().await;
    let document = served(&app).await;
    let problem = &document["components"]["schemas"]["AuthProblem"]["properties"];
    for member in ["detail", "step", "step_token", "expires_in", "challenge"] {
        assert!(problem.get(member).is_some(), "{member}");
    }
    let login = json!({"email": "ada@example.com", "password": tollgate_tests::PASSWORD});
    let mut sign_in = request(Method::POST, "/auth/signin", None, Some(login));
    for (name, value) in [
        (
            "user-agent",
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        ),
        ("sec-ch-ua", "\"Chromium\";v=\"140\""),
        ("sec-ch-ua-mobile", "?1"),
        ("sec-ch-ua-platform", "\"Android\""),
        ("sec-ch-ua-platform-version", "\"16\""),
        ("sec-ch-ua-model", "\"Pixel 9\""),
        ("sec-ch-ua-arch", "\"arm\""),
        ("sec-ch-ua-bitness", "\"64\""),
        ("sec-ch-ua-wow64", "?0"),
        ("sec-ch-ua-form-factors", "\"Mobile\""),
        ("sec-ch-ua-full-version-list", "\"Chromium\";v=\"140.0.1\""),
        ("device-memory", "8"),
    ] {
        sign_in.headers_mut().insert(name, value.parse().unwrap());
    }
    let tokens = app.send(sign_in).await.tokens();
    let sessions = app.get("/auth/sessions", &tokens.access).await.json();
    assert_eq!(
        sessions[0]["hints"].as_object().unwrap().len(),
        11,
        "{sessions}"
    );
    let schema = &document["paths"]["/auth/sessions"]["get"]["responses"]["200"]["content"]["application/json"]
        ["schema"];
    assert_fits(&document, schema, &sessions, "sessions");
}

/// Each example of the document fits its own schema.
#[tokio::test]
async fn examples_fit_their_schemas() {
    fn check(document: &Value, value: &Value, seen: &mut usize) {
        if let Some(examples) = value["examples"].as_array() {
            for example in examples {
                assert_fits(document, value, example, "an example");
                *seen += 1;
            }
        }
        if value["example"].is_object() && value["schema"].is_object() {
            assert_fits(document, &value["schema"], &value["example"], "an example");
            *seen += 1;
        }
        let members = value.as_object().into_iter().flat_map(|all| all.values());
        for inner in members.chain(value.as_array().into_iter().flatten()) {
            check(document, inner, seen);
        }
    }
    let document = served(&App::new().await).await;
    let mut seen = 0;
    check(&document, &document, &mut seen);
    assert!(seen > 20, "{seen} examples");
}

/// What the document says of a body holds beside another credential, too.
#[tokio::test]
async fn signing_out_refuses_a_body_that_is_no_object() {
    let app = App::new().await;
    let user = app.sign_in("ada@example.com").await;
    for body in [json!([null]), json!("x"), json!(null)] {
        let answer = app.post_as("/auth/signout", &user.access, Some(body)).await;
        answer.assert_problem(400, "invalid_request");
    }
    assert_eq!(
        app.get("/auth/sessions", &user.access).await.status,
        StatusCode::OK
    );
    let answer = app
        .post_as("/auth/signout", &user.access, Some(json!({})))
        .await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
}
