//! Signing out, and the sessions that a caller has.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;

use crate::cookie::{ACCESS, REFRESH, find};
use crate::device::Transport;
use crate::error::{Code, Refusal};
use crate::event::{Event, EventKind};
use crate::extract::{Auth, bearer};
use crate::gate::{AuthBackend, Gate};
use crate::id::SessionId;
use crate::reject::Rejection;
use crate::store::{RevokeReason, Target};

use super::answer::{Listed, private};
use super::body::{Read, has_member, member};
use super::transport::{cookies, from_here_with_cookies, presented, signed_out};

/// `POST /auth/signout`: with a bearer, expired or not, or with a refresh token in the body, or
/// with cookies, which are cleared.
pub(super) async fn signout<B: AuthBackend>(
    State(gate): State<Gate<B>>,
    request: Request,
) -> Result<Response, Rejection> {
    let attempt = async {
        let settings = &gate.running().engine.settings.access;
        from_here_with_cookies(&gate, &request)?;
        let (parts, body) = Read::optional_json(request).await?;
        let bearer = bearer(&parts, &settings.header, &settings.schemes)?;
        if cookies(&gate).is_some() && brings_cookies(&parts.headers) {
            // Both of them go, whatever they are worth: nothing else could take them away.
            return match (bearer, body) {
                (None, None) => sign_out_cookies(&gate, &parts.headers)
                    .await
                    .map(|()| Transport::Cookie),
                (None, Some(body)) if !has_member(&body, B::ROUTES.refresh_token) => {
                    sign_out_cookies(&gate, &parts.headers)
                        .await
                        .map(|()| Transport::Cookie)
                }
                _ => Err(Code::InvalidRequest.into()),
            };
        }
        match (bearer, body) {
            (None, Some(body)) => {
                gate.sign_out_refresh(&member(&body, B::ROUTES.refresh_token)?)
                    .await
            }
            (Some(_), Some(body)) if has_member(&body, B::ROUTES.refresh_token) => {
                Err(Code::InvalidRequest.into())
            }
            (Some(token), _) => gate.sign_out_bearer(token).await,
            (None, None) => Err(Code::MissingToken.into()),
        }
        .map(|()| Transport::Bearer)
    };
    let transport = attempt.await.map_err(|refusal| gate.reject(refusal))?;
    Ok(signed_out(
        &gate,
        transport,
        StatusCode::NO_CONTENT.into_response(),
    ))
}

fn brings_cookies(headers: &HeaderMap) -> bool {
    [ACCESS, REFRESH]
        .into_iter()
        .any(|name| find(headers, name).map_or(true, |found| found.is_some()))
}

/// Ends the sessions of both cookies.
async fn sign_out_cookies<B: AuthBackend>(
    gate: &Gate<B>,
    headers: &HeaderMap,
) -> Result<(), Refusal> {
    let engine = &gate.running().engine;
    for sid in presented(gate, headers).await? {
        engine
            .revoke_for_client(Target::Session(sid), RevokeReason::SignOut)
            .await?;
        engine
            .events
            .emit(&Event::new(EventKind::SignedOut).sid(sid));
    }
    Ok(())
}

/// `POST /auth/signout-all`.
pub(super) async fn signout_all<B: AuthBackend>(
    State(gate): State<Gate<B>>,
    auth: Auth<B::User>,
) -> Result<Response, Rejection> {
    let (engine, subject) = (&gate.running().engine, auth.token().subject());
    let target = Target::Subject(subject.to_owned());
    engine
        .revoke_for_client(target, RevokeReason::SignOutAll)
        .await
        .map_err(|refusal| gate.reject(refusal))?;
    engine
        .events
        .emit(&Event::new(EventKind::SignedOutEverywhere).subject(subject));
    Ok(signed_out(
        &gate,
        auth.transport(),
        StatusCode::NO_CONTENT.into_response(),
    ))
}

/// `GET /auth/sessions`.
pub(super) async fn list<B: AuthBackend>(
    State(gate): State<Gate<B>>,
    auth: Auth<B::User>,
) -> Result<Response, Rejection> {
    let sessions = gate
        .sessions()
        .of(auth.token().subject())
        .await
        .map_err(|e| gate.reject(Refusal::unavailable(e)))?;
    let current = auth.token().sid();
    Ok(private(
        sessions
            .into_iter()
            .map(|session| Listed::new(session, current))
            .collect::<Vec<_>>(),
    ))
}

/// The parameter of the path, by its name: the prefix that the routes hang under may have others.
#[derive(Deserialize)]
pub(super) struct Named {
    id: String,
}

/// `DELETE /auth/sessions/{id}`: another's is as if it were not there (R94), and so is what is not
/// even text.
pub(super) async fn end<B: AuthBackend>(
    State(gate): State<Gate<B>>,
    auth: Auth<B::User>,
    path: Result<Path<Named>, PathRejection>,
) -> Result<StatusCode, Rejection> {
    let attempt = async {
        let sid = path
            .ok()
            .and_then(|Path(named)| SessionId::parse(&named.id))
            .ok_or(Code::NotFound)?;
        let session = gate
            .sessions()
            .get(sid)
            .await
            .map_err(Refusal::unavailable)?;
        session
            .filter(|session| session.subject == auth.token().subject())
            .ok_or(Code::NotFound)?;
        gate.running()
            .engine
            .revoke_for_client(Target::Session(sid), RevokeReason::SignOut)
            .await
    };
    attempt.await.map_err(|refusal| gate.reject(refusal))?;
    Ok(StatusCode::NO_CONTENT)
}
