//! A complete program: its types stand in handlers, policies, a gate, a state and tests, so that a
//! mistake in one of them could be reported in many places.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::extract::{FromRef, Path, State};
use axum::http::StatusCode;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use tollgate::prelude::*;
use tollgate::routing::{delete, get, post};

/// What somebody may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ClaimValue)]
enum Role {
    Admin,
    Editor,
    Reader,
}

/// What a client was granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ClaimValue)]
enum Scope {
    #[claim_value(rename = "notes:read")]
    Read,
    #[claim_value(rename = "notes:write")]
    Write,
}

/// What somebody pays for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Plan {
    name: String,
    seats: u32,
}

/// Somebody who signs in.
#[derive(Clone, Debug, JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
    email: String,
    plan: Plan,
    level: u32,
    #[claim(roles)]
    roles: Vec<Role>,
    #[claim(scope)]
    scope: Vec<Scope>,
    #[claim(skip)]
    password: String,
}

#[derive(Policy)]
#[policy(role = Role::Admin)]
struct Admins;

#[derive(Policy)]
#[policy(any(role = Role::Admin, role = Role::Editor), scope = Scope::Write)]
struct Writers;

#[derive(Policy)]
#[policy(user = User, role = Role::Admin, claim(level = 3), max_age = "5m")]
struct Owners;

/// Who may clean up.
#[derive(Caller)]
struct Cleaner(Auth<User, Owners>);

/// The body of a sign-in.
#[derive(Deserialize)]
struct Login {
    email: String,
    password: String,
}

/// The users.
#[auth_backend(login = Login, user = User)]
#[derive(Clone, Default)]
struct Accounts {
    users: Arc<Mutex<HashMap<u64, User>>>,
}

impl Authenticate for Accounts {
    async fn authenticate(&self, login: Login, _: &Client) -> Result<User, AuthError> {
        let users = self.users.lock().map_err(|_| AuthError::Invalid)?;
        let mut known = users.values();
        let user = known.find(|user| user.email == login.email && user.password == login.password);
        user.cloned().ok_or(AuthError::Invalid)
    }
}

impl Refresh for Accounts {
    async fn refresh(&self, id: &u64, _: &Client) -> Result<User, AuthError> {
        let users = self.users.lock().map_err(|_| AuthError::Gone)?;
        users.get(id).cloned().ok_or(AuthError::Gone)
    }
}

/// The notes.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<HashMap<u64, String>>>);

/// What handlers share.
#[derive(Clone, GateState)]
struct App {
    gate: Gate<Accounts>,
    notes: Notes,
}

impl FromRef<App> for Notes {
    fn from_ref(app: &App) -> Self {
        app.notes.clone()
    }
}

/// What a page shows of a user.
#[derive(Serialize)]
struct Profile {
    id: u64,
    email: String,
    plan: Plan,
    is_admin: bool,
}

async fn me(user: Auth<User>) -> Json<Profile> {
    Json(Profile {
        id: *user.id(),
        email: user.email().clone(),
        plan: user.plan().clone(),
        is_admin: user.roles().contains(&Role::Admin),
    })
}

async fn account(user: Current<Accounts>) -> String {
    format!("{} with {} seats", user.email, user.plan.seats)
}

async fn front(user: Option<Auth<User>>) -> String {
    user.map_or_else(
        || "welcome".to_owned(),
        |user| format!("welcome, {}", user.email()),
    )
}

async fn read(
    _: Auth<User>,
    Path(id): Path<u64>,
    notes: State<Notes>,
) -> Result<String, StatusCode> {
    let notes = notes.0.0.lock().map_err(|_| StatusCode::CONFLICT)?;
    notes.get(&id).cloned().ok_or(StatusCode::NOT_FOUND)
}

async fn write(
    _: Auth<User, Writers>,
    Path(id): Path<u64>,
    State(notes): State<Notes>,
    body: String,
) -> StatusCode {
    match notes.0.lock() {
        Ok(mut notes) => {
            notes.insert(id, body);
            StatusCode::CREATED
        }
        Err(_) => StatusCode::CONFLICT,
    }
}

async fn remove(
    _: Auth<User, Admins>,
    Path(id): Path<u64>,
    State(notes): State<Notes>,
) -> StatusCode {
    let removed = notes
        .0
        .lock()
        .is_ok_and(|mut notes| notes.remove(&id).is_some());
    if removed {
        StatusCode::NO_CONTENT
    } else {
        StatusCode::NOT_FOUND
    }
}

async fn clean(Cleaner(owner): Cleaner, State(notes): State<Notes>) -> String {
    if let Ok(mut notes) = notes.0.lock() {
        notes.clear();
    }
    format!("cleaned by {}", owner.email())
}

fn routes() -> ProtectedRouter<App> {
    ProtectedRouter::new()
        .route("/", get(front))
        .route("/me", get(me))
        .route("/account", get(account))
        .route("/notes/{id}", get(read).put(write))
        .route("/notes/{id}/remove", delete(remove))
        .route("/notes/clean", post(clean))
}

async fn start(accounts: Accounts, keys: KeyRing) -> Result<Router, tollgate::error::Error> {
    let builder = accounts.gate().issuer("https://accounts.example.com");
    let builder = builder.audience("https://api.example.com").keys(keys);
    let gate = builder.store(MemoryStore::new()).build().await?;
    let app = App {
        gate: gate.clone(),
        notes: Notes::default(),
    };
    let auth: Router = gate.install(Router::new()).with_state(gate.clone());
    Ok(auth.merge(routes().with_state(app)))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let keys = KeyRing::generate(Algorithm::EdDSA)?;
    let app = start(Accounts::default(), keys).await?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    axum::serve(listener, app).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ada() -> User {
        User {
            id: 1,
            email: "ada@example.com".to_owned(),
            plan: Plan {
                name: "pro".to_owned(),
                seats: 3,
            },
            level: 3,
            roles: vec![Role::Admin, Role::Editor, Role::Reader],
            scope: vec![Scope::Read, Scope::Write],
            password: "secret".to_owned(),
        }
    }

    #[test]
    fn the_gate_signs_in_whom_the_backend_knows() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let accounts = Accounts::default();
            accounts.users.lock().unwrap().insert(1, ada());
            let builder = accounts
                .gate()
                .issuer("https://a.example")
                .audience("https://b.example");
            let keys = KeyRing::generate(Algorithm::EdDSA).unwrap();
            let gate = builder
                .keys(keys)
                .store(MemoryStore::new())
                .build()
                .await
                .unwrap();
            let login = || {
                Ok(Login {
                    email: ada().email,
                    password: ada().password,
                })
            };
            let issued = gate.sign_in_with(login, &Client::unknown()).await.unwrap();
            let verified = gate.verify(&issued.access_token).await.unwrap();
            assert_eq!(verified.claims().email(), "ada@example.com");
            assert_eq!(verified.claims().plan().seats, 3);
        });
        assert_eq!(routes().routes().len(), 7);
    }
}
