//! `POST /auth/signin` and its further steps, and renewed authentication.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use zeroize::Zeroizing;

use crate::device::{Client, Transport};
use crate::error::Refusal;
use crate::flow::Evidence;
use crate::gate::Running;

use super::super::answer::AccessOnly;
use super::super::body::{ReadBody, device, has_member, member};
use super::super::cookie::DeviceCookie;
use super::super::extract::{KnownCaller, all_cookies};
#[cfg(feature = "cookies")]
use super::super::pages;
use super::super::problem::Rejection;
use super::super::transport::{
    answer_access, answer_sign_in, from_here, known_device, presented, wanted,
};

/// Answers `POST /auth/signin`.
pub(in crate::http) async fn sign_in(
    State(gate): State<Arc<Running>>,
    request: Request,
) -> Result<Response, Rejection> {
    #[cfg(feature = "cookies")]
    if pages::is_form(&gate, request.headers()) {
        return Ok(pages::sign_in(&gate, request).await);
    }
    let attempt = async {
        let (read, mut client, device) = read(&gate, request).await?;
        let parse = || {
            let login = gate.flows().backend().parse_login(&read.bytes);
            login.map_err(Refusal::from)
        };
        // A body that is not a login is refused before anything is looked up.
        let mut first = Some(parse()?);
        let login = || first.take().map_or_else(parse, Ok);
        present(&gate, &read, &mut client).await?;
        let issued = gate.flows().sign_in_with(login, &client).await?;
        Ok((issued, client.transport, device))
    };
    let (issued, transport, device) = attempt
        .await
        .map_err(|refusal: Refusal| gate.reject(refusal))?;
    Ok(answer_sign_in(&gate, &issued, transport, device.as_ref()))
}

/// Answers `POST /auth/signin/step`: continues a sign-in that needs more than its first answer.
pub(in crate::http) async fn step(
    State(gate): State<Arc<Running>>,
    request: Request,
) -> Result<Response, Rejection> {
    #[cfg(feature = "cookies")]
    if pages::is_form(&gate, request.headers()) {
        return Ok(pages::step(&gate, request).await);
    }
    let attempt = async {
        let (read, mut client, device) = read(&gate, request).await?;
        let token = Zeroizing::new(member(&read.bytes, STEP_TOKEN)?);
        present(&gate, &read, &mut client).await?;
        let answered = read.parse()?;
        let issued = gate
            .flows()
            .sign_in_step(&token, &answered, &client)
            .await?;
        Ok((issued, client.transport, device))
    };
    let (issued, transport, device) = attempt
        .await
        .map_err(|refusal: Refusal| gate.reject(refusal))?;
    Ok(answer_sign_in(&gate, &issued, transport, device.as_ref()))
}

/// Answers `POST /auth/reauthenticate`: the caller of a session signs in again, and its `auth_time`
/// is renewed.
pub(in crate::http) async fn reauthenticate(
    State(gate): State<Arc<Running>>,
    caller: Result<KnownCaller, Rejection>,
    request: Request,
) -> Result<Response, Rejection> {
    #[cfg(feature = "cookies")]
    if pages::is_form(&gate, request.headers()) {
        return Ok(pages::reauthenticate(&gate, caller, request).await);
    }
    let caller = caller?;
    let attempt = async {
        let read = ReadBody::json(request).await?;
        let proof = if has_member(&read.bytes, STEP_TOKEN) {
            Evidence::Step(
                Zeroizing::new(member(&read.bytes, STEP_TOKEN)?),
                read.parse()?,
            )
        } else {
            let login = gate.flows().backend().parse_login(&read.bytes);
            Evidence::Login(login?)
        };
        let mut client = gate.client(&read.parts);
        client.transport = caller.transport;
        device(&read.bytes, &mut client.device)?;
        let renewed = gate.flows().reauthenticate(&caller.token, proof, &client);
        let renewed = renewed.await?;
        let access = AccessOnly {
            renewed: &renewed,
            routes: gate.routes,
            transport: caller.transport,
        };
        Ok::<_, Refusal>(answer_access(&gate, &access))
    };
    attempt.await.map_err(|refusal| gate.reject(refusal))
}

/// Reads the body of a sign-in, the client that it and its head describe, and the device cookie
/// that a successful answer sets.
pub(super) async fn read(
    gate: &Running,
    request: Request,
) -> Result<(ReadBody, Client, Option<DeviceCookie>), Refusal> {
    from_here(gate, &request)?;
    let read = ReadBody::json(request).await?;
    let mut client = gate.client(&read.parts);
    device(&read.bytes, &mut client.device)?;
    client.transport = wanted(gate, &read.bytes)?;
    let device = match client.transport {
        Transport::Cookie => Some(match known_device(gate, &read.parts.headers) {
            Some(cookie) => cookie,
            None => DeviceCookie::random()?,
        }),
        Transport::Bearer => None,
    };
    client.next_cookie_mark = device.as_ref().map(DeviceCookie::mark);
    Ok((read, client, device))
}

/// Adds the sessions of the cookies that a browser presents.
pub(super) async fn present(
    gate: &Running,
    read: &ReadBody,
    client: &mut Client,
) -> Result<(), Refusal> {
    if client.transport == Transport::Cookie {
        client.presented = presented(gate, all_cookies(&read.parts)).await?;
    }
    Ok(())
}

/// The member that carries the token of a step.
const STEP_TOKEN: &str = "step_token";
