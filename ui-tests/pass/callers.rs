//! Callers with names of their own, under strict lints.
#![deny(warnings, missing_docs, unreachable_pub, clippy::all, clippy::pedantic, rust_2018_idioms)]
#![forbid(unsafe_code, dead_code)]

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use axum::{Router, routing::get as plain};
use tollgate::policy::PolicyFor;
use tollgate::prelude::*;
use tollgate::routing::get;

#[derive(Clone, Copy, PartialEq, Eq, ClaimValue)]
enum Role {
    Admin,
}

#[derive(Clone, JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
    email: String,
    #[claim(roles)]
    roles: Vec<Role>,
}

#[derive(Policy)]
#[policy(role = Role::Admin)]
struct Admins;

#[derive(Caller)]
struct Admin(Auth<User, Admins>);

/// Seen from outside, while its policy is not.
#[derive(Caller)]
pub struct Visitor {
    r#type: Option<Auth<User, Admins>>,
}

#[derive(Caller)]
struct Of<P: PolicyFor<User>>(Auth<User, P>);

#[derive(Caller)]
struct Nested(Of<Admins>);

#[derive(Caller)]
struct Anybody(Public);

#[derive(Caller)]
#[caller(extract = own)]
struct OfNote {
    user: Auth<User>,
    note: u64,
}

impl<S> FromRequestParts<S> for OfNote
where
    S: Send + Sync,
    Verifier<User>: axum::extract::FromRef<S>,
{
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        let user = Auth::from_request_parts(parts, state).await?;
        let note = Path::from_request_parts(parts, state).await;
        Ok(Self { user, note: note.map_or(0, |Path(note)| note) })
    }
}

async fn purge(Admin(admin): Admin) -> String {
    format!("{} {:?}", admin.email(), admin.roles().len())
}
async fn page(visitor: Visitor) -> String {
    visitor.r#type.map_or_else(String::new, |user| user.email().clone())
}
async fn nested(Nested(Of(admin)): Nested) -> String {
    admin.id().to_string()
}
async fn note(OfNote { user, note }: OfNote) -> String {
    format!("{} of {}", note, user.id())
}
async fn anybody(Anybody(Public): Anybody) {}

async fn serve(listener: tokio::net::TcpListener, verifier: Verifier<User>) -> std::io::Result<()> {
    let protected = ProtectedRouter::new()
        .route("/purge", get(purge))
        .route("/page", get(page))
        .route("/nested", get(nested))
        .route("/note/{id}", get(note))
        .route("/anybody", get(anybody))
        .with_state(verifier);
    axum::serve(listener, protected).await
}

fn main() {
    let _: Router<Verifier<User>> = Router::new().route("/", plain(purge)).route("/n", plain(note));
    let _ = serve;
}
