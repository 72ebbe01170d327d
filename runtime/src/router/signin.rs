//! Signing in, and proving again who one is.

use axum::extract::{Request, State};
use axum::response::Response;

use crate::error::{Code, Refusal};
use crate::extract::{Auth, client};
use crate::gate::{AuthBackend, Gate};
use crate::reject::Rejection;

use super::answer::{AccessOnly, Tokens, private};
use super::body::{Read, device};

/// `POST /auth/signin`.
pub(super) async fn signin<B: AuthBackend>(State(gate): State<Gate<B>>, request: Request) -> Result<Response, Rejection> {
    let attempt = async {
        let read = Read::json(request).await?;
        let mut client = client(&read.parts);
        client.device = device(&read.bytes)?;
        // A body that is no login is refused before anything is looked up.
        let mut first = Some(read.parse::<B::Login>()?);
        let login = || first.take().map_or_else(|| read.parse(), Ok);
        gate.sign_in_with(login, &client).await
    };
    let issued = attempt.await.map_err(|refusal| gate.reject(refusal))?;
    Ok(private(Tokens { issued: &issued, shape: &B::SHAPE }))
}

/// `POST /auth/reauthenticate`: the caller of a session signs in again, and its `auth_time` is renewed.
pub(super) async fn reauthenticate<B: AuthBackend>(
    State(gate): State<Gate<B>>,
    auth: Auth<B::User>,
    request: Request,
) -> Result<Response, Rejection> {
    let attempt = async {
        let read = Read::json(request).await?;
        let login = read.parse::<B::Login>()?;
        let (sid, generation) = auth.token().sid().zip(auth.token().generation()).ok_or(Code::InvalidToken)?;
        let (access_token, expires_in) =
            gate.reauthenticate((sid, generation), auth.subject(), login, &client(&read.parts)).await?;
        Ok::<_, Refusal>(private(AccessOnly { access_token: &access_token, expires_in, session_id: sid, shape: &B::SHAPE }))
    };
    attempt.await.map_err(|refusal| gate.reject(refusal))
}
