//! Routers that deny by default: what their routes refuse, what they tell of themselves, and that
//! they are axum otherwise.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Path;
use axum::middleware::Next;
use axum::routing::MethodFilter;
use axum::{Json, Router};
use http::{Method, Request, StatusCode};
use tollgate::policy::{PolicyFor, Rule};
use tollgate::prelude::*;
use tollgate::protected::Security;
use tollgate::routing::{self, any, delete, get, on, post};
use tollgate::store::{Revocation, RevokeReason, SessionStore, Target};
use tollgate_tests::{
    Accounts, Admins, App, FreshAdmins, StrictAdmins, User, UserClaims, Writers, request,
};

async fn me(user: Auth<User>) -> Json<UserClaims> {
    Json(user.claims().clone())
}

async fn current(user: Current<Accounts>) -> String {
    user.subject().to_string()
}

async fn optional(user: Option<Auth<User>>) -> &'static str {
    user.map_or("nobody", |_| "somebody")
}

async fn lenient(Lenient(user): Lenient<Auth<User>>) -> &'static str {
    user.map_or("nobody", |_| "somebody")
}

async fn open(_: Public) -> &'static str {
    "open"
}

fn protected() -> ProtectedRouter<Gate<Accounts>> {
    ProtectedRouter::new()
        .route(
            "/me",
            get(me).delete(async |_: Auth<User, FreshAdmins>, _: Public| StatusCode::NO_CONTENT),
        )
        .route("/current", get(current))
        .route("/optional", get(optional))
        .route("/lenient", get(lenient))
        .route("/open", get(open))
        .nest(
            "/admin",
            ProtectedRouter::new()
                .route("/", get(open))
                .route("/users/{id}", delete(remove)),
        )
        .merge(ProtectedRouter::new().route(
            "/write",
            post(async |_: Auth<User, Writers>, body: String| body),
        ))
}

async fn remove(_: Auth<User, Admins>, Path(id): Path<u64>) -> String {
    id.to_string()
}

async fn app() -> App {
    let app = App::new().await;
    let router = app.gate.install(protected()).with_state(app.gate.clone());
    app.serving(router)
}

#[tokio::test]
async fn each_handler_admits_whom_its_first_argument_names() {
    let app = app().await;
    let (ada, grace) = (
        app.sign_in("ada@example.com").await,
        app.sign_in("grace@example.com").await,
    );
    let as_nobody =
        async |method: Method, path: &str| app.send(request(method, path, None, None)).await;

    for path in ["/me", "/current"] {
        as_nobody(Method::GET, path)
            .await
            .assert_problem(401, "missing_token");
        app.get(path, "garbage")
            .await
            .assert_problem(401, "invalid_token");
        assert_eq!(
            app.get(path, &grace.access).await.status,
            StatusCode::OK,
            "{path}"
        );
    }
    assert_eq!(as_nobody(Method::GET, "/optional").await.text, "nobody");
    assert_eq!(app.get("/optional", &ada.access).await.text, "somebody");
    app.get("/optional", "garbage")
        .await
        .assert_problem(401, "invalid_token");
    assert_eq!(app.get("/lenient", "garbage").await.text, "nobody");
    assert_eq!(app.get("/lenient", &ada.access).await.text, "somebody");
    for token in [None, Some("garbage"), Some(ada.access.as_str())] {
        for path in ["/open", "/admin"] {
            assert_eq!(
                app.send(request(Method::GET, path, token, None)).await.text,
                "open",
                "{path}"
            );
        }
    }
    let remove = async |token: Option<&str>| {
        app.send(request(Method::DELETE, "/admin/users/7", token, None))
            .await
    };
    remove(None).await.assert_problem(401, "missing_token");
    remove(Some(&grace.access))
        .await
        .assert_problem(403, "forbidden");
    assert_eq!(remove(Some(&ada.access)).await.text, "7");
    app.post_as("/write", &grace.access, None)
        .await
        .assert_problem(403, "insufficient_scope");
    let delete_me = async || {
        app.send(request(Method::DELETE, "/me", Some(&ada.access), None))
            .await
    };
    assert_eq!(delete_me().await.status, StatusCode::NO_CONTENT);
    app.wait(301);
    delete_me()
        .await
        .assert_problem(401, "insufficient_user_authentication");
    assert_eq!(
        as_nobody(Method::POST, "/me").await.status,
        StatusCode::METHOD_NOT_ALLOWED
    );
    assert_eq!(
        as_nobody(Method::GET, "/nowhere").await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn nothing_of_a_refused_request_is_read() {
    let app = app().await;
    let body = Body::from_stream(futures_util::stream::once(async {
        panic!("the body was read") as Result<String, String>
    }));
    let refused = app.send(Request::post("/write").body(body).unwrap()).await;
    refused.assert_problem(401, "missing_token");
}

#[test]
fn the_routes_tell_who_may_call_them() {
    fn rule<P: PolicyFor<User>>() -> Rule {
        P::RULE
    }
    let anyone = Security::Required(Rule::Anyone);
    let protected = protected();
    let found: Vec<_> = protected
        .routes()
        .iter()
        .map(|route| {
            (
                route.path.as_str(),
                route.method.clone().unwrap(),
                route.security,
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            ("/me", Method::GET, anyone),
            (
                "/me",
                Method::DELETE,
                Security::Required(rule::<FreshAdmins>())
            ),
            ("/current", Method::GET, anyone),
            ("/optional", Method::GET, Security::Lenient(Rule::Anyone)),
            ("/lenient", Method::GET, Security::Lenient(Rule::Anyone)),
            ("/open", Method::GET, Security::Public),
            ("/admin", Method::GET, Security::Public),
            (
                "/admin/users/{id}",
                Method::DELETE,
                Security::Required(rule::<Admins>())
            ),
            (
                "/write",
                Method::POST,
                Security::Required(rule::<Writers>())
            ),
        ]
    );
    assert_ne!(rule::<Admins>(), rule::<Writers>());
}

/// Each path of a route is the one that axum answers, with and without a slash at the end of what
/// it is nested under.
#[tokio::test]
async fn a_nested_route_is_listed_where_axum_answers_it() {
    let app = App::new().await;
    let inner = || {
        ProtectedRouter::new()
            .route("/", get(open))
            .route("/a", get(open))
            .route("/{id}/b", get(open))
    };
    let protected: ProtectedRouter<Gate<Accounts>> = ProtectedRouter::new()
        .nest("/one", inner())
        .nest("/two/", inner())
        .nest(
            "/three",
            ProtectedRouter::new()
                .nest("/four", inner())
                .merge(ProtectedRouter::new().route("/five", get(open))),
        );
    let paths: Vec<String> = protected
        .routes()
        .iter()
        .map(|route| route.path.clone())
        .collect();
    assert_eq!(
        paths,
        [
            "/one",
            "/one/a",
            "/one/{id}/b",
            "/two/",
            "/two/a",
            "/two/{id}/b",
            "/three/four",
            "/three/four/a",
            "/three/four/{id}/b",
            "/three/five"
        ]
    );
    let app = app.serving(protected.with_state(app.gate.clone()).into_router());
    for path in paths {
        let path = path.replace("{id}", "7");
        assert_eq!(
            app.send(request(Method::GET, &path, None, None)).await.text,
            "open",
            "{path}"
        );
    }
}

#[tokio::test]
async fn every_method_goes_to_its_handler() {
    let app = App::new().await;
    async fn who(_: Public, method: Method) -> [(&'static str, String); 1] {
        [("x-method", method.to_string())]
    }
    let single = || -> Vec<(&str, routing::MethodRouter<()>)> {
        vec![
            ("/CONNECT", routing::connect(who)),
            ("/DELETE", routing::delete(who)),
            ("/GET", routing::get(who)),
            ("/HEAD", routing::head(who)),
            ("/OPTIONS", routing::options(who)),
            ("/PATCH", routing::patch(who)),
            ("/POST", routing::post(who)),
            ("/PUT", routing::put(who)),
            ("/TRACE", routing::trace(who)),
        ]
    };
    let chained = get(who)
        .connect(who)
        .delete(who)
        .head(who)
        .options(who)
        .patch(who)
        .post(who)
        .put(who)
        .trace(who);
    let mut protected = ProtectedRouter::new()
        .route("/all", chained)
        .route("/any", any(who).post(async |_: Public| "posted"))
        .route(
            "/some",
            on(MethodFilter::PUT.or(MethodFilter::PATCH), who)
                .fallback(async |_: Public| StatusCode::GONE),
        );
    for (path, methods) in single() {
        protected = protected.route(path, methods);
    }
    let listed = |path: &str| {
        let routes = protected.routes().iter().filter(|route| route.path == path);
        routes
            .map(|route| route.method.as_ref().map_or("*", Method::as_str).to_owned())
            .collect::<Vec<_>>()
    };
    let methods = [
        "CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE",
    ];
    let mut all = listed("/all");
    all.sort();
    assert_eq!(all, methods);
    assert_eq!(
        (listed("/any"), listed("/some")),
        (
            vec!["*".into(), "POST".into()],
            vec!["PATCH".into(), "PUT".into(), "*".into()]
        )
    );
    for method in methods {
        assert_eq!(listed(&format!("/{method}")), [method]);
    }

    let app = app.serving(protected.into_router());
    let send = async |path: &str, method: &str| {
        app.send(request(method.parse().unwrap(), path, None, None))
            .await
    };
    let echoed = |answer: &tollgate_tests::Answer| {
        answer
            .headers
            .get("x-method")
            .map(|value| value.to_str().unwrap().to_owned())
    };
    for method in methods {
        assert_eq!(echoed(&send("/all", method).await).as_deref(), Some(method));
        for path in methods {
            let answer = send(&format!("/{path}"), method).await;
            let takes = path == method || (path, method) == ("GET", "HEAD");
            assert_eq!(answer.status == StatusCode::OK, takes, "{method} /{path}");
        }
        let any = send("/any", method).await;
        assert_eq!(
            (any.status, echoed(&any).is_none()),
            (StatusCode::OK, method == "POST"),
            "{method}"
        );
        let some = send("/some", method).await;
        assert_eq!(
            some.status == StatusCode::OK,
            ["PUT", "PATCH"].contains(&method),
            "{method}"
        );
        assert!(matches!(some.status, StatusCode::OK | StatusCode::GONE));
    }
}

#[tokio::test]
async fn layers_run_where_they_do_in_axum() {
    let app = App::new().await;
    let (all, routes, one) = (
        Arc::new(AtomicU64::new(0)),
        Arc::new(AtomicU64::new(0)),
        Arc::new(AtomicU64::new(0)),
    );
    let count = |counter: &Arc<AtomicU64>| {
        let counter = Arc::clone(counter);
        axum::middleware::from_fn(move |request: axum::extract::Request, next: Next| {
            counter.fetch_add(1, Ordering::SeqCst);
            next.run(request)
        })
    };
    let protected = ProtectedRouter::new()
        .route("/me", get(me))
        .route("/one", get(open).layer(count(&one)).post(open))
        .route("/two", get(open).route_layer(count(&one)))
        .route_layer(count(&routes))
        .fallback(async |_: Auth<User>| StatusCode::IM_A_TEAPOT)
        .layer(count(&all));
    let protected = protected.clone();
    let app = app.serving(Router::new().merge(protected).with_state(app.gate.clone()));
    let counts = || [&all, &routes, &one].map(|counter| counter.load(Ordering::SeqCst));
    app.send(request(Method::GET, "/me", None, None))
        .await
        .assert_problem(401, "missing_token");
    assert_eq!(counts(), [1, 1, 0]);
    assert_eq!(
        app.send(request(Method::GET, "/one", None, None))
            .await
            .text,
        "open"
    );
    assert_eq!(counts(), [2, 2, 1]);
    assert_eq!(
        app.send(request(Method::POST, "/one", None, None))
            .await
            .text,
        "open"
    );
    assert_eq!(counts(), [3, 3, 1]);
    assert_eq!(
        app.send(request(Method::GET, "/two", None, None))
            .await
            .text,
        "open"
    );
    assert_eq!(counts(), [4, 4, 2]);
    app.send(request(Method::GET, "/nowhere", None, None))
        .await
        .assert_problem(401, "missing_token");
    assert_eq!(counts(), [5, 4, 2]);
}

/// The layer of a gate guards a router as before, and both conditions hold.
#[tokio::test]
async fn a_gates_own_layer_and_the_argument_are_both_asked() {
    let app = App::new().await;
    let inner = ProtectedRouter::new()
        .route("/open", get(open))
        .route("/write", get(async |_: Auth<User, Writers>| "in"))
        .route_layer(app.gate.require::<Admins>());
    let app = app.serving(
        app.gate
            .install(ProtectedRouter::new().nest("/admin", inner))
            .with_state(app.gate.clone()),
    );
    let (ada, grace) = (
        app.sign_in("ada@example.com").await,
        app.sign_in("grace@example.com").await,
    );
    for path in ["/admin/open", "/admin/write"] {
        app.send(request(Method::GET, path, None, None))
            .await
            .assert_problem(401, "missing_token");
        app.get(path, &grace.access)
            .await
            .assert_problem(403, "forbidden");
        assert_eq!(app.get(path, &ada.access).await.status, StatusCode::OK);
    }
}

/// The policy of the layer says what a verifier asks, whatever that of the argument says.
#[tokio::test]
async fn the_layer_asks_the_store_where_its_policy_says_so() {
    let store = MemoryStore::new();
    let app = App::on(store.clone(), Settings::default()).await;
    let strict = ProtectedRouter::new()
        .route("/strict", get(async |_: Auth<User>| "in"))
        .route_layer(app.gate.require::<StrictAdmins>());
    let own = strict.route("/eventual", get(async |_: Auth<User>| "in"));
    let served = app.serving(app.gate.install(own).with_state(app.gate.clone()));
    let ada = app.sign_in("ada@example.com").await;
    for path in ["/strict", "/eventual"] {
        assert_eq!(served.get(path, &ada.access).await.text, "in");
    }
    // Another node: it writes to the store, and this node's task has had no time to read.
    let revocation = Revocation {
        target: Target::Session(ada.session.parse().unwrap()),
        reason: RevokeReason::Requested,
        until: app.clock.now().plus(Duration::from_secs(600)),
    };
    let revoked = SessionStore::revoke(&store, revocation, app.clock.now()).await;
    revoked.unwrap();
    assert_eq!(served.get("/eventual", &ada.access).await.text, "in");
    served
        .get("/strict", &ada.access)
        .await
        .assert_problem(401, "invalid_token");
}

#[test]
#[should_panic(expected = "Overlapping method route")]
fn a_route_that_is_there_already_is_refused_as_in_axum() {
    let _: ProtectedRouter = ProtectedRouter::new()
        .route("/open", get(open))
        .route("/open", get(open));
}
