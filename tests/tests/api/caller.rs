//! Callers with names of their own, states whose gates a derive finds, and a protected router that
//! is served as it is.

use std::sync::Arc;

use axum::Router;
use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{Method, StatusCode};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tollgate::extract::Holds;
use tollgate::policy::PolicyFor;
use tollgate::prelude::*;
use tollgate::protected::Security;
use tollgate::routing::get;
use tollgate_tests::{Accounts, Admins, App, User, request};

#[derive(Caller)]
struct Admin(Auth<User, Admins>);

#[derive(Caller)]
struct Visitor {
    user: Option<Auth<User>>,
}

#[derive(Caller)]
#[caller(extract = own)]
struct Reader {
    user: Auth<User>,
    path: String,
}

impl<S: Send + Sync + Holds<User>> FromRequestParts<S> for Reader {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        Ok(Self {
            user: Auth::from_request_parts(parts, state).await?,
            path: parts.uri.path().to_owned(),
        })
    }
}

#[derive(Clone, GateState)]
struct State {
    gate: Arc<Gate<Accounts>>,
}

async fn admin(Admin(admin): Admin) -> String {
    admin.email().clone()
}

async fn visitor(Visitor { user }: Visitor) -> String {
    user.map_or_else(|| "nobody".to_owned(), |user| user.email().clone())
}

async fn reader(reader: Reader, current: Current<Accounts>) -> String {
    format!("{} {} {}", reader.user.email(), reader.path, current.email)
}

fn protected() -> ProtectedRouter<State> {
    ProtectedRouter::new()
        .route("/admin", get(admin))
        .route("/visitor", get(visitor))
        .route("/reader", get(reader))
}

async fn app() -> (App, State) {
    let app = App::new().await;
    let state = State {
        gate: Arc::new(app.gate.clone()),
    };
    (app, state)
}

#[tokio::test]
async fn a_named_caller_is_admitted_as_what_it_holds() {
    let (app, state) = app().await;
    let routes: Router = protected().with_state(state).into_router();
    let app = app.serving(
        app.gate
            .install(Router::new())
            .with_state(app.gate.clone())
            .merge(routes),
    );
    let ada = app.sign_in("ada@example.com").await.access;
    let grace = app.sign_in("grace@example.com").await.access;

    let nobody = request(Method::GET, "/admin", None, None);
    app.send(nobody).await.assert_problem(401, "missing_token");
    app.get("/admin", "garbage")
        .await
        .assert_problem(401, "invalid_token");
    app.get("/admin", &grace)
        .await
        .assert_problem(403, "forbidden");
    assert_eq!(app.get("/admin", &ada).await.text, "ada@example.com");

    let nobody = request(Method::GET, "/visitor", None, None);
    assert_eq!(app.send(nobody).await.text, "nobody");
    app.get("/visitor", "garbage")
        .await
        .assert_problem(401, "invalid_token");

    app.get("/reader", "garbage")
        .await
        .assert_problem(401, "invalid_token");
    let read = app.get("/reader", &grace).await;
    assert_eq!(read.status, StatusCode::OK);
    assert_eq!(read.text, "grace@example.com /reader grace@example.com");
}

#[test]
fn a_named_caller_tells_the_rule_of_what_it_holds() {
    let protected = protected();
    let said: Vec<_> = protected
        .routes()
        .iter()
        .map(|route| route.security)
        .collect();
    let rule = <Admins as PolicyFor<User>>::RULE;
    let anyone = <Anyone as PolicyFor<User>>::RULE;
    assert_eq!(
        said,
        [
            Security::Required(rule),
            Security::Lenient(anyone),
            Security::Required(anyone)
        ]
    );
}

#[tokio::test]
async fn a_protected_router_is_served_as_it_is() {
    let (_app, state) = app().await;
    let shared: ProtectedRouter<Arc<State>> = ProtectedRouter::new().route("/admin", get(admin));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let protected = shared.with_state(Arc::new(state));
    let server = tokio::spawn(async move { axum::serve(listener, protected).await });
    let mut client = tokio::net::TcpStream::connect(address).await.unwrap();
    client
        .write_all(b"GET /admin HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    assert!(answer.contains("missing_token"), "{answer}");
    server.abort();
}
