//! Signing in, and proving again who one is.

use axum::extract::{Request, State};
use axum::response::Response;
use zeroize::Zeroizing;

use crate::device::Transport;
use crate::error::{Code, Refusal};
use crate::extract::Auth;
use crate::gate::{AuthBackend, Gate, Renewal};
use crate::reject::Rejection;

use super::answer::AccessOnly;
use super::body::{Read, device, has_member, member};
use super::transport::{answer, answer_access, from_here, presented, wanted};

/// `POST /auth/signin`.
pub(super) async fn signin<B: AuthBackend>(
    State(gate): State<Gate<B>>,
    request: Request,
) -> Result<Response, Rejection> {
    let attempt = async {
        from_here(&gate, &request)?;
        let read = Read::json(request).await?;
        let mut client = gate.client(&read.parts);
        device(&read.bytes, &mut client.device)?;
        client.transport = wanted(&gate, &read.bytes)?;
        // A body that is no login is refused before anything is looked up.
        let mut first = Some(read.parse::<B::Login>()?);
        let login = || first.take().map_or_else(|| read.parse(), Ok);
        if client.transport == Transport::Cookie {
            client.presented = presented(&gate, &read.parts.headers).await?;
        }
        Ok((gate.sign_in_with(login, &client).await?, client.transport))
    };
    let (issued, transport) = attempt
        .await
        .map_err(|refusal: Refusal| gate.reject(refusal))?;
    Ok(answer(&gate, &issued, transport))
}

/// `POST /auth/signin/step`: goes on with a sign-in that needs more than its first answer.
pub(super) async fn step<B: AuthBackend>(
    State(gate): State<Gate<B>>,
    request: Request,
) -> Result<Response, Rejection> {
    let attempt = async {
        from_here(&gate, &request)?;
        let read = Read::json(request).await?;
        let mut client = gate.client(&read.parts);
        device(&read.bytes, &mut client.device)?;
        client.transport = wanted(&gate, &read.bytes)?;
        let token = Zeroizing::new(member(&read.bytes, STEP_TOKEN)?);
        if client.transport == Transport::Cookie {
            client.presented = presented(&gate, &read.parts.headers).await?;
        }
        Ok((
            gate.sign_in_step(&token, &read.parse()?, &client).await?,
            client.transport,
        ))
    };
    let (issued, transport) = attempt
        .await
        .map_err(|refusal: Refusal| gate.reject(refusal))?;
    Ok(answer(&gate, &issued, transport))
}

/// `POST /auth/reauthenticate`: the caller of a session signs in again, and its `auth_time` is
/// renewed.
pub(super) async fn reauthenticate<B: AuthBackend>(
    State(gate): State<Gate<B>>,
    auth: Auth<B::User>,
    request: Request,
) -> Result<Response, Rejection> {
    let attempt = async {
        let read = Read::json(request).await?;
        let proof = if has_member(&read.bytes, STEP_TOKEN) {
            Renewal::Step(
                Zeroizing::new(member(&read.bytes, STEP_TOKEN)?),
                read.parse()?,
            )
        } else {
            Renewal::Login(read.parse::<B::Login>()?)
        };
        let (sid, generation) = auth
            .token()
            .sid()
            .zip(auth.token().generation())
            .ok_or(Code::InvalidToken)?;
        let (access_token, expires_in) = gate
            .reauthenticate(
                (sid, generation),
                auth.subject(),
                proof,
                &gate.client(&read.parts),
            )
            .await?;
        let (shape, transport) = (&B::ROUTES, auth.transport());
        let access = AccessOnly {
            access_token: &access_token,
            expires_in,
            session_id: sid,
            shape,
            transport,
        };
        Ok::<_, Refusal>(answer_access(&gate, &access))
    };
    attempt.await.map_err(|refusal| gate.reject(refusal))
}

/// The member that carries the token of a step.
const STEP_TOKEN: &str = "step_token";
