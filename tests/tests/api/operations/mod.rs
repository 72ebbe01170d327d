//! The routes for operations: whether the gate is well, and what administrators of another realm
//! may see and change.

mod document;
mod groups;
mod lists;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use tollgate::clock::Clock;
use tollgate::event::{Event, EventKind, RevokedTarget};
use tollgate::keys::{Algorithm, KeyRing};
use tollgate::prelude::*;
use tollgate::settings::Registry;
use tollgate::store::{Fact, LogCursor, SessionStore as _};
use tollgate_tests::{Answer, OtherStore, request};
use tower::ServiceExt as _;

use crate::cookies::{Jar, with};

#[derive(Clone, Debug, JwtClaims)]
struct Customer {
    #[claim(sub)]
    id: u64,
}

#[auth_backend(username, user = Customer, refresh(from = stored))]
struct Shop;

impl Authenticate for Shop {
    async fn authenticate(&self, _: UsernameLogin, _: &Client) -> Result<Customer, AuthError> {
        Ok(Customer { id: 1 })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ClaimValue)]
enum Rank {
    Chief,
    Clerk,
}

#[derive(Clone, Debug, JwtClaims)]
struct Employee {
    #[claim(sub)]
    id: u64,
    #[claim(roles)]
    ranks: Vec<Rank>,
}

#[derive(Policy)]
#[policy(role = Rank::Chief)]
struct Chiefs;

#[auth_backend(username, user = Employee, refresh(from = stored), prefix = "/staff/auth")]
struct Desk;

impl Authenticate for Desk {
    async fn authenticate(&self, login: UsernameLogin, _: &Client) -> Result<Employee, AuthError> {
        let (id, rank) = match &*login.username {
            "chief" => (7, Rank::Chief),
            _ => (8, Rank::Clerk),
        };
        Ok(Employee {
            id,
            ranks: vec![rank],
        })
    }
}

/// Customers, the staff of another realm, and the routes of both.
struct Office {
    shop: Gate<Shop>,
    desk: Gate<Desk>,
    clock: Clock,
    events: Arc<Mutex<Vec<Event>>>,
    app: Router,
}

impl Office {
    async fn new() -> Self {
        Self::on(OtherStore::new()).await
    }

    /// Keeps the sessions of all in this store.
    async fn on(store: impl Into<tollgate::store::Store>) -> Self {
        Self::with(store, None).await
    }

    /// Signs with the keys of this ring, or with fresh ones of the clock.
    async fn with(store: impl Into<tollgate::store::Store>, ring: Option<KeyRing>) -> Self {
        let events: Arc<Mutex<Vec<Event>>> = Arc::default();
        let keep = Arc::clone(&events);
        let (builder, clock) = tollgate::testing::ready(Shop.gate()).unwrap();
        let builder = match ring {
            Some(ring) => builder.keys(ring),
            None => builder,
        };
        let shop = builder
            .store(store)
            .cookies("/auth")
            .registry(Registry::Tokens)
            .on_event(move |event| keep.lock().unwrap().push(event.clone()))
            .build()
            .await
            .unwrap();
        let desk = Desk.gate().share(&shop).realm("staff");
        let desk = desk
            .audience("desk")
            .clock(clock.clone())
            .build()
            .await
            .unwrap();
        let admin = shop.admin_router(tollgate::by::<Employee, Chiefs>(&desk));
        let figures = shop.health_figures(tollgate::by::<Employee, Chiefs>(&desk));
        let app = ProtectedRouter::<()>::new()
            .nest("/admin", admin)
            .nest("/well", shop.health_router())
            .nest("/inside", figures)
            .nest("/other-port", shop.health_figures_for_anyone());
        let app = tollgate::install(app, (&shop, &desk));
        Self {
            shop,
            desk,
            clock,
            events,
            app,
        }
    }

    async fn send(&self, request: http::Request<axum::body::Body>) -> Answer {
        Answer::of(self.app.clone().oneshot(request).await.unwrap()).await
    }

    /// Signs in with tokens in the body.
    async fn sign_in(&self, prefix: &str, name: &str) -> String {
        let body = json!({"username": name, "password": "x", "transport": "body"});
        let path = format!("{prefix}/auth/signin");
        let answer = self
            .send(request(Method::POST, &path, None, Some(body)))
            .await;
        answer.json()["access_token"].as_str().unwrap().to_owned()
    }

    async fn ask(&self, method: Method, path: &str, token: &str) -> Answer {
        self.send(request(method, path, Some(token), None)).await
    }

    /// Returns what administrators of the staff did, to whom, and who they were.
    fn acts(&self) -> Vec<(&'static str, String, Option<String>)> {
        let events = std::mem::take(&mut *self.events.lock().unwrap());
        let act = |event: Event| match event.kind {
            EventKind::Administered {
                act, by, by_realm, ..
            } => {
                assert_eq!(by_realm.unwrap().as_str(), "staff");
                Some((act, by, event.subject))
            }
            _ => None,
        };
        events.into_iter().filter_map(act).collect()
    }
}

const ROUTES: [(Method, &str); 11] = [
    (Method::GET, "/admin/keys"),
    (Method::POST, "/admin/keys/rotate"),
    (Method::DELETE, "/admin/keys/refresh-0"),
    (Method::POST, "/admin/pause"),
    (Method::POST, "/admin/resume"),
    (Method::GET, "/admin/subjects/1/sessions"),
    (Method::DELETE, "/admin/subjects/1/sessions"),
    (Method::DELETE, "/admin/sessions/AAAAAAAAAAAAAAAAAAAAAA"),
    (Method::GET, "/admin/subjects/1/tokens"),
    (Method::DELETE, "/admin/tokens/AAAAAAAAAAAAAAAAAAAAAA"),
    (Method::GET, "/inside/health"),
];

#[tokio::test]
async fn only_administrators_of_the_named_gate_are_admitted() {
    let office = Office::new().await;
    let customer = office.sign_in("", "ada").await;
    let clerk = office.sign_in("/staff", "clerk").await;
    for (method, path) in ROUTES {
        let anyone = office.send(request(method.clone(), path, None, None)).await;
        anyone.assert_problem(401, "missing_token");
        let other = office.ask(method.clone(), path, &customer).await;
        other.assert_problem(401, "invalid_token");
        let lower = office.ask(method, path, &clerk).await;
        lower.assert_problem(403, "forbidden");
    }
    assert_eq!(office.acts(), []);
    assert!(!office.shop.health().await.is_paused);
}

#[tokio::test]
async fn an_administrator_authenticated_lately() {
    let office = Office::new().await;
    let chief = office.sign_in("/staff", "chief").await;
    assert_eq!(
        office.ask(Method::GET, "/admin/keys", &chief).await.status,
        StatusCode::OK
    );
    office.clock.advance(Duration::from_secs(16 * 60));
    let (chief, client) = (vec![Rank::Chief], Client::unknown());
    let signed_in = office.desk.sign_in(
        Employee {
            id: 7,
            ranks: chief,
        },
        &client,
    );
    let issued = signed_in.await.unwrap();
    office.clock.advance(Duration::from_secs(16 * 60));
    let again = office.desk.refresh(issued.refresh_token.expose(), &client);
    let stale = again.await.unwrap().access_token;
    for (method, path) in ROUTES
        .into_iter()
        .filter(|(_, path)| path.starts_with("/admin"))
    {
        let refused = office.ask(method, path, &stale).await;
        refused.assert_problem(401, "insufficient_user_authentication");
        let challenge = refused.headers["www-authenticate"].to_str().unwrap();
        assert!(challenge.contains("max_age=\"900\""), "{challenge}");
    }
    // Figures change nothing. The clock went on without the tasks, so the gate is not well.
    let figures = office.ask(Method::GET, "/inside/health", &stale).await;
    assert_eq!(figures.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(figures.json()["is_well"], false);
    assert_eq!(office.acts(), []);
}

#[tokio::test]
async fn sessions_and_tokens_of_a_subject_are_listed_and_ended() {
    let office = Office::new().await;
    let chief = office.sign_in("/staff", "chief").await;
    let first = office.sign_in("", "ada").await;
    // The list begins with the oldest.
    office.clock.advance(Duration::from_secs(1));
    let customers = [first, office.sign_in("", "ada").await];
    let sessions = office
        .ask(Method::GET, "/admin/subjects/1/sessions", &chief)
        .await
        .json();
    assert_eq!(sessions.as_array().unwrap().len(), 2);
    // The staff's own sessions are in another realm.
    let own = office
        .ask(Method::GET, "/admin/subjects/7/sessions", &chief)
        .await
        .json();
    assert_eq!(own, json!([]));
    let tokens = office
        .ask(Method::GET, "/admin/subjects/1/tokens", &chief)
        .await
        .json();
    assert_eq!(tokens.as_array().unwrap().len(), 4, "{tokens}");
    let is_live = async |token: &str| {
        let answer = office.ask(Method::GET, "/auth/sessions", token).await;
        answer.status == StatusCode::OK
    };
    let sid = sessions[0]["session_id"].as_str().unwrap();
    let path = format!("/admin/sessions/{sid}");
    let ended = office.ask(Method::DELETE, &path, &chief).await;
    assert_eq!(ended.status, StatusCode::NO_CONTENT, "{}", ended.text);
    assert!(!is_live(&customers[0]).await && is_live(&customers[1]).await);
    let again = office.ask(Method::DELETE, &path, &chief).await;
    again.assert_problem(404, "not_found");
    let access = tokens.as_array().unwrap().iter().find(|token| {
        token["kind"] == "access" && token["session_id"] == sessions[1]["session_id"]
    });
    let path = format!(
        "/admin/tokens/{}",
        access.unwrap()["token_id"].as_str().unwrap()
    );
    let revoked = office.ask(Method::DELETE, &path, &chief).await;
    assert_eq!(revoked.status, StatusCode::NO_CONTENT);
    assert!(!is_live(&customers[1]).await);
    let all = office
        .ask(Method::DELETE, "/admin/subjects/1/sessions", &chief)
        .await;
    assert_eq!(all.json(), json!({"sessions": 1}));
    let (by, of) = ("7".to_owned(), Some("1".to_owned()));
    assert_eq!(
        office.acts(),
        [
            ("end_session", by.clone(), of.clone()),
            ("revoke_token", by.clone(), of.clone()),
            ("end_sessions", by, of),
        ]
    );
}

#[tokio::test]
async fn keys_are_rotated_and_a_deployment_is_paused() {
    let office = Office::new().await;
    office.clock.advance(Duration::from_secs(16 * 60));
    let chief = office.sign_in("/staff", "chief").await;
    let before = office.ask(Method::GET, "/admin/keys", &chief).await.json();
    let rotated = office.ask(Method::POST, "/admin/keys/rotate", &chief).await;
    assert_eq!(rotated.status, StatusCode::OK, "{}", rotated.text);
    assert_ne!(rotated.json()["current"], before["current"]);
    let early = office.ask(Method::POST, "/admin/keys/rotate", &chief).await;
    early.assert_problem(400, "invalid_request");
    let unknown = office
        .ask(Method::DELETE, "/admin/keys/nothing", &chief)
        .await;
    unknown.assert_problem(404, "not_found");
    // A key that is retired already is still there.
    let path = "/admin/keys/refresh-1";
    let retired = office.ask(Method::DELETE, path, &chief).await;
    assert_eq!(retired.status, StatusCode::ACCEPTED, "{}", retired.text);
    let again = office.ask(Method::DELETE, path, &chief).await;
    again.assert_problem(400, "invalid_request");
    // Customers are paused; their administrators are of another realm.
    for (act, is_paused) in [("pause", true), ("resume", false)] {
        let done = office
            .ask(Method::POST, &format!("/admin/{act}"), &chief)
            .await;
        assert_eq!(done.status, StatusCode::NO_CONTENT);
        assert_eq!(office.shop.health().await.is_paused, is_paused);
        assert!(!office.desk.health().await.is_paused);
    }
    let acts: Vec<_> = office.acts().into_iter().map(|(act, ..)| act).collect();
    assert_eq!(acts, ["rotate_keys", "retire_key", "pause", "resume"]);
}

/// What is done is reported, and the answer is true, also if the store fails right afterwards.
#[tokio::test]
async fn an_act_that_took_place_is_reported_even_if_the_log_cannot_be_used() {
    let store = OtherStore::new();
    let office = Office::on(store.clone()).await;
    office.clock.advance(Duration::from_secs(16 * 60));
    let customer = office.sign_in("", "ada").await;
    let before = office.shop.keys().current();
    office.shop.keys().rotate().await.unwrap();
    // The staff has the same ring.
    let chief = office.sign_in("/staff", "chief").await;
    let after = office.sign_in("", "ada").await;
    office.events.lock().unwrap().clear();

    // The key is out of the ring before the log is written to.
    store.on_each(|operation| match operation {
        "revoke" => tollgate_tests::Act::Fail,
        _ => tollgate_tests::Act::Run,
    });
    let path = format!("/admin/keys/{before}");
    let retired = office.ask(Method::DELETE, &path, &chief).await;
    assert_eq!(retired.status, StatusCode::ACCEPTED, "{}", retired.text);
    assert_eq!(retired.json(), json!({"within": 10}));
    let kinds: Vec<_> = std::mem::take(&mut *office.events.lock().unwrap());
    let kinds: Vec<_> = kinds.into_iter().map(|event| event.kind).collect();
    assert_eq!(
        kinds,
        [
            EventKind::Revoked {
                target: RevokedTarget::Key,
                sessions: 0,
                reason: "requested"
            },
            EventKind::Administered {
                act: "retire_key",
                by: "7".to_owned(),
                by_realm: Some("staff".parse().unwrap()),
                key: Some(before.to_string()),
            }
        ]
    );
    assert!(office.shop.verify(&customer).await.is_err());
    assert!(office.shop.verify(&after).await.is_ok());

    // The log gets the key as soon as the store answers, for nodes that cannot read the ring.
    store.behave();
    let gone = Fact::Key(before.to_string());
    let logged = async {
        loop {
            let page = store.log_since(LogCursor::START, office.clock.now()).await;
            if page.unwrap().entries.iter().any(|entry| entry.fact == gone) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let logged = tokio::time::timeout(Duration::from_secs(30), logged).await;
    assert!(logged.is_ok(), "the key is never logged");

    // The store has the pause before the log is read.
    for (act, is_paused) in [("pause", true), ("resume", false)] {
        let has_set = AtomicBool::new(false);
        store.on_each(move |operation| {
            let has_set = has_set.fetch_or(operation == "set_paused", Ordering::SeqCst);
            match operation {
                "log_since" if has_set => tollgate_tests::Act::Fail,
                _ => tollgate_tests::Act::Run,
            }
        });
        let path = format!("/admin/{act}");
        let done = office.ask(Method::POST, &path, &chief).await;
        assert_eq!(done.status, StatusCode::NO_CONTENT, "{}", done.text);
        // A node that cannot read the log pauses all the same, and resumes when it can.
        assert!(office.shop.health().await.is_paused, "{act}");
        store.behave();
        let read = async {
            while office.shop.health().await.is_paused != is_paused {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let read = tokio::time::timeout(Duration::from_secs(30), read).await;
        assert!(read.is_ok(), "{act}: the log is read again");
        assert_eq!(office.acts(), [(act, "7".to_owned(), None)]);
    }

    // Where the store has nothing, nothing was done.
    store.on_each(|operation| match operation {
        "set_paused" => tollgate_tests::Act::Fail,
        _ => tollgate_tests::Act::Run,
    });
    let refused = office.ask(Method::POST, "/admin/pause", &chief).await;
    refused.assert_problem(503, "unavailable");
    assert!(!office.shop.health().await.is_paused);
    assert_eq!(office.acts(), []);
}

/// An administrator who leaves after the store has the pause is reported all the same.
#[tokio::test]
async fn an_act_is_finished_and_reported_although_its_client_leaves() {
    let store = OtherStore::new();
    let office = Office::on(store.clone()).await;
    let chief = office.sign_in("/staff", "chief").await;
    let has_set = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&has_set);
    store.on_each(move |operation| {
        let has_set = has_set.fetch_or(operation == "set_paused", Ordering::SeqCst);
        match operation {
            "log_since" if has_set => tollgate_tests::Act::Hang,
            _ => tollgate_tests::Act::Run,
        }
    });
    let until = async |holds: &dyn Fn() -> bool| {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let has_set = || seen.load(Ordering::SeqCst);
    tokio::select! {
        answer = office.ask(Method::POST, "/admin/pause", &chief) => panic!("{}", answer.text),
        () = until(&has_set) => {}
    }
    store.behave();
    let is_act = |event: &Event| matches!(event.kind, EventKind::Administered { .. });
    let reported = || office.events.lock().unwrap().iter().any(is_act);
    let reported = tokio::time::timeout(Duration::from_secs(30), until(&reported)).await;
    assert!(reported.is_ok(), "{:?}", office.events.lock().unwrap());
    assert_eq!(office.acts(), [("pause", "7".to_owned(), None)]);
}

#[tokio::test]
async fn a_key_is_retired() {
    let office = Office::new().await;
    office.clock.advance(Duration::from_secs(16 * 60));
    let customer = office.sign_in("", "ada").await;
    let before = office.shop.keys().current();
    office.shop.keys().rotate().await.unwrap();
    // The staff has the same ring.
    let chief = office.sign_in("/staff", "chief").await;
    assert!(office.shop.verify(&customer).await.is_ok());
    let path = format!("/admin/keys/{before}");
    let retired = office.ask(Method::DELETE, &path, &chief).await;
    assert_eq!(retired.status, StatusCode::NO_CONTENT, "{}", retired.text);
    assert!(office.shop.verify(&customer).await.is_err());
    let events = std::mem::take(&mut *office.events.lock().unwrap());
    let acts = events.iter().filter_map(|event| match &event.kind {
        EventKind::Administered { act, key, .. } => Some((*act, key.as_deref())),
        _ => None,
    });
    let acts: Vec<_> = acts.collect();
    assert_eq!(acts, [("retire_key", Some(&*before))]);
    // The ring forgets a key that signed.
    let again = office.ask(Method::DELETE, &path, &chief).await;
    again.assert_problem(404, "not_found");
    // Nodes learn of a key that seals from the ring alone.
    let numbered = office.ask(Method::DELETE, "/admin/keys/seal-1", &chief);
    let numbered = numbered.await;
    assert_eq!(numbered.status, StatusCode::ACCEPTED, "{}", numbered.text);
    assert_eq!(numbered.json(), json!({"within": 10}));
}

/// A page of another origin cannot make a browser of an administrator act.
#[tokio::test]
async fn a_cookie_of_an_administrator_counts_from_this_origin_alone() {
    let office = Office::new().await;
    let body = json!({"username": "chief", "password": "x"});
    let signed_in = office
        .send(request(
            Method::POST,
            "/staff/auth/signin",
            None,
            Some(body),
        ))
        .await;
    let mut jar = Jar::default();
    jar.take(&signed_in);
    let pause = |site: &'static str| {
        let asked = request(Method::POST, "/admin/pause", None, None);
        jar.send(with(asked, &[("sec-fetch-site", site)]))
    };
    let refused = office.send(pause("cross-site")).await;
    refused.assert_problem(403, "csrf");
    assert!(!office.shop.health().await.is_paused);
    let done = office.send(pause("same-origin")).await;
    assert_eq!(done.status, StatusCode::NO_CONTENT, "{}", done.text);
    assert!(office.shop.health().await.is_paused);
}

#[tokio::test]
async fn the_routes_are_in_the_document_with_who_may_call_them() {
    let office = Office::new().await;
    let document = office
        .send(request(Method::GET, "/openapi.json", None, None))
        .await;
    let document: Value = document.json();
    for (method, path, security) in [
        ("get", "/admin/keys", "staff_access_token"),
        ("delete", "/admin/keys/{name}", "staff_access_token"),
        ("post", "/admin/pause", "staff_access_token"),
        (
            "get",
            "/admin/subjects/{subject}/sessions",
            "staff_access_token",
        ),
        (
            "delete",
            "/admin/subjects/{subject}/sessions",
            "staff_access_token",
        ),
        ("get", "/inside/health", "staff_access_token"),
    ] {
        let operation = &document["paths"][path][method];
        assert!(operation["operationId"].is_string(), "{method} {path}");
        assert!(
            operation["security"][0].get(security).is_some(),
            "{method} {path}"
        );
    }
    assert_eq!(
        document["paths"]["/well/ready"]["get"]["security"],
        json!([])
    );
}

#[tokio::test]
async fn everybody_learns_whether_the_gate_is_ready_and_no_more() {
    let office = Office::new().await;
    for (path, status) in [("/well/live", "live"), ("/well/ready", "ready")] {
        let answer = office.send(request(Method::GET, path, None, None)).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.json(), json!({"status": status}));
        assert_eq!(answer.headers["cache-control"], "no-store");
    }
    let figures = office
        .send(request(Method::GET, "/other-port/health", None, None))
        .await;
    assert_eq!(figures.json()["is_well"], true);
    assert_eq!(figures.json()["is_paused"], false);
}

/// A paused gate is ready: a load balancer that took all nodes away could not show the pause.
#[tokio::test]
async fn a_paused_gate_is_ready_and_says_so_in_its_figures() {
    let office = Office::new().await;
    office.shop.pause().await.unwrap();
    let ask = async |path: &str| office.send(request(Method::GET, path, None, None)).await;
    assert_eq!(ask("/well/ready").await.status, StatusCode::OK);
    let figures = ask("/other-port/health").await;
    assert_eq!(figures.status, StatusCode::OK);
    assert_eq!(figures.json()["is_paused"], true);
}

/// Where the administrators are users of the paused gate itself, nobody is admitted: the pause ends
/// from code.
#[tokio::test]
async fn administrators_of_the_paused_realm_are_paused_too() {
    let office = Office::new().await;
    let chief = office.sign_in("/staff", "chief").await;
    let own = office
        .desk
        .admin_router(tollgate::by::<Employee, Chiefs>(&office.desk));
    let app: Router = tollgate::install(
        ProtectedRouter::<()>::new().nest("/own", own),
        (&office.desk,),
    );
    let ask = async |path: &str| {
        let asked = request(Method::POST, path, Some(&chief), None);
        Answer::of(app.clone().oneshot(asked).await.unwrap()).await
    };
    assert_eq!(ask("/own/pause").await.status, StatusCode::NO_CONTENT);
    ask("/own/resume").await.assert_problem(503, "unavailable");
    assert!(office.desk.health().await.is_paused);
    office.desk.resume().await.unwrap();
    assert_eq!(ask("/own/resume").await.status, StatusCode::NO_CONTENT);
}

/// What load balancers ask every second, and a document of many pages, cost a few strings.
#[test]
fn health_and_the_document_allocate_a_few_strings() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let office = runtime.block_on(Office::new());
    for path in ["/well/live", "/well/ready", "/openapi.json"] {
        let app = office.app.clone();
        let ask = || {
            let asked = request(Method::GET, path, None, None);
            let answer = runtime.block_on(app.clone().oneshot(asked)).unwrap();
            assert_eq!(answer.status(), StatusCode::OK);
            answer
        };
        let answer = runtime.block_on(Answer::of(ask()));
        let mut bytes = u64::MAX;
        // Tasks of the gate may run beside one of the questions.
        for _ in 0..5 {
            bytes = bytes.min(allocation_counter::measure(|| drop(ask())).bytes_total);
        }
        assert!(bytes < 16 * 1024, "{path}: {bytes} bytes");
        if path == "/openapi.json" {
            assert!(answer.text.len() > 32 * 1024, "{}", answer.text.len());
        }
    }
}

/// However often everybody asks, the store is asked once a second at most.
#[tokio::test]
async fn the_store_is_not_asked_for_each_question() {
    let store = OtherStore::new();
    let (builder, _) = tollgate::testing::ready(Shop.gate()).unwrap();
    let ring = KeyRing::generate(Algorithm::EdDSA).unwrap();
    let builder = builder
        .clock(Clock::system())
        .keys(ring)
        .store(store.clone());
    let gate = builder.build().await.unwrap();
    let app: Router = gate.health_router().into_router();
    let asked = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&asked);
    store.on_each(move |operation| {
        count.fetch_add(u64::from(operation == "health"), Ordering::SeqCst);
        tollgate_tests::Act::Run
    });
    let began = Instant::now();
    for _ in 0..1000 {
        let question = request(Method::GET, "/ready", None, None);
        let answer = app.clone().oneshot(question).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
    }
    // The first question is answered by the store, and one more each second.
    let (asked, most) = (asked.load(Ordering::SeqCst), 1 + began.elapsed().as_secs());
    assert!(
        (1..=most).contains(&asked),
        "{asked} of 1000, at most {most}"
    );
    store.on_each(|_| tollgate_tests::Act::Fail);
    let unready = async {
        loop {
            let question = request(Method::GET, "/ready", None, None);
            let answer = Answer::of(app.clone().oneshot(question).await.unwrap()).await;
            if answer.status == StatusCode::SERVICE_UNAVAILABLE {
                return answer.json();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert_eq!(unready.await, json!({"status": "unready"}));
}

/// A ring that cannot be read or written is no fault of the request.
#[tokio::test]
async fn a_ring_that_cannot_be_written_is_503() {
    let folder = tempfile::tempdir().unwrap();
    let ring = KeyRing::open(folder.path().join("keys")).await.unwrap();
    let office = Office::with(OtherStore::new(), Some(ring)).await;
    let chief = office.sign_in("/staff", "chief").await;
    folder.close().unwrap();
    for (method, path) in [
        (Method::POST, "/admin/keys/rotate"),
        (Method::DELETE, "/admin/keys/refresh-0"),
    ] {
        let answer = office.ask(method, path, &chief).await;
        answer.assert_problem(503, "unavailable");
        assert!(answer.headers.contains_key("retry-after"));
    }
}
