//! The routes for administrators: keys, pause, sessions and tokens of every subject.

use std::sync::Arc;

use axum::Extension;
use axum::extract::rejection::PathRejection;
use axum::extract::{OriginalUri, Path, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, delete, get, post};
use http::header::LINK;
use http::{HeaderValue, Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::error::{Code, Error, ErrorKind, Malformed, Refusal};
use crate::event::{Event, EventKind};
use crate::gate::{AuthBackend, Gate, RELOAD, Running};
use crate::id::{SessionId, TokenId};
use crate::policy::PolicyFor;
use crate::realm::RealmName;
use crate::session::{KeyRetired, Revoke};
use crate::token::JwtClaims;

use super::super::answer::{SessionEntry, private};
use super::super::by::By;
use super::super::extract::Auth;
use super::super::form;
use super::super::problem::Rejection;
use super::super::protected::ProtectedRouter;

impl<B: AuthBackend> Gate<B> {
    /// Returns the routes for administrators of this gate's users, for `nest`. [`by`](crate::by)
    /// names the callers. They send a bearer token, or a cookie from a page of this origin, and
    /// must have signed in or authenticated again within [`By::within`]; otherwise the answer is
    /// 401 `insufficient_user_authentication`. Each call that changes something is reported as
    /// [`EventKind::Administered`].
    ///
    /// | route | |
    /// |---|---|
    /// | `GET /keys` | the id of the key that signs, and the public keys |
    /// | `POST /keys/rotate` | [`rotate`](crate::gate::Keys::rotate) |
    /// | `DELETE /keys/{name}` | [`retire`](crate::gate::Keys::retire) |
    /// | `POST /pause`, `POST /resume` | [`pause`](Self::pause), [`resume`](Self::resume) |
    /// | `GET /subjects/{subject}/sessions` | the live sessions of a subject, a hundred a page |
    /// | `DELETE /subjects/{subject}/sessions` | ends all of them |
    /// | `DELETE /sessions/{id}` | ends one |
    /// | `GET /subjects/{subject}/tokens` | the tokens of the registry, a hundred a page |
    /// | `DELETE /tokens/{id}` | revokes one |
    ///
    /// The keys are those of the ring, which gates may share. While the gate is paused, callers of
    /// the same realm get 503 too: resume from code or by the command line, or put the staff into
    /// another realm.
    pub fn admin_router<S, U, P>(&self, by: By<U, P>) -> ProtectedRouter<S>
    where
        S: Clone + Send + Sync + 'static,
        U: JwtClaims,
        P: PolicyFor<U>,
    {
        let by = Arc::new(by);
        routes().into_iter().fold(
            ProtectedRouter::new(),
            |router, (path, methods, handlers)| {
                let handlers = handlers.with_state(Arc::clone(self.running()));
                let check = from_fn_with_state(
                    (Arc::clone(&by), Arc::clone(self.running())),
                    admit::<U, P>,
                );
                let handlers = handlers.layer(check);
                router.guarded::<U, P>(path, methods, handlers)
            },
        )
    }
}

type Handlers = MethodRouter<Arc<Running>>;

fn routes() -> Vec<(&'static str, &'static [Method], Handlers)> {
    vec![
        ("/keys", &[Method::GET], get(keys)),
        ("/keys/rotate", &[Method::POST], post(rotate)),
        ("/keys/{name}", &[Method::DELETE], delete(retire)),
        ("/pause", &[Method::POST], post(pause)),
        ("/resume", &[Method::POST], post(resume)),
        (
            "/subjects/{subject}/sessions",
            &[Method::GET, Method::DELETE],
            get(sessions).delete(end_all),
        ),
        ("/sessions/{id}", &[Method::DELETE], delete(end)),
        ("/subjects/{subject}/tokens", &[Method::GET], get(tokens)),
        ("/tokens/{id}", &[Method::DELETE], delete(revoke)),
    ]
}

/// The rule for callers, and the gate whose clock measures the age of an authentication.
type Judges<U, P> = (Arc<By<U, P>>, Arc<Running>);

/// The subject of the caller, and the realm that it is a subject of.
#[derive(Clone)]
struct Actor {
    subject: String,
    realm: Option<RealmName>,
}

/// Admits callers who satisfy the policy and authenticated recently.
async fn admit<U, P>(
    State((by, gate)): State<Judges<U, P>>,
    request: Request,
    next: Next,
) -> Response
where
    U: JwtClaims,
    P: PolicyFor<U>,
{
    let (caller, mut request) = match Auth::<U, P>::admitted(request, &by.verifier).await {
        Ok(admitted) => admitted,
        Err(refused) => return refused.into_response(),
    };
    let token = caller.token();
    let age = token.auth_time().map(|at| gate.admission().now().since(at));
    if age.is_none_or(|age| age > by.max_age) {
        let stale = Refusal::step_up(Some(by.max_age.as_secs()), &[]);
        return Rejection::new(stale, &by.verifier.scheme()).into_response();
    }
    request.extensions_mut().insert(Actor {
        subject: token.subject().to_owned(),
        realm: token.realm().cloned(),
    });
    next.run(request).await
}

/// Reports an act.
fn report(gate: &Running, actor: &Actor, act: &'static str, at: impl FnOnce(Event) -> Event) {
    report_of_key(gate, actor, (act, None), at);
}

/// Reports an act, and the key that it was done to.
fn report_of_key(
    gate: &Running,
    actor: &Actor,
    (act, key): (&'static str, Option<String>),
    at: impl FnOnce(Event) -> Event,
) {
    let kind = EventKind::Administered {
        act,
        by: actor.subject.clone(),
        by_realm: actor.realm.clone(),
        key,
    };
    gate.report(&at(Event::new(kind)));
}

async fn keys(State(gate): State<Arc<Running>>) -> Response {
    let ring = gate.ring();
    let public = serde_json::to_value(ring.jwks()).unwrap_or_default();
    private(json!({"current": ring.current(), "keys": public.get("keys")}))
}

async fn rotate(
    State(gate): State<Arc<Running>>,
    Extension(actor): Extension<Actor>,
) -> Result<Response, Rejection> {
    let rotated = gate.ring().rotate().await;
    rotated.map_err(|error| gate.reject(refuse(error)))?;
    report(&gate, &actor, "rotate_keys", |event| event);
    Ok(private(json!({"current": gate.ring().current()})))
}

async fn retire(
    State(gate): State<Arc<Running>>,
    Extension(actor): Extension<Actor>,
    name: Result<Path<Key>, PathRejection>,
) -> Result<Response, Rejection> {
    let Path(Key { name }) = name.map_err(|_| gate.reject(Code::NotFound))?;
    let retired = gate.retire_key(&name).await;
    let retired = retired.map_err(|error| gate.reject(refuse(error)))?;
    report_of_key(&gate, &actor, ("retire_key", Some(name)), |event| event);
    Ok(match retired {
        KeyRetired::InLog => StatusCode::NO_CONTENT.into_response(),
        KeyRetired::InRing => {
            let mut response = private(json!({"within": RELOAD.as_secs()}));
            *response.status_mut() = StatusCode::ACCEPTED;
            response
        }
    })
}

async fn pause(
    State(gate): State<Arc<Running>>,
    Extension(actor): Extension<Actor>,
) -> Result<StatusCode, Rejection> {
    set_paused(&gate, &actor, true).await
}

async fn resume(
    State(gate): State<Arc<Running>>,
    Extension(actor): Extension<Actor>,
) -> Result<StatusCode, Rejection> {
    set_paused(&gate, &actor, false).await
}

async fn set_paused(gate: &Running, actor: &Actor, paused: bool) -> Result<StatusCode, Rejection> {
    let set = gate.set_paused(paused).await;
    set.map_err(|error| gate.reject(Refusal::unavailable(error)))?;
    let act = if paused { "pause" } else { "resume" };
    report(gate, actor, act, |event| event);
    Ok(StatusCode::NO_CONTENT)
}

/// Lists the live sessions of a subject, a page at a time. The next page is in `Link` (RFC 8288).
async fn sessions(
    State(gate): State<Arc<Running>>,
    OriginalUri(uri): OriginalUri,
    path: Result<Path<Subject>, PathRejection>,
) -> Result<Response, Rejection> {
    let attempt = async {
        let Path(Subject { subject }) = path.map_err(|_| Code::NotFound)?;
        let after = after(uri.query(), SessionId::parse)?;
        let page = gate.sessions().page(&subject, after, LIMIT).await;
        let page = page.map_err(Refusal::unavailable)?;
        Ok(page.ok_or(Malformed::NoSuchPage)?)
    };
    let page = attempt
        .await
        .map_err(|refusal: Refusal| gate.reject(refusal))?;
    Ok(paged(
        page,
        uri.path(),
        |session| session.session_id.to_string(),
        |session| SessionEntry::new(session, None),
    ))
}

/// Lists the tokens of a subject in the registry in the same way.
async fn tokens(
    State(gate): State<Arc<Running>>,
    OriginalUri(uri): OriginalUri,
    path: Result<Path<Subject>, PathRejection>,
) -> Result<Response, Rejection> {
    let attempt = async {
        let Path(Subject { subject }) = path.map_err(|_| Code::NotFound)?;
        let tokens = gate.tokens().of(&subject);
        let after = match after(uri.query(), TokenId::parse)? {
            Some(jti) => {
                let found = tokens.get(jti).await.map_err(Refusal::unavailable)?;
                Some(found.ok_or(Malformed::NoSuchPage)?)
            }
            None => None,
        };
        let page = tokens.page(LIMIT, after.as_ref()).await;
        page.map_err(Refusal::unavailable)
    };
    let page = attempt
        .await
        .map_err(|refusal: Refusal| gate.reject(refusal))?;
    Ok(paged(
        page,
        uri.path(),
        |token| token.jti.to_string(),
        |token| {
            json!({
                "token_id": token.jti,
                "kind": token.kind,
                "session_id": token.sid,
                "parent": token.parent,
                "device_id": token.device_id,
                "issued_at": token.issued_at.as_secs(),
                "expires_at": token.expires_at.as_secs(),
                "revoked_at": token.revoked_at.map(crate::clock::Timestamp::as_secs),
            })
        },
    ))
}

async fn end(
    State(gate): State<Arc<Running>>,
    Extension(actor): Extension<Actor>,
    path: Result<Path<Id>, PathRejection>,
) -> Result<StatusCode, Rejection> {
    let attempt = async {
        let sid = path.ok().and_then(|Path(Id { id })| SessionId::parse(&id));
        let sid = sid.ok_or(Code::NotFound)?;
        let session = gate.sessions().get(sid).await;
        let session = session.map_err(Refusal::unavailable)?;
        let session = session.ok_or(Code::NotFound)?;
        revoked(&gate, Revoke::session(sid)).await?;
        Ok((sid, session.subject))
    };
    let (sid, subject) = attempt
        .await
        .map_err(|refusal: Refusal| gate.reject(refusal))?;
    report(&gate, &actor, "end_session", |event| {
        event.subject(subject).sid(sid)
    });
    Ok(StatusCode::NO_CONTENT)
}

/// Ends every session of a subject, and answers how many there were.
async fn end_all(
    State(gate): State<Arc<Running>>,
    Extension(actor): Extension<Actor>,
    path: Result<Path<Subject>, PathRejection>,
) -> Result<Response, Rejection> {
    let Path(Subject { subject }) = path.map_err(|_| gate.reject(Code::NotFound))?;
    let ended = revoked(&gate, Revoke::subject(&subject)).await;
    let ended = ended.map_err(|refusal| gate.reject(refusal))?;
    report(&gate, &actor, "end_sessions", |event| {
        event.subject(subject)
    });
    Ok(private(json!({"sessions": ended})))
}

async fn revoke(
    State(gate): State<Arc<Running>>,
    Extension(actor): Extension<Actor>,
    path: Result<Path<Id>, PathRejection>,
) -> Result<StatusCode, Rejection> {
    let attempt = async {
        let jti = path.ok().and_then(|Path(Id { id })| TokenId::parse(&id));
        let jti = jti.ok_or(Code::NotFound)?;
        let token = gate.tokens().get(jti).await;
        let token = token.map_err(Refusal::unavailable)?;
        let token = token.ok_or(Code::NotFound)?;
        revoked(&gate, Revoke::token(jti)).await?;
        Ok(token.subject)
    };
    let subject = attempt
        .await
        .map_err(|refusal: Refusal| gate.reject(refusal))?;
    report(&gate, &actor, "revoke_token", |event| {
        event.subject(subject)
    });
    Ok(StatusCode::NO_CONTENT)
}

/// Revokes, and returns how many sessions ended.
async fn revoked(gate: &Running, revoke: Revoke) -> Result<u64, Refusal> {
    let revoked = gate.flows().revoke(revoke).await;
    Ok(revoked.map_err(Refusal::unavailable)?.sessions)
}

/// Returns the refusal of a change of the keys: 400 if the ring does not allow the change, and 503
/// if the ring or the store cannot be read or written; with a line in the log for the operator.
fn refuse(error: Error) -> Refusal {
    match error.kind() {
        ErrorKind::Usage => {
            tracing::warn!(%error, "the keys were not changed");
            Code::InvalidRequest.into()
        }
        _ => Refusal::unavailable(error),
    }
}

/// Reads the parameter `after` of a list.
fn after<T>(query: Option<&str>, parse: fn(&str) -> Option<T>) -> Result<Option<T>, Refusal> {
    #[derive(Deserialize)]
    struct Listed {
        after: Option<String>,
    }
    let listed: Option<Listed> = form::parse(query.unwrap_or_default().as_bytes());
    let listed = listed.ok_or(Malformed::NoSuchPage)?;
    let parsed = |text: String| parse(&text).ok_or(Malformed::NoSuchPage.into());
    listed.after.map(parsed).transpose()
}

/// Answers a page, and where the next one is.
fn paged<T, E: Serialize>(
    mut page: Vec<T>,
    path: &str,
    id: impl Fn(&T) -> String,
    entry: impl Fn(T) -> E,
) -> Response {
    let has_more = page.len() > PAGE;
    page.truncate(PAGE);
    let last = page.last().filter(|_| has_more).map(id);
    let next = last.map(|id| format!("<{path}?after={id}>; rel=\"next\""));
    let entries: Vec<E> = page.into_iter().map(entry).collect();
    let mut response = private(entries);
    if let Some(next) = next.and_then(|next| HeaderValue::try_from(next).ok()) {
        response.headers_mut().insert(LINK, next);
    }
    response
}

/// The parameters of the paths, by their names: the prefix that the routes hang under may have
/// others.
#[derive(Deserialize)]
struct Key {
    name: String,
}

#[derive(Deserialize)]
struct Subject {
    subject: String,
}

#[derive(Deserialize)]
struct Id {
    id: String,
}

/// The number of entries on a page.
const PAGE: usize = 100;
/// One more tells whether there is another page.
const LIMIT: u32 = 101;
