//! Signing out, and the sessions that a caller has.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;

use crate::error::{Code, Refusal};
use crate::event::{Event, EventKind};
use crate::extract::{Auth, bearer};
use crate::gate::{AuthBackend, Gate};
use crate::id::SessionId;
use crate::reject::Rejection;
use crate::store::{RevokeReason, Target};

use super::answer::{Listed, private};
use super::body::{Read, has_member, member};

/// `POST /auth/signout`: with a bearer, expired or not, or with a refresh token in the body.
pub(super) async fn signout<B: AuthBackend>(State(gate): State<Gate<B>>, request: Request) -> Result<StatusCode, Rejection> {
    let attempt = async {
        let settings = &gate.running().engine.settings.access;
        let (parts, body) = Read::optional_json(request).await?;
        let bearer = bearer(&parts, &settings.header, &settings.schemes)?;
        match (bearer, body) {
            (None, Some(body)) => gate.sign_out_refresh(&member(&body, B::SHAPE.refresh_token)?).await,
            (Some(_), Some(body)) if has_member(&body, B::SHAPE.refresh_token) => Err(Code::InvalidRequest.into()),
            (Some(token), _) => gate.sign_out_bearer(token).await,
            (None, None) => Err(Code::MissingToken.into()),
        }
    };
    attempt.await.map_err(|refusal| gate.reject(refusal))?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /auth/signout-all`.
pub(super) async fn signout_all<B: AuthBackend>(
    State(gate): State<Gate<B>>,
    auth: Auth<B::User>,
) -> Result<StatusCode, Rejection> {
    let (engine, subject) = (&gate.running().engine, auth.token().subject());
    let target = Target::Subject(subject.to_owned());
    engine.revoke_for_client(target, RevokeReason::SignOutAll).await.map_err(|refusal| gate.reject(refusal))?;
    engine.events.emit(&Event::new(EventKind::SignedOutEverywhere).subject(subject));
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /auth/sessions`.
pub(super) async fn list<B: AuthBackend>(State(gate): State<Gate<B>>, auth: Auth<B::User>) -> Result<Response, Rejection> {
    let sessions = gate.sessions().of(auth.token().subject()).await.map_err(|e| gate.reject(Refusal::unavailable(e)))?;
    let current = auth.token().sid();
    Ok(private(sessions.into_iter().map(|session| Listed::new(session, current)).collect::<Vec<_>>()))
}

/// The parameter of the path, by its name: the prefix that the routes hang under may have others.
#[derive(Deserialize)]
pub(super) struct Named {
    id: String,
}

/// `DELETE /auth/sessions/{id}`: another's is as if it were not there (R94), and so is what is not even text.
pub(super) async fn end<B: AuthBackend>(
    State(gate): State<Gate<B>>,
    auth: Auth<B::User>,
    path: Result<Path<Named>, PathRejection>,
) -> Result<StatusCode, Rejection> {
    let attempt = async {
        let sid = path.ok().and_then(|Path(named)| SessionId::parse(&named.id)).ok_or(Code::NotFound)?;
        let session = gate.sessions().get(sid).await.map_err(Refusal::unavailable)?;
        session.filter(|session| session.subject == auth.token().subject()).ok_or(Code::NotFound)?;
        gate.running().engine.revoke_for_client(Target::Session(sid), RevokeReason::SignOut).await
    };
    attempt.await.map_err(|refusal| gate.reject(refusal))?;
    Ok(StatusCode::NO_CONTENT)
}
