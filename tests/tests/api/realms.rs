//! Two gates, one process, one key ring, and one of four stores: whatever belongs to a user of one
//! realm is refused in the other, or left untouched.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::FromRef;
use axum::routing::get;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use tollgate::action::{ActionToken, PasswordReset};
use tollgate::clock::Clock;
use tollgate::event::Event;
use tollgate::gate::EndSessions;
use tollgate::keys::{Algorithm, KeyRing};
use tollgate::prelude::*;
use tollgate::realm::RealmName;
use tollgate::session::Revoke;
use tollgate::settings::{Replaces, Settings};
use tollgate::store::{
    Before, OnLimit, PostgresStore, RedisStore, SessionStore as _, SqliteStore, Store,
};
use tollgate_servers::{postgres, redis};
use tollgate_tests::{Answer, request};
use tower::ServiceExt as _;

use crate::cookies::Jar;

#[derive(Clone, Debug, JwtClaims)]
pub(crate) struct Customer {
    #[claim(sub)]
    pub(crate) id: u64,
}

#[derive(Clone, Debug, JwtClaims)]
pub(crate) struct Employee {
    #[claim(sub)]
    pub(crate) id: u64,
}

macro_rules! backend {
    ($backend:ident, $user:ident) => {
        impl Authenticate for $backend {
            async fn authenticate(
                &self,
                login: UsernameLogin,
                _: &Client,
            ) -> Result<$user, AuthError> {
                match &*login.username {
                    "ada" => Ok($user { id: 1 }),
                    "step" => Err(AuthError::from(SignInStep::new(1, "totp"))),
                    _ => Err(AuthError::Invalid),
                }
            }

            async fn step(
                &self,
                _: &SignInStep,
                _: &StepAnswer,
                _: &Client,
            ) -> Result<$user, AuthError> {
                Ok($user { id: 1 })
            }
        }
    };
}

#[auth_backend(username, user = Customer, refresh(from = stored), prefix = "/auth")]
#[derive(Clone)]
pub(crate) struct Shop;
backend!(Shop, Customer);

#[auth_backend(username, user = Employee, refresh(from = stored), prefix = "/staff/auth")]
#[derive(Clone)]
pub(crate) struct Desk;
backend!(Desk, Employee);

#[derive(Clone)]
pub(crate) struct Both {
    pub(crate) shop: Gate<Shop>,
    pub(crate) desk: Gate<Desk>,
}

impl FromRef<Both> for Verifier<Customer> {
    fn from_ref(both: &Both) -> Self {
        both.shop.verifier()
    }
}

impl FromRef<Both> for Verifier<Employee> {
    fn from_ref(both: &Both) -> Self {
        both.desk.verifier()
    }
}

impl Both {
    fn app(&self) -> Router {
        let either = async |caller: OneOf<Auth<Customer>, Auth<Employee>>| match caller {
            OneOf::First(_) => "customer",
            OneOf::Second(_) => "employee",
        };
        Router::new()
            .route("/me", get(async |_: Auth<Customer>| ()))
            .route("/staff/me", get(async |_: Auth<Employee>| ()))
            .route("/either", get(either))
            .merge(self.shop.router())
            .merge(self.desk.router())
            .with_state(self.clone())
    }

    async fn send(&self, request: http::Request<axum::body::Body>) -> Answer {
        Answer::of(self.app().oneshot(request).await.unwrap()).await
    }

    async fn post(&self, path: &str, token: Option<&str>, body: Value) -> Answer {
        self.send(request(Method::POST, path, token, Some(body)))
            .await
    }

    async fn get(&self, path: &str, token: &str) -> Answer {
        self.send(request(Method::GET, path, Some(token), None))
            .await
    }
}

pub(crate) const STAFF: &str = "https://staff.example.com";

pub(crate) fn shop(store: &Store, ring: &KeyRing) -> tollgate::testing::ReadyBuilder<Shop> {
    let (builder, _) = tollgate::testing::ready(Shop.gate()).unwrap();
    let clock = Clock::system();
    builder.keys(ring.clone()).store(store.clone()).clock(clock)
}

/// A gate of the employees, with a ring of its own.
fn desk(store: &Store, ring: &KeyRing) -> tollgate::testing::ReadyBuilder<Desk> {
    let (builder, _) = tollgate::testing::ready(Desk.gate()).unwrap();
    let builder = builder.keys(ring.clone()).store(store.clone());
    builder
        .clock(Clock::system())
        .realm("staff")
        .audience(STAFF)
}

pub(crate) fn ring() -> KeyRing {
    KeyRing::generate(Algorithm::EdDSA).unwrap()
}

async fn both(store: &Store) -> Both {
    let shop = shop(store, &ring()).build().await.unwrap();
    let desk = Desk.gate().share(&shop).realm("staff").audience(STAFF);
    let desk = desk.build().await.unwrap();
    Both { shop, desk }
}

/// Runs a test on every store that can be had here.
macro_rules! on_every_store {
    ($(async fn $name:ident($both:ident) $body:block)+) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            async fn on_one($both: Both) $body
            for (_guard, store) in stores().await {
                on_one(both(&store).await).await;
            }
        }
    )+};
}

/// Returns each store, with what keeps its server running.
async fn stores() -> Vec<(Box<dyn std::any::Any + Send>, Store)> {
    let file = tempfile::tempdir().unwrap();
    let sqlite = SqliteStore::open(file.path().join("t.db")).await.unwrap();
    let mut stores: Vec<(Box<dyn std::any::Any + Send>, Store)> = vec![
        (Box::new(()), MemoryStore::new().into()),
        (Box::new(file), sqlite.into()),
    ];
    if let Some(server) = postgres::Server::shared() {
        let database = server.database().await;
        let store = PostgresStore::connect(&database.url).await.unwrap();
        stores.push((Box::new(database), store.into()));
    }
    if let Some(server) = redis::Server::private(&[]) {
        let store = RedisStore::connect(server.url()).await.unwrap();
        stores.push((Box::new(server), store.into()));
    }
    stores
}

on_every_store! {
    async fn a_refresh_token_of_one_realm_is_401_in_the_other(both) {
        let customer = sign_in(&both, "/auth").await;
        let employee = sign_in(&both, "/staff/auth").await;
        for (path, other) in [("/staff/auth", &customer), ("/auth", &employee)] {
            let body = json!({ "refresh_token": other["refresh_token"] });
            both.post(&format!("{path}/refresh-access"), None, body)
                .await
                .assert_problem(401, "invalid_grant");
        }
        for (path, own) in [("/auth", &customer), ("/staff/auth", &employee)] {
            let body = json!({ "refresh_token": own["refresh_token"] });
            let answer = both.post(&format!("{path}/refresh-access"), None, body).await;
            assert_eq!(answer.status, StatusCode::OK, "{path}: its session still lives");
        }
    }

    async fn an_access_token_of_one_realm_is_401_in_the_other(both) {
        let customer = access(&sign_in(&both, "/auth").await);
        let employee = access(&sign_in(&both, "/staff/auth").await);
        for path in ["/staff/me", "/staff/auth/sessions"] {
            both.get(path, &customer).await.assert_problem(401, "invalid_token");
            assert_eq!(both.get(path, &employee).await.status, StatusCode::OK);
        }
        for path in ["/me", "/auth/sessions"] {
            both.get(path, &employee).await.assert_problem(401, "invalid_token");
            assert_eq!(both.get(path, &customer).await.status, StatusCode::OK);
        }
        assert_eq!(both.get("/either", &customer).await.text, "customer");
        assert_eq!(both.get("/either", &employee).await.text, "employee");
    }

    async fn a_step_token_of_one_realm_is_unknown_in_the_other(both) {
        let body = json!({ "username": "step", "password": "x" });
        let begun = both.post("/auth/signin", None, body).await;
        let token = begun.json()["step_token"].as_str().unwrap().to_owned();
        let answer = json!({ "step_token": token, "code": "1" });
        both.post("/staff/auth/signin/step", None, answer.clone())
            .await
            .assert_problem(401, "invalid_credentials");
        let done = both.post("/auth/signin/step", None, answer).await;
        assert_eq!(done.status, StatusCode::OK, "{}", done.text);
    }

    async fn an_action_token_of_one_realm_is_none_in_the_other(both) {
        let token: ActionToken<PasswordReset> =
            both.shop.action_token(&1, "ada@example.com").await.unwrap();
        let again = ActionToken::<PasswordReset>::new(token.expose());
        let refused = again.consume(&both.desk).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidToken);
        assert_eq!(*token.consume(&both.shop).await.unwrap().subject(), 1);
    }

    async fn sessions_of_one_realm_are_not_seen_or_ended_from_the_other(both) {
        let customer = sign_in(&both, "/auth").await;
        let employee = sign_in(&both, "/staff/auth").await;
        let sid: SessionId = serde_json::from_value(customer["session_id"].clone()).unwrap();
        assert!(both.desk.sessions().get(sid).await.unwrap().is_none());
        assert_eq!(both.desk.sessions().of(1).await.unwrap().len(), 1);
        let listed = both.get("/staff/auth/sessions", &access(&employee)).await.json();
        let listed: Vec<&Value> = listed.as_array().unwrap().iter().map(|s| &s["session_id"]).collect();
        assert_eq!(listed, [&employee["session_id"]]);
        assert!(!both.desk.sessions().attach(sid, tollgate::device::Device::default()).await.unwrap());
        let path = format!("/staff/auth/sessions/{sid}");
        let employee = access(&employee);
        both.send(request(Method::DELETE, &path, Some(&employee), None))
            .await
            .assert_problem(404, "not_found");
        both.desk.revoke(Revoke::session(sid)).await.unwrap();
        both.desk.revoke(Revoke::subject(1)).await.unwrap();
        both.desk.revoke(Revoke::everything()).await.unwrap();
        assert!(both.shop.sessions().get(sid).await.unwrap().is_some());
        let customer = access(&customer);
        assert_eq!(both.get("/me", &customer).await.status, StatusCode::OK);
        both.get("/staff/me", &employee).await.assert_problem(401, "invalid_token");
    }

    async fn a_changed_password_ends_the_sessions_of_its_realm_alone(both) {
        let customer = access(&sign_in(&both, "/auth").await);
        let employee = access(&sign_in(&both, "/staff/auth").await);
        both.shop.credentials_changed(&1, EndSessions::All).await.unwrap();
        both.get("/me", &customer).await.assert_problem(401, "invalid_token");
        assert_eq!(both.get("/staff/me", &employee).await.status, StatusCode::OK);
    }

    async fn verify_introspect_revoke_and_signout_know_no_token_of_the_other_realm(both) {
        let customer = sign_in(&both, "/auth").await;
        let employee = sign_in(&both, "/staff/auth").await;
        for name in ["access_token", "refresh_token"] {
            let token = customer[name].as_str().unwrap();
            both.post("/staff/auth/verify", None, json!({ "token": token }))
                .await
                .assert_problem(401, "invalid_token");
            assert!(both.desk.introspect(token).await.unwrap().is_none());
            let revoked = both.post("/staff/auth/revoke", None, json!({ "token": token })).await;
            assert_eq!(revoked.status, StatusCode::OK);
            let known = both.shop.introspect(token).await.unwrap().unwrap();
            assert!(!known.contains_key("rlm"), "{name}");
            let token = employee[name].as_str().unwrap();
            let known = both.desk.introspect(token).await.unwrap().unwrap();
            assert_eq!(known["rlm"], "staff", "{name}");
        }
        both.send(request(Method::POST, "/staff/auth/signout", Some(&access(&customer)), None))
            .await
            .assert_problem(401, "invalid_token");
        assert_eq!(both.get("/me", &access(&customer)).await.status, StatusCode::OK);
    }

    async fn a_pause_is_of_one_realm(both) {
        let customer = access(&sign_in(&both, "/auth").await);
        let employee = access(&sign_in(&both, "/staff/auth").await);
        both.desk.pause().await.unwrap();
        both.get("/staff/me", &employee).await.assert_problem(503, "unavailable");
        assert_eq!(both.get("/me", &customer).await.status, StatusCode::OK);
    }

    async fn a_token_registered_by_hand_is_of_one_realm(both) {
        let minute = Duration::from_secs(60);
        let token = both.shop.issue(&Customer { id: 1 }, minute).await.unwrap();
        both.desk.register(&token, None).await.unwrap_err();
        let record = both.shop.register(&token, None).await.unwrap();
        assert!(both.desk.tokens().get(record.jti).await.unwrap().is_none());
        both.desk.revoke(Revoke::token(record.jti)).await.unwrap();
        both.shop.verify(&token).await.unwrap();
    }

    async fn a_retired_key_is_retired_for_every_realm(both) {
        let customer = access(&sign_in(&both, "/auth").await);
        let employee = access(&sign_in(&both, "/staff/auth").await);
        let kid = both.shop.keys().current().to_string();
        both.desk.keys().retire(&kid).await.unwrap();
        both.get("/me", &customer).await.assert_problem(401, "invalid_token");
        both.get("/staff/me", &employee).await.assert_problem(401, "invalid_token");
    }
}

async fn sign_in(both: &Both, prefix: &str) -> Value {
    let body = json!({ "username": "ada", "password": "x" });
    let answer = both.post(&format!("{prefix}/signin"), None, body).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    answer.json()
}

fn access(tokens: &Value) -> String {
    tokens["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_device_limit_counts_the_sessions_of_its_realm_alone() {
    for (_guard, store) in stores().await {
        let shop = shop(&store, &ring()).device_limit(1, OnLimit::Deny);
        let shop = shop.build().await.unwrap();
        let desk = Desk.gate().share(&shop).realm("staff").audience(STAFF);
        let desk = desk.build().await.unwrap();
        let client = Client::unknown();
        desk.sign_in(Employee { id: 1 }, &client).await.unwrap();
        shop.sign_in(Customer { id: 1 }, &client).await.unwrap();
        let refused = shop.sign_in(Customer { id: 1 }, &client).await.unwrap_err();
        assert_eq!(refused.code(), Code::Forbidden);
    }
}

/// Budgets in the store, and those in the memory of a node.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attempts_are_counted_in_their_realm_alone() {
    use tollgate::settings::{Allowance, Counted, ThrottleSettings};

    for (_guard, store) in stores().await {
        for counted in [Counted::Store, Counted::Local] {
            let mut throttle = ThrottleSettings::off();
            throttle.identifier = Allowance::Attempts {
                burst: 1,
                period: Duration::from_secs(900),
            };
            throttle.counted = counted;
            let shop = shop(&store, &ring()).accept_new_keys().throttle(throttle);
            let shop = shop.build().await.unwrap();
            let desk = Desk.gate().share(&shop).realm("staff").audience(STAFF);
            let desk = desk.build().await.unwrap();
            let both = Both { shop, desk };
            let name = format!("{counted:?}");
            let wrong = json!({ "username": name, "password": "x" });
            both.post("/auth/signin", None, wrong.clone())
                .await
                .assert_problem(401, "invalid_credentials");
            let refused = both.post("/auth/signin", None, wrong.clone()).await;
            assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
            both.post("/staff/auth/signin", None, wrong)
                .await
                .assert_problem(401, "invalid_credentials");
        }
    }
}

/// The cookies of a customer under the names of the staff's are worth nothing there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cookie_of_one_realm_is_nothing_in_the_other() {
    for (_guard, store) in stores().await {
        let shop = shop(&store, &ring()).cookies("/").build().await.unwrap();
        let desk = Desk.gate().share(&shop).realm("staff").audience(STAFF);
        let desk = desk.build().await.unwrap();
        let app = Both { shop, desk }.app();
        let mut own = Jar::default();
        let body = json!({ "username": "ada", "password": "x" });
        own.take(&ask(&app, Method::POST, "/auth/signin", Some(body), &own).await);
        let renamed = own.0.iter().map(|(name, value)| {
            let name = name.replace("__Host-tollgate-", "__Host-tollgate-staff-");
            (name, value.clone())
        });
        let foreign = Jar(renamed.collect());
        assert!(foreign.has("__Host-tollgate-staff-access"));
        assert!(foreign.has("__Host-tollgate-staff-refresh"));
        for (method, path, code) in [
            (Method::GET, "/staff/me", "invalid_token"),
            (Method::GET, "/staff/auth/sessions", "invalid_token"),
            (Method::POST, "/staff/auth/refresh-access", "invalid_grant"),
        ] {
            ask(&app, method, path, None, &foreign)
                .await
                .assert_problem(401, code);
        }
        ask(&app, Method::POST, "/staff/auth/signout", None, &foreign).await;
        for path in ["/staff/me", "/staff/auth/sessions"] {
            // Under their own names they are not even looked at.
            ask(&app, Method::GET, path, None, &own)
                .await
                .assert_problem(401, "missing_token");
        }
        let answer = ask(&app, Method::GET, "/me", None, &own).await;
        assert_eq!(answer.status, StatusCode::OK, "its session still lives");
        let refreshed = ask(&app, Method::POST, "/auth/refresh-access", None, &own).await;
        assert_eq!(refreshed.status, StatusCode::OK, "{}", refreshed.text);
    }
}

/// Verifies as libraries of other languages do: by the key set, the issuer and the audience.
#[tokio::test]
async fn a_verifier_that_knows_no_realms_tells_them_apart_by_the_audience() {
    use jsonwebtoken::{DecodingKey, Validation, decode, jwk::JwkSet};

    let both = both(&Store::from(MemoryStore::new())).await;
    let issued = both
        .shop
        .sign_in(Customer { id: 1 }, &Client::unknown())
        .await
        .unwrap();
    let keys: JwkSet =
        serde_json::from_str(&serde_json::to_string(&both.desk.keys().jwks()).unwrap()).unwrap();
    let key = DecodingKey::from_jwk(&keys.keys[0]).unwrap();
    let read = |audience: &str| {
        let mut expected = Validation::new(jsonwebtoken::Algorithm::EdDSA);
        expected.validate_exp = false;
        expected.set_audience(&[audience]);
        decode::<Value>(&issued.access_token, &key, &expected)
    };
    read("https://api.example.com").unwrap();
    let refused = read(STAFF).unwrap_err();
    assert_eq!(
        *refused.kind(),
        jsonwebtoken::errors::ErrorKind::InvalidAudience
    );
}

#[tokio::test]
async fn events_name_the_realm_of_their_gate() {
    let heard: Arc<Mutex<Vec<Event>>> = Arc::default();
    let store = Store::from(MemoryStore::new());
    let shop = shop(&store, &ring()).build().await.unwrap();
    let keep = Arc::clone(&heard);
    let desk = Desk.gate().share(&shop).realm("staff").audience(STAFF);
    let desk = desk.on_event(move |event| keep.lock().unwrap().push(event.clone()));
    let desk = desk.build().await.unwrap();
    desk.sign_in(Employee { id: 1 }, &Client::unknown())
        .await
        .unwrap();
    let heard = heard.lock().unwrap();
    let staff = Some(RealmName::parse("staff").unwrap());
    assert!(!heard.is_empty() && heard.iter().all(|event| event.realm == staff));
    assert!(
        heard[0].to_string().contains(" realm=staff "),
        "{}",
        heard[0]
    );
}

async fn refused<B: tollgate::gate::AuthBackend>(
    building: tollgate::gate::Building<B>,
    words: &[&str],
) {
    let error = building.await.expect_err("the gate is refused").to_string();
    for word in words {
        assert!(error.contains(word), "`{word}` in: {error}");
    }
}

#[tokio::test]
async fn another_backend_issuer_or_audience_in_one_realm_is_refused() {
    const API: &str = "https://api.example.com";
    const ISSUER: &str = "https://accounts.example.com";
    let (store, ring) = (Store::from(MemoryStore::new()), ring());
    let first = shop(&store, &ring).build().await.unwrap();
    shop(&store, &ring)
        .build()
        .await
        .expect("the same gate once more");
    let desk = |audience: &str| {
        let builder = Desk.gate().issuer(ISSUER).audience(audience);
        builder.keys(ring.clone()).store(store.clone())
    };
    refused(
        desk(API).build(),
        &["the default realm", "`Shop`", "`Desk`", API, ISSUER],
    )
    .await;
    let moved = shop(&store, &ring).audience("other").build();
    refused(moved, &["the default realm", "`other`", API, "`Shop`"]).await;
    let moved = shop(&store, &ring).issuer("https://b.example").build();
    refused(moved, &["`https://b.example`", ISSUER]).await;
    // The ring alone is shared.
    let elsewhere = desk(API).store(MemoryStore::new()).build();
    refused(elsewhere, &["`Shop`", "`Desk`"]).await;
    // Beside another realm's issuer and audience.
    let same_pair = Desk
        .gate()
        .share(&first)
        .realm("staff")
        .issuer(ISSUER)
        .build();
    refused(
        same_pair,
        &["the realm `staff`", "the default realm", API, ISSUER],
    )
    .await;
}

/// As after a deploy: the first gate is gone, what the store has written down is not.
#[tokio::test]
async fn a_change_of_a_realm_needs_the_old_value_by_name() {
    for (_guard, store) in stores().await {
        let ring = ring();
        drop(shop(&store, &ring).build().await.unwrap());
        let moved = || shop(&store, &ring).audience("https://new.example.com");
        refused(
            moved().build(),
            &[
                "https://new.example.com",
                "https://api.example.com",
                "replaces.audience",
            ],
        )
        .await;
        let of = |audience: &str| Replaces {
            audience: Some(audience.to_owned()),
            ..Replaces::default()
        };
        refused(
            moved().replaces(of("other")).build(),
            &["replaces.audience"],
        )
        .await;
        drop(
            moved()
                .replaces(of("https://api.example.com"))
                .build()
                .await
                .unwrap(),
        );
        drop(moved().build().await.expect("written down"));
        drop(
            shop(&store, &ring)
                .build()
                .await
                .expect("while it is rolled out"),
        );
        drop(
            moved()
                .build()
                .await
                .expect("the old gate has written nothing"),
        );
        let third = shop(&store, &ring).audience("https://third.example.com");
        let third = third.replaces(of("https://api.example.com"));
        refused(
            third.build(),
            &["https://third.example.com", "https://new.example.com"],
        )
        .await;
    }
}

#[tokio::test]
async fn a_gate_that_could_not_be_built_writes_nothing_down() {
    let (store, ring) = (Store::from(MemoryStore::new()), ring());
    let memory = MemoryStore::new();
    drop(shop(&store, &ring));
    let store = Store::from(memory.clone());
    let builder = shop(&store, &ring).leeway(Duration::from_secs(3600));
    builder.build().await.unwrap_err();
    assert!(memory.realms().await.unwrap().is_empty());
    shop(&store, &ring).build().await.unwrap();
    assert_eq!(memory.realms().await.unwrap().len(), 1);
}

#[tokio::test]
async fn the_first_named_realm_beside_live_sessions_asks_who_opened_them() {
    for several in [false, true] {
        let (store, ring) = (Store::from(MemoryStore::new()), ring());
        let shop = shop(&store, &ring).build().await.unwrap();
        let issued = shop
            .sign_in(Customer { id: 1 }, &Client::unknown())
            .await
            .unwrap();
        let letter: ActionToken<PasswordReset> = shop.action_token(&1, "a@b").await.unwrap();
        let desk = || Desk.gate().share(&shop).realm("staff").audience(STAFF);
        refused(
            desk().build(),
            &[
                "the realm `staff`",
                "Before::OneGate",
                "Before::SeveralGates",
            ],
        )
        .await;
        let before = if several {
            Before::SeveralGates
        } else {
            Before::OneGate
        };
        drop(desk().realm_before(before).build().await.unwrap());
        let lives = shop
            .sessions()
            .get(issued.session_id)
            .await
            .unwrap()
            .is_some();
        assert_eq!(lives, !several);
        assert_eq!(letter.consume(&shop).await.is_ok(), !several);
        shop.sign_in(Customer { id: 2 }, &Client::unknown())
            .await
            .unwrap();
        drop(desk().build().await.expect("it is not asked again"));
        let third = Desk
            .gate()
            .share(&shop)
            .realm("third")
            .audience("https://third.example");
        drop(third.build().await.expect("nor for another realm"));
        assert_eq!(shop.sessions().of(2).await.unwrap().len(), 1);
    }
}

/// Each gate is asked for the token in its own header and scheme.
#[tokio::test]
async fn a_route_for_both_reads_each_gates_own_header_and_scheme() {
    let store = Store::from(MemoryStore::new());
    let shop = shop(&store, &ring()).build().await.unwrap();
    let desk = Desk.gate().share(&shop).realm("staff").audience(STAFF);
    let desk = desk.access_header("x-staff").access_schemes(["Staff"]);
    let desk = desk.build().await.unwrap();
    let both = Both { shop, desk };
    let customer = sign_in(&both, "/auth").await["access_token"].clone();
    let employee = sign_in(&both, "/staff/auth").await["access_token"].clone();
    let [customer, employee] = [customer, employee].map(|token| token.as_str().unwrap().to_owned());
    let ask = async |headers: &[(&str, &str, &str)]| {
        let mut request = http::Request::get("/either");
        for (header, scheme, token) in headers {
            request = request.header(*header, format!("{scheme} {token}"));
        }
        both.send(request.body(axum::body::Body::empty()).unwrap())
            .await
    };
    let (of_shop, of_desk) = (("authorization", "Bearer"), ("x-staff", "Staff"));
    let told = ask(&[(of_shop.0, of_shop.1, &customer)]).await;
    assert_eq!(told.text, "customer");
    let told = ask(&[(of_desk.0, of_desk.1, &employee)]).await;
    assert_eq!(told.text, "employee");
    for (header, scheme, token) in [
        ("authorization", "Bearer", &employee),
        ("x-staff", "Staff", &customer),
        ("x-staff", "Bearer", &employee),
        ("authorization", "Staff", &customer),
    ] {
        let refused = ask(&[(header, scheme, token)]).await;
        assert_eq!(
            refused.status,
            StatusCode::UNAUTHORIZED,
            "{header} {scheme}"
        );
    }
    let two = [
        (of_shop.0, of_shop.1, &*customer),
        (of_desk.0, of_desk.1, &*employee),
    ];
    ask(&two).await.assert_problem(400, "invalid_request");
}

/// Only the first named realm can be what a store of before did not know.
#[tokio::test]
async fn a_second_named_realm_asks_nothing_where_the_first_was_opened_on_an_empty_store() {
    let (store, ring) = (Store::from(MemoryStore::new()), ring());
    let shop = shop(&store, &ring).build().await.unwrap();
    let desk = Desk.gate().share(&shop).realm("staff").audience(STAFF);
    drop(desk.build().await.unwrap());
    let ada = Customer { id: 1 };
    shop.sign_in(ada, &Client::unknown()).await.unwrap();
    let third = Desk.gate().share(&shop).realm("third");
    let third = third.audience("https://third.example");
    drop(
        third
            .build()
            .await
            .expect("the sessions are of the gate of the default realm"),
    );
    assert_eq!(shop.sessions().of(1).await.unwrap().len(), 1);
}

/// Programs of a release without realms may have opened sessions after the first named realm.
#[tokio::test]
async fn a_second_named_realm_asks_where_no_gate_of_the_default_realm_is_on_record() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tollgate.db");
    let (store, ring) = (Store::from(SqliteStore::open(&file).await.unwrap()), ring());
    drop(desk(&store, &ring).build().await.unwrap());
    let shop = shop(&store, &ring).build().await.unwrap();
    let ada = Customer { id: 1 };
    shop.sign_in(ada, &Client::unknown()).await.unwrap();
    shop.shutdown().await.unwrap();
    drop(shop);
    let rows = rusqlite::Connection::open(&file).unwrap();
    let of_default = "DELETE FROM tg_realm WHERE name = ''";
    assert_eq!(rows.execute(of_default, []).unwrap(), 1);
    let third = || {
        let third = desk(&store, &ring).realm("third");
        third.audience("https://third.example")
    };
    refused(
        third().build(),
        &["the realm `third`", "Before::SeveralGates"],
    )
    .await;
    drop(third().realm_before(Before::OneGate).build().await.unwrap());
}

/// A ring that was just made would end the sessions of every realm.
#[tokio::test]
async fn a_lost_ring_is_noticed_from_the_sessions_of_any_realm() {
    let store = Store::from(MemoryStore::new());
    let first = both(&store).await;
    let issued = first
        .desk
        .sign_in(Employee { id: 1 }, &Client::unknown())
        .await
        .unwrap();
    drop(first);
    let folder = tempfile::tempdir().unwrap();
    let fresh = KeyRing::open(folder.path()).await.unwrap();
    refused(shop(&store, &fresh).build(), &["keys.accept_new"]).await;
    let shop = shop(&store, &fresh)
        .accept_new_keys()
        .build()
        .await
        .unwrap();
    let desk = Desk.gate().share(&shop).realm("staff").audience(STAFF);
    let desk = desk.build().await.unwrap();
    assert!(
        desk.sessions()
            .get(issued.session_id)
            .await
            .unwrap()
            .is_none()
    );
}

/// The default realm may hold sessions of a release that wrote no record of it.
#[tokio::test]
async fn a_lost_ring_is_noticed_from_sessions_of_a_default_realm_that_no_gate_has_opened() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tollgate.db");
    let store = Store::from(SqliteStore::open(&file).await.unwrap());
    let shop = shop(&store, &ring()).build().await.unwrap();
    let ada = Customer { id: 1 };
    shop.sign_in(ada, &Client::unknown()).await.unwrap();
    shop.shutdown().await.unwrap();
    drop(shop);
    let rows = rusqlite::Connection::open(&file).unwrap();
    assert_eq!(rows.execute("DELETE FROM tg_realm", []).unwrap(), 1);

    let fresh = KeyRing::open(folder.path().join("keys")).await.unwrap();
    let desk = desk(&store, &fresh).realm_before(Before::OneGate);
    refused(desk.build(), &["keys.accept_new", "the default realm"]).await;
}

/// A gate with a ring of its own says nothing of the sessions that another ring signs.
#[tokio::test]
async fn a_new_ring_of_one_realm_leaves_the_sessions_of_another_ring() {
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = Store::from(MemoryStore::new());
    let of_shop = KeyRing::open(first.path()).await.unwrap();
    let shop = shop(&store, &of_shop).build().await.unwrap();
    let ada = Customer { id: 1 };
    let issued = shop.sign_in(ada, &Client::unknown()).await.unwrap();
    let of_desk = KeyRing::open(second.path()).await.unwrap();
    let staff = desk(&store, &of_desk).realm_before(Before::OneGate);
    let staff = staff.build().await.unwrap();
    let unknown = Client::unknown();
    let theirs = staff.sign_in(Employee { id: 1 }, &unknown);
    let theirs = theirs.await.unwrap();

    assert_eq!(shop.sessions().of(1).await.unwrap().len(), 1);
    assert_eq!(staff.sessions().of(1).await.unwrap().len(), 1);
    shop.credentials_changed(&1, EndSessions::All)
        .await
        .unwrap();
    assert!(shop.verify(&issued.access_token).await.is_err());
    assert!(staff.verify(&theirs.access_token).await.is_ok());
    assert!(shop.verify(&theirs.access_token).await.is_err());

    // A ring that is lost is noticed from the sessions of its own realm, beside another that runs.
    drop(staff);
    let third = tempfile::tempdir().unwrap();
    let lost = KeyRing::open(third.path()).await.unwrap();
    refused(
        desk(&store, &lost).build(),
        &["keys.accept_new", "the realm `staff`"],
    )
    .await;
}

#[tokio::test]
async fn a_bad_name_is_reported_with_the_other_problems() {
    let store = Store::from(MemoryStore::new());
    let builder = shop(&store, &ring())
        .realm("Staff")
        .leeway(Duration::from_secs(3600));
    refused(builder.build(), &["`realm`", "`Staff`", "`leeway`"]).await;
}

const FILE: &str = "
issuer = 'https://accounts.example.com'
audience = 'https://api.example.com'
[access]
ttl = '5m'
[realms.eu-staff]
audience = 'https://staff.example.com'
access.ttl = '1m'
replaces = { kind = 'people' }
";

#[test]
fn the_settings_of_a_realm_lie_over_those_of_all_but_for_the_audience() {
    let file = Some(("tollgate.toml", FILE));
    let env = [("TOLLGATE_REALMS__EU_STAFF__SESSION__IDLE", "2h")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let top = Settings::from_sources(file, env.clone()).unwrap();
    assert_eq!(
        (top.access.ttl, top.realm),
        (Duration::from_secs(300), None)
    );
    let staff = Settings::realm_from_sources("eu-staff", file, env).unwrap();
    assert_eq!(staff.realm.as_deref(), Some("eu-staff"));
    assert_eq!(
        staff.issuer.as_deref(),
        Some("https://accounts.example.com")
    );
    assert_eq!(staff.audience.as_deref(), Some(STAFF));
    assert_eq!(staff.access.ttl, Duration::from_secs(60));
    assert_eq!(staff.session.idle, Duration::from_secs(7200));
    assert_eq!(staff.replaces.kind.as_deref(), Some("people"));
    // A change of the default realm's identity is none of another realm's.
    let moved = "issuer = 'https://new.example'\nreplaces.issuer = 'https://old.example'";
    let moved = Settings::realm_from_sources("staff", Some(("t.toml", moved)), []).unwrap();
    assert_eq!(moved.replaces, tollgate::settings::Replaces::default());
    let other = Settings::realm_from_sources("other", file, []).unwrap();
    assert_eq!(
        (other.audience, other.access.ttl),
        (None, Duration::from_secs(300))
    );
}

#[test]
fn settings_below_a_realm_are_checked_whoever_reads_them() {
    let file = "[realms.staff]\nacess.ttl = '1m'\nleeway = 'soon'\n[realms.Bad]\nleeway = '1s'";
    let env = [
        ("TOLLGATE_REALMS__STAFF__AUDIENC", "x"),
        ("TOLLGATE_REALMS__A__B__LEEWAY", "1s"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let error = Settings::from_sources(Some(("t.toml", file)), env)
        .unwrap_err()
        .to_string();
    for word in [
        "realms.staff.acess",
        "`realms.staff.leeway`",
        "`Bad`",
        "did you mean `TOLLGATE_REALMS__STAFF__AUDIENCE`",
        "`TOLLGATE_REALMS__A__B__LEEWAY`",
    ] {
        assert!(error.contains(word), "`{word}` in: {error}");
    }
}

#[tokio::test]
async fn keys_and_store_inside_a_realm_are_refused_where_they_are_shared() {
    let shop = shop(&Store::from(MemoryStore::new()), &ring())
        .build()
        .await
        .unwrap();
    let file = "issuer = 'https://accounts.example.com'\n[realms.staff]\naudience = 'x'\n\
                store.url = 'memory:'\nkeys.accept_new = true";
    let settings = Settings::realm_from_sources("staff", Some(("t.toml", file)), []).unwrap();
    let building = Desk.gate().share(&shop).settings(settings).build();
    refused(building, &["`store.url`", "`keys.accept_new`"]).await;
}

pub(crate) async fn ask(
    app: &Router,
    method: Method,
    path: &str,
    body: Option<Value>,
    jar: &Jar,
) -> Answer {
    let asked = jar.send(request(method, path, None, body));
    Answer::of(app.clone().oneshot(asked).await.unwrap()).await
}
