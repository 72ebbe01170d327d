//! Every way to say who may call a handler, under strict lints.
#![deny(warnings, clippy::all, clippy::pedantic, rust_2018_idioms)]

use axum::extract::{FromRef, Path};
use axum::{Json, Router};
use tollgate::prelude::*;
use tollgate::routing::{any, connect, delete, get, head, on, options, patch, post, put, trace};

#[derive(Clone, Copy, PartialEq, Eq, ClaimValue)]
enum Role {
    Admin,
}

#[derive(Clone, JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
    #[claim(roles)]
    roles: Vec<Role>,
}

#[derive(Policy)]
#[policy(role = Role::Admin)]
struct Admins;

#[auth_backend(email, user = User, refresh(from = stored))]
struct Stored;

impl Authenticate for Stored {
    async fn authenticate(&self, _: EmailLogin, _: &Client) -> Result<User, AuthError> {
        Err(AuthError::Invalid)
    }
}

#[auth_backend(username, user = User)]
struct Accounts;

impl Authenticate for Accounts {
    async fn authenticate(&self, _: UsernameLogin, _: &Client) -> Result<User, AuthError> {
        Err(AuthError::Invalid)
    }
}

impl Refresh for Accounts {
    async fn refresh(&self, _: &u64, _: &Client) -> Result<User, AuthError> {
        Err(AuthError::Gone)
    }
}

/// A state that the application declares.
#[derive(Clone)]
struct App {
    gate: Gate<Accounts>,
}

impl FromRef<App> for Gate<Accounts> {
    fn from_ref(app: &App) -> Self {
        app.gate.clone()
    }
}

impl FromRef<App> for Verifier<User> {
    fn from_ref(app: &App) -> Self {
        app.gate.verifier()
    }
}

/// A caller under a name that the application gives.
type Admin = Auth<User, Admins>;

async fn open(_: Public) {}
async fn required(user: Auth<User>) -> String {
    user.subject().to_string()
}
async fn with_policy(_: Admin, _: Path<u64>) {}
async fn optional(_: Option<Auth<User>>) {}
async fn optional_with_policy(_: Option<Admin>, Json(()): Json<()>) {}
async fn lenient(Lenient(user): Lenient<Auth<User>>) -> String {
    user.map_or_else(String::new, |user| user.subject().to_string())
}
async fn lenient_with_policy(_: Lenient<Admin>, _: axum::http::HeaderMap) {}
async fn current(user: Current<Accounts>) -> String {
    user.id.to_string()
}
fn not_async(_: Public) -> std::future::Ready<()> {
    std::future::ready(())
}
async fn generic<T: Send>(_: Public, _: Option<Path<T>>) -> Result<(), Rejection>
where
    T: serde::de::DeserializeOwned,
{
    Ok(())
}
#[rustfmt::skip]
#[allow(clippy::too_many_arguments, clippy::similar_names)]
async fn sixteen(
    _: Auth<User>, _: Public, _: Public, _: Public, _: Public, _: Public, _: Public, _: Public,
    _: Public, _: Public, _: Public, _: Public, _: Public, _: Public, _: Public, _: String,
) {}

fn protected() -> ProtectedRouter<App> {
    let inner = ProtectedRouter::new()
        .route("/open", get(open).post(open).put(open).patch(open).delete(open).head(open).options(open).trace(open))
        .route("/required", post(required))
        .route("/with-policy/{id}", put(with_policy).connect(optional))
        .route("/optional", patch(optional).merge(head(optional)))
        .route("/optional-with-policy", delete(optional_with_policy))
        .route("/lenient", any(lenient))
        .route("/lenient-with-policy", on(axum::routing::MethodFilter::GET, lenient_with_policy));
    ProtectedRouter::new()
        .nest("/nested", inner)
        .merge(ProtectedRouter::new().route("/current", options(current)))
        .route("/not-async", trace(not_async))
        .route("/generic", connect(generic::<u64>))
        .route("/sixteen", post(sixteen))
        .route("/closure", get(async |_: Auth<User>| "in"))
        .fallback(async |_: Public| axum::http::StatusCode::NOT_FOUND)
}

fn main() {
    // With a state of the application and with the gate alone; by itself and in axum's router.
    let _: fn(App) -> Router = |app| Router::new().merge(protected()).with_state(app);
    let _: fn(App) -> Router = |app| protected().with_state(app).into_router();
    let _: fn(App) -> Router = |app| app.gate.install(protected()).with_state(app);
    let _: fn(Gate<Accounts>) -> Router = |gate| {
        let app = ProtectedRouter::new().route("/", get(current)).route_layer(gate.require::<Admins>());
        gate.install(app).with_state(gate)
    };
    let _: fn(Gate<Stored>) -> Router = |gate| gate.install(Router::new()).merge(gate.router()).with_state(gate);
    assert_eq!(protected().routes().len(), 21);
    let _ = Stored.gate();
}
