//! The routes for administrators about sessions and tokens of a subject.

use std::sync::Arc;

use axum::Extension;
use axum::extract::rejection::PathRejection;
use axum::extract::{OriginalUri, Path, State};
use axum::response::Response;
use http::header::LINK;
use http::{HeaderValue, StatusCode, Uri};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::clock::Timestamp;
use crate::error::{Code, Malformed, Refusal};
use crate::gate::Running;
use crate::id::{SessionId, TokenId};
use crate::session::Revoke;
use crate::store::StoredTokenKind;

use super::super::super::answer::{SessionEntry, private};
use super::super::super::problem::Rejection;
use super::{Actor, report};

/// Lists the live sessions of a subject that the query selects, a page at a time. The next page is
/// in `Link` (RFC 8288).
pub(super) async fn sessions(
    State(gate): State<Arc<Running>>,
    OriginalUri(uri): OriginalUri,
    path: Result<Path<Subject>, PathRejection>,
) -> Result<Response, Rejection> {
    let attempt = async {
        let Path(Subject { subject }) = path.map_err(|_| Code::NotFound)?;
        let query = Query::of(&uri);
        let mut sessions = gate.sessions();
        if let Some(client) = query.get("client_id")? {
            sessions = sessions.of_client(client);
        }
        if let Some(device) = query.get("device_id")? {
            sessions = sessions.on_device(device);
        }
        if let Some(address) = query.parsed("address", |text| text.parse().ok())? {
            sessions = sessions.from_address(address);
        }
        if let Some(at) = query.parsed("seen_since", seconds)? {
            sessions = sessions.seen_since(at);
        }
        let after = query.after(SessionId::parse)?;
        let page = sessions.page(&subject, after, LIMIT).await;
        let page = page.map_err(Refusal::unavailable)?;
        Ok(page.ok_or(Malformed::NoSuchPage)?)
    };
    let page = attempt
        .await
        .map_err(|refusal: Refusal| gate.reject(refusal))?;
    Ok(paged(
        page,
        &uri,
        |session| session.session_id.to_string(),
        |session| SessionEntry::new(session, None),
    ))
}

/// Lists the tokens of a subject in the registry in the same way.
pub(super) async fn tokens(
    State(gate): State<Arc<Running>>,
    OriginalUri(uri): OriginalUri,
    path: Result<Path<Subject>, PathRejection>,
) -> Result<Response, Rejection> {
    let attempt = async {
        let Path(Subject { subject }) = path.map_err(|_| Code::NotFound)?;
        let query = Query::of(&uri);
        let after = match query.after(TokenId::parse)? {
            Some(jti) => {
                let found = gate.tokens().of(&subject).get(jti).await;
                let found = found.map_err(Refusal::unavailable)?;
                Some(found.ok_or(Malformed::NoSuchPage)?)
            }
            None => None,
        };
        let mut tokens = gate.tokens().of(&subject);
        match query.parsed("active", |text| text.parse().ok())? {
            Some(true) => tokens = tokens.active(),
            Some(false) => tokens = tokens.expired(),
            None => {}
        }
        if let Some(kind) = query.parsed("kind", StoredTokenKind::parse)? {
            tokens = tokens.of_kind(kind);
        }
        if let Some(device) = query.get("device_id")? {
            tokens = tokens.on_device(device);
        }
        if let Some(at) = query.parsed("issued_since", seconds)? {
            tokens = tokens.issued_since(at);
        }
        if let Some(at) = query.parsed("issued_before", seconds)? {
            tokens = tokens.issued_before(at);
        }
        let page = tokens.page(LIMIT, after.as_ref()).await;
        page.map_err(Refusal::unavailable)
    };
    let page = attempt
        .await
        .map_err(|refusal: Refusal| gate.reject(refusal))?;
    Ok(paged(
        page,
        &uri,
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
                "revoked_at": token.revoked_at.map(Timestamp::as_secs),
            })
        },
    ))
}

pub(super) async fn end(
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
pub(super) async fn end_all(
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

pub(super) async fn revoke(
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

/// The parameters of a list. Names that no list knows are left alone.
struct Query(Vec<(String, String)>);

impl Query {
    fn of(uri: &Uri) -> Self {
        let query = uri.query().unwrap_or_default().as_bytes();
        let pairs = form_urlencoded::parse(query).into_owned();
        Self(pairs.collect())
    }

    /// Returns the value of a parameter, which may be there once.
    fn get(&self, name: &'static str) -> Result<Option<&str>, Refusal> {
        let mut values = self.0.iter().filter(|(known, _)| known == name);
        let value = values.next().map(|(_, value)| value.as_str());
        match values.next() {
            Some(_) => Err(Malformed::Twice(name).into()),
            None => Ok(value),
        }
    }

    /// Reads the value of a parameter.
    fn parsed<T>(
        &self,
        name: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Refusal> {
        let value = self.get(name)?;
        let read = |text| parse(text).ok_or(Malformed::Unfit(name).into());
        value.map(read).transpose()
    }

    /// Reads the place after which the page begins.
    fn after<T>(&self, parse: fn(&str) -> Option<T>) -> Result<Option<T>, Refusal> {
        let value = self.get("after").map_err(|_| Malformed::NoSuchPage)?;
        let read = |text| parse(text).ok_or(Malformed::NoSuchPage.into());
        value.map(read).transpose()
    }
}

/// Reads a number of seconds since 1970.
fn seconds(text: &str) -> Option<Timestamp> {
    text.parse().ok().map(Timestamp::from_secs)
}

/// Answers a page, and where the next one of the same selection is: a query of the address that was
/// asked, since a proxy may have changed the path.
fn paged<T, E: Serialize>(
    mut page: Vec<T>,
    uri: &Uri,
    id: impl Fn(&T) -> String,
    entry: impl Fn(T) -> E,
) -> Response {
    let has_more = page.len() > PAGE;
    page.truncate(PAGE);
    let last = page.last().filter(|_| has_more).map(id);
    let next = last.map(|id| {
        let query = uri.query().unwrap_or_default().as_bytes();
        let selected = form_urlencoded::parse(query).filter(|(name, _)| name != "after");
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(selected)
            .append_pair("after", &id)
            .finish();
        format!("<?{query}>; rel=\"next\"")
    });
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
pub(super) struct Subject {
    subject: String,
}

#[derive(Deserialize)]
pub(super) struct Id {
    id: String,
}

/// The number of entries on a page.
const PAGE: usize = 100;
/// One more tells whether there is another page.
const LIMIT: u32 = 101;
