//! Several gates in one application: what they serve at its root, their document, their cookies.

use axum::Router;
use axum::routing::get;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use tollgate::prelude::*;
use tollgate::routing::get as guarded;
use tollgate::settings::Settings;
use tollgate::store::Store;
use tollgate_tests::{Answer, App, request};
use tower::ServiceExt as _;

use crate::cookies::Jar;
use crate::realms::{Both, Customer, Desk, Employee, STAFF, Shop, ask, ring, shop};

/// Two cookie gates of one ring, or of two, in one application.
async fn installed(has_one_ring: bool) -> (Router, Both) {
    let store = Store::from(MemoryStore::new());
    let shop = shop(&store, &ring()).cookies("/").build().await.unwrap();
    let desk = Desk.gate().share(&shop).realm("staff").audience(STAFF);
    let desk = match has_one_ring {
        true => desk,
        false => desk.keys(ring()),
    };
    let desk = desk.build().await.unwrap();
    let both = Both { shop, desk };
    let app = tollgate::ProtectedRouter::<Both>::new()
        .route("/me", guarded(async |_: Auth<Customer>| ()))
        .route("/staff/me", guarded(async |_: Auth<Employee>| ()))
        .route("/staff/bearer", guarded(bearer))
        .route("/either", guarded(either));
    let app = tollgate::install(app, (&both.shop, &both.desk)).with_state(both.clone());
    (app, both)
}

async fn bearer(_: tollgate::extract::BearerOnly<Auth<Employee>>) {}

async fn either(caller: OneOf<Auth<Customer>, Auth<Employee>>) -> &'static str {
    match caller {
        OneOf::First(_) => "customer",
        OneOf::Second(_) => "employee",
    }
}

async fn fetched(app: &Router, path: &str) -> Answer {
    ask(app, Method::GET, path, None, &Jar::default()).await
}

#[tokio::test]
async fn two_gates_have_one_document_without_duplicates() {
    let (app, both) = installed(true).await;
    let document = fetched(&app, "/openapi.json").await.json();
    let mut ids = std::collections::BTreeSet::new();
    for item in document["paths"].as_object().unwrap().values() {
        for operation in item.as_object().unwrap().values() {
            if let Some(id) = operation["operationId"].as_str() {
                assert!(ids.insert(id), "{id} is there twice");
            }
        }
    }
    for id in [
        "signin",
        "staff_signin",
        "end_session",
        "staff_end_session",
        "jwks",
    ] {
        assert!(ids.contains(id), "{id}");
    }
    assert!(
        !ids.contains("staff_jwks"),
        "gates of one ring share the key set"
    );
    assert_references(&document, &document);
    let schemes = &document["components"]["securitySchemes"];
    for (scheme, cookie) in [
        ("access_cookie", "__Host-tollgate-access"),
        ("staff_access_cookie", "__Host-tollgate-staff-access"),
    ] {
        assert_eq!(schemes[scheme]["name"], cookie);
    }
    let security = |path: &str| document["paths"][path]["get"]["security"].clone();
    let customer = json!([{ "access_token": [] }, { "access_cookie": [] }]);
    let staff = json!([{ "staff_access_token": [] }, { "staff_access_cookie": [] }]);
    for (path, expected) in [
        ("/me", customer.clone()),
        ("/auth/sessions", customer),
        ("/staff/me", staff.clone()),
        ("/staff/auth/sessions", staff),
        ("/staff/bearer", json!([{ "staff_access_token": [] }])),
    ] {
        assert_eq!(security(path), expected, "{path}");
    }
    assert_eq!(security("/either").as_array().unwrap().len(), 4);
    // Documents of the gates can be merged by hand.
    let merged = both.shop.openapi().merge_from(both.desk.openapi());
    let merged = serde_json::to_value(merged).unwrap();
    assert_references(&merged, &merged);
}

fn assert_references(document: &Value, value: &Value) {
    if let Some(reference) = value["$ref"].as_str() {
        let target = document.pointer(reference.trim_start_matches('#'));
        assert!(target.is_some(), "{reference}");
    }
    let members = value.as_object().into_iter().flat_map(|all| all.values());
    for inner in members.chain(value.as_array().into_iter().flatten()) {
        assert_references(document, inner);
    }
}

#[tokio::test]
async fn gates_of_one_ring_share_a_key_set_and_another_ring_has_its_own() {
    const USUAL: &str = "/.well-known/jwks.json";
    const NAMED: &str = "/.well-known/staff/jwks.json";
    let (app, both) = installed(true).await;
    let served = kids(&fetched(&app, USUAL).await.json());
    assert_eq!(served, kids(&json!(both.desk.keys().jwks())));
    assert_eq!(fetched(&app, NAMED).await.status, StatusCode::NOT_FOUND);
    let (app, both) = installed(false).await;
    let sets = [both.shop.keys().jwks(), both.desk.keys().jwks()].map(|set| kids(&json!(set)));
    assert_ne!(sets[0], sets[1]);
    for (path, own) in [USUAL, NAMED].into_iter().zip(sets) {
        assert_eq!(kids(&fetched(&app, path).await.json()), own, "{path}");
    }
}

/// Returns the names of the keys of a set.
fn kids(set: &Value) -> Vec<String> {
    let keys = set["keys"].as_array().unwrap().iter();
    keys.map(|key| key["kid"].as_str().unwrap().to_owned())
        .collect()
}

/// Two gates that answer services; the second one has this issuer.
async fn answering_services(issuer: &str) -> (Gate<Shop>, Gate<Desk>) {
    let store = Store::from(MemoryStore::new());
    let shop = shop(&store, &ring()).public_url("https://api.example.com");
    let shop = shop.service(tollgate::settings::Service::new("reports", [7; 32]));
    let shop = shop.build().await.unwrap();
    let desk = Desk.gate().share(&shop).realm("staff").audience(STAFF);
    let desk = desk.keys(ring()).issuer(issuer).build().await.unwrap();
    (shop, desk)
}

#[tokio::test]
async fn the_metadata_of_each_issuer_name_the_key_set_of_its_ring() {
    const METADATA: &str = "/.well-known/oauth-authorization-server";
    let (shop, desk) = answering_services("https://accounts.example.com/staff").await;
    let app: Router = tollgate::install(Router::new(), (&shop, &desk));
    for (path, prefix, key_set) in [
        ("", "/auth", "/.well-known/jwks.json"),
        ("/staff", "/staff/auth", "/.well-known/staff/jwks.json"),
    ] {
        let metadata = fetched(&app, &format!("{METADATA}{path}")).await.json();
        let at = |path: &str| format!("https://api.example.com{path}");
        let endpoint = at(&format!("{prefix}/introspect"));
        assert_eq!(metadata["introspection_endpoint"], endpoint);
        assert_eq!(metadata["jwks_uri"], at(key_set));
    }
}

#[tokio::test]
async fn gates_whose_routes_are_at_one_path_are_refused_by_install() {
    let refused = |gates: (&Gate<Shop>, &Gate<Desk>)| {
        let error = tollgate::try_install(Router::<()>::new(), gates).unwrap_err();
        (error.kind(), error.to_string())
    };
    // Another host has its metadata at the same path.
    for issuer in ["https://accounts.example.com", "https://other.example.com"] {
        let (shop, desk) = answering_services(issuer).await;
        let (kind, text) = refused((&shop, &desk));
        assert_eq!(kind, tollgate::error::ErrorKind::Usage);
        for word in [
            "oauth-authorization-server`",
            "`staff`",
            "`.issuer(",
            issuer,
        ] {
            assert!(text.contains(word), "{word} in {text}");
        }
    }
    let shop = shop(&Store::from(MemoryStore::new()), &ring());
    let shop = shop.build().await.unwrap();
    let error = tollgate::try_install(Router::<()>::new(), (&shop, &shop)).unwrap_err();
    for word in ["`/auth/signin", "`prefix`", "`/auth`"] {
        assert!(error.to_string().contains(word), "{word} in {error}");
    }
}

#[tokio::test]
#[should_panic(expected = "`prefix` of its own: both have `/auth`")]
async fn install_panics_with_the_text_of_the_error() {
    let shop = shop(&Store::from(MemoryStore::new()), &ring());
    let shop = shop.build().await.unwrap();
    let _: Router = tollgate::install(Router::new(), (&shop, &shop));
}

#[tokio::test]
async fn a_second_install_keeps_what_the_first_one_serves() {
    let (_, both) = installed(true).await;
    let app: Router = both.desk.install(both.shop.install(Router::new()));
    let document = fetched(&app, "/openapi.json").await.json();
    assert!(document["paths"]["/auth/signin"].is_object());
    assert_eq!(
        fetched(&app, "/.well-known/jwks.json").await.status,
        StatusCode::OK
    );
    let body = json!({ "username": "ada", "password": "x" });
    for path in ["/auth/signin", "/staff/auth/signin"] {
        let answer = ask(
            &app,
            Method::POST,
            path,
            Some(body.clone()),
            &Jar::default(),
        )
        .await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
    }
    let own = Router::new().route("/openapi.json", get(async || "mine"));
    assert_eq!(
        fetched(&both.desk.install(own), "/openapi.json").await.text,
        "mine"
    );
}

#[tokio::test]
async fn cookies_of_two_gates_live_in_one_jar() {
    let (app, _both) = installed(true).await;
    let mut jar = Jar::default();
    let body = json!({ "username": "ada", "password": "x" });
    for path in ["/auth/signin", "/staff/auth/signin"] {
        let answer = ask(&app, Method::POST, path, Some(body.clone()), &jar).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
        jar.take(&answer);
    }
    for path in ["/me", "/staff/me"] {
        assert_eq!(
            ask(&app, Method::GET, path, None, &jar).await.status,
            StatusCode::OK
        );
    }
    assert_eq!(
        ask(&app, Method::GET, "/either", None, &jar).await.text,
        "customer"
    );
    let left = ask(&app, Method::POST, "/auth/signout", None, &jar).await;
    assert_eq!(left.status, StatusCode::NO_CONTENT, "{}", left.text);
    jar.take(&left);
    ask(&app, Method::GET, "/me", None, &jar)
        .await
        .assert_problem(401, "missing_token");
    assert_eq!(
        ask(&app, Method::GET, "/staff/me", None, &jar).await.status,
        StatusCode::OK
    );
    assert_eq!(
        ask(&app, Method::GET, "/either", None, &jar).await.text,
        "employee"
    );
}

/// With credentials of both gates in a request, `OneOf` lets the first gate's cookie decide alone,
/// and a token in a header beside any cookie is refused.
#[tokio::test]
async fn one_of_two_gates_judges_a_request_with_credentials_of_both() {
    let (app, both) = installed(true).await;
    let mut jar = Jar::default();
    let body = json!({ "username": "ada", "password": "x" });
    for path in ["/auth/signin", "/staff/auth/signin"] {
        jar.take(&ask(&app, Method::POST, path, Some(body.clone()), &jar).await);
    }
    let either = async |jar: &Jar| ask(&app, Method::GET, "/either", None, jar).await;
    assert_eq!(either(&jar).await.text, "customer");
    let client = Client::unknown();
    let customer = both.shop.sign_in(Customer { id: 1 }, &client).await;
    let employee = both.desk.sign_in(Employee { id: 1 }, &client).await;
    let tokens = [customer, employee].map(|issued| issued.unwrap().access_token);
    for name in ["__Host-tollgate-access", "__Host-tollgate-staff-access"] {
        let one = Jar(vec![(name.to_owned(), jar.value(name).to_owned())]);
        assert_eq!(either(&one).await.status, StatusCode::OK, "{name}");
        for token in &tokens {
            let asked = request(Method::GET, "/either", Some(token), None);
            let answer = app.clone().oneshot(one.send(asked)).await.unwrap();
            Answer::of(answer)
                .await
                .assert_problem(400, "invalid_request");
        }
    }
    // A planted cookie of the first gate is judged by it; the second one is not asked.
    let staff = "__Host-tollgate-staff-access";
    let planted = ("__Host-tollgate-access".to_owned(), tokens[1].clone());
    let staff = (staff.to_owned(), jar.value(staff).to_owned());
    either(&Jar(vec![planted, staff]))
        .await
        .assert_problem(401, "invalid_token");
}

#[tokio::test]
async fn the_document_is_where_the_setting_says_or_nowhere() {
    for path in ["/docs/api.json", ""] {
        let file = format!(
            "issuer = 'https://accounts.example.com'\naudience = 'x'\nopenapi.path = '{path}'"
        );
        let settings = Settings::from_sources(Some(("t.toml", &file)), []).unwrap();
        let gate = shop(&Store::from(MemoryStore::new()), &ring()).settings(settings);
        let app: Router = gate
            .audience("x")
            .build()
            .await
            .unwrap()
            .install(Router::new());
        assert_eq!(
            fetched(&app, "/openapi.json").await.status,
            StatusCode::NOT_FOUND
        );
        if !path.is_empty() {
            assert_eq!(fetched(&app, path).await.status, StatusCode::OK);
        }
    }
    let mut settings = Settings::default();
    settings.openapi.path = "/{a}".to_owned();
    assert!(
        settings
            .validate()
            .unwrap_err()
            .to_string()
            .contains("`openapi.path`")
    );
}

/// What is no route below the prefix is the application's to answer, `exchange` without a moving
/// guard as every other path.
#[tokio::test]
async fn what_is_no_route_below_the_prefix_is_answered_by_the_application() {
    let app = App::new().await;
    let plain = app.serving(app.gate.install(Router::new()).with_state(app.gate.clone()));
    let own = Router::new().fallback(async || (StatusCode::NOT_FOUND, "nothing of ours"));
    let own = app.serving(app.gate.install(own).with_state(app.gate.clone()));
    for path in ["/auth/exchange", "/auth/nonsense", "/auth", "/auth/"] {
        let sent = || request(Method::POST, path, None, Some(json!({ "token": "x" })));
        let answer = plain.send(sent()).await;
        assert_eq!(
            (answer.status, &*answer.text),
            (StatusCode::NOT_FOUND, ""),
            "{path}"
        );
        let answer = own.send(sent()).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
        assert_eq!(answer.text, "nothing of ours", "{path}");
    }
}
