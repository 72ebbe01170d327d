//! The application of `docs/guide/flows.md`: four handlers that sign somebody in or out themselves.
//! The page shows them as they stand here, which a test holds.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::Query;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::{Form, Router};
use http::StatusCode;
use serde::Deserialize;
use tollgate::action::{ActionPurpose, ActionToken};
use tollgate::device::Transport;
use tollgate::error::Error;
use tollgate::gate::EndSessions;
use tollgate::prelude::*;
use tollgate::routing::{get, post};

/// Somebody with an account.
#[derive(Clone, Debug, JwtClaims)]
pub struct Member {
    /// The id.
    #[claim(sub)]
    pub id: u64,
    email: String,
}

/// The accounts, in memory, and what stands for a post office and for an OAuth provider.
#[auth_backend(email, user = Member)]
#[derive(Clone, Default)]
pub struct Members {
    people: Arc<Mutex<Vec<Member>>>,
    /// The letters that were sent: an address, and the token in the letter.
    pub letters: Arc<Mutex<Vec<(String, String)>>>,
    /// Where the provider asks its users.
    pub provider: String,
}

impl Authenticate for Members {
    async fn authenticate(&self, _: EmailLogin, _: &Client) -> Result<Member, AuthError> {
        Err(AuthError::Invalid)
    }
}

impl Refresh for Members {
    async fn refresh(&self, id: &u64, _: &Client) -> Result<Member, AuthError> {
        let found = self
            .people()
            .iter()
            .find(|member| member.id == *id)
            .cloned();
        found.ok_or(AuthError::Gone)
    }
}

impl Members {
    /// Makes a backend without accounts.
    #[must_use]
    pub fn new(provider: String) -> Self {
        Self {
            provider,
            ..Self::default()
        }
    }

    fn people(&self) -> MutexGuard<'_, Vec<Member>> {
        self.people.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an account; refuses an email that is taken.
    pub async fn insert(&self, email: &str, _: &Password) -> Result<Member, AuthError> {
        if self.by_email(email).is_some() {
            return Err(AuthError::Invalid);
        }
        let mut people = self.people();
        let member = Member {
            id: people.last().map_or(1, |last| last.id + 1),
            email: email.to_owned(),
        };
        people.push(member.clone());
        Ok(member)
    }

    /// Finds the account of an email.
    #[must_use]
    pub fn by_email(&self, email: &str) -> Option<Member> {
        let people = self.people();
        people.iter().find(|member| member.email == email).cloned()
    }

    /// Finds an account.
    pub async fn by_id(&self, id: &u64) -> Result<Member, AuthError> {
        self.refresh(id, &Client::unknown()).await
    }

    /// Finds the account of a code, which is the email that the provider proved.
    pub async fn exchange(&self, code: &str) -> Result<Member, AuthError> {
        self.by_email(code).ok_or(AuthError::Invalid)
    }

    /// Sends a letter.
    pub async fn send(&self, email: &str, token: &str) -> Result<(), std::io::Error> {
        let mut letters = self.letters.lock().unwrap_or_else(PoisonError::into_inner);
        letters.push((email.to_owned(), token.to_owned()));
        Ok(())
    }

    /// Deletes an account.
    pub async fn delete(&self, id: &u64) -> Result<(), std::io::Error> {
        self.people().retain(|member| member.id != *id);
        Ok(())
    }
}

#[derive(Deserialize)]
struct Register {
    email: String,
    password: Password,
}

async fn register(
    _: Public,
    flow: AuthFlow<Members>,
    Form(form): Form<Register>,
) -> Result<SignedIn, Rejection> {
    let allowed = flow.allow("register", &form.email).await?;
    let members = flow.gate().backend();
    let user = members.insert(&form.email, &form.password).await?;
    flow.open(allowed, &user).await
}

/// Signs in without a password.
pub struct MagicLink;

impl ActionPurpose for MagicLink {
    const NAME: &'static str = "magic_link";
    const LIFETIME: Duration = Duration::from_secs(15 * 60);
}

#[derive(Deserialize)]
struct Ask {
    email: String,
}

async fn ask(
    _: Public,
    flow: AuthFlow<Members>,
    Form(form): Form<Ask>,
) -> Result<StatusCode, Rejection> {
    flow.allow("magic link", &form.email).await?;
    let members = flow.gate().backend();
    if let Some(user) = members.by_email(&form.email) {
        let token = flow
            .gate()
            .action_token::<MagicLink>(&user.id, &form.email)
            .await?;
        members.send(&form.email, token.expose()).await?;
    }
    Ok(StatusCode::ACCEPTED)
}

async fn link(_: Public) -> Html<&'static str> {
    Html(
        "<form method=post><input name=token><button>Sign in</button></form>
         <script>document.forms[0].token.value = location.hash.slice(1)</script>",
    )
}

#[derive(Deserialize)]
struct Link {
    token: String,
}

async fn open_link(
    _: Public,
    flow: AuthFlow<Members>,
    Form(link): Form<Link>,
) -> Result<Response, Rejection> {
    let proof = ActionToken::<MagicLink>::new(link.token)
        .consume(flow.gate())
        .await?;
    let user = flow.gate().backend().by_id(proof.subject()).await?;
    let transport = flow.transport();
    let allowed = Allowed::uncounted("the token counts once");
    let signed_in = flow.open(allowed, &user).await?;
    Ok(home(transport, signed_in))
}

/// A browser goes on to a page, anything else reads its tokens.
pub fn home(transport: Transport, signed_in: SignedIn) -> Response {
    match transport {
        Transport::Cookie => (signed_in.cookies(), Redirect::to("/me")).into_response(),
        _ => signed_in.into_response(),
    }
}

async fn leave(_: Public, flow: AuthFlow<Members>) -> Result<impl IntoResponse, Rejection> {
    let leave = flow.leave("provider")?;
    let provider = &flow.gate().backend().provider;
    let to = format!("{provider}/authorize?state={}", leave.state());
    Ok((leave, Redirect::to(&to)))
}

#[derive(Deserialize)]
struct Callback {
    state: String,
    code: String,
}

async fn callback(
    _: Public,
    flow: AuthFlow<Members>,
    Query(query): Query<Callback>,
) -> Result<Response, Rejection> {
    let returned = flow.returned("provider", &query.state)?;
    let user = flow.gate().backend().exchange(&query.code).await?;
    let transport = flow.transport();
    let allowed = Allowed::uncounted("the provider counts its own sign-ins");
    let signed_in = flow.open(allowed, &user).returning(returned).await?;
    Ok(home(transport, signed_in))
}

#[derive(Policy)]
#[policy(max_age = "5m")]
struct Fresh;

async fn close(user: Auth<Member, Fresh>, flow: AuthFlow<Members>) -> Result<Response, Rejection> {
    let gate = flow.gate();
    gate.backend().delete(user.subject()).await?;
    gate.credentials_changed(user.subject(), EndSessions::All)
        .await?;
    flow.close().await
}

async fn me(user: Auth<Member>) -> String {
    user.email().clone()
}

/// Builds the application.
pub async fn app(members: Members, settings: Settings) -> Result<Router, Error> {
    let gate = members
        .gate()
        .settings(settings)
        .store(MemoryStore::new())
        .keys(KeyRing::generate(Algorithm::EdDSA)?)
        .build()
        .await?;
    let own = ProtectedRouter::new()
        .route("/register", post(register))
        .route("/link", get(link).post(open_link))
        .route("/link/ask", post(ask))
        .route("/leave", get(leave))
        .route("/callback", get(callback))
        .route("/close", post(close))
        .route("/me", get(me));
    Ok(gate.install(own).with_state(gate.clone()))
}
