//! The caller as the backend knows them today.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::request::Parts;

use super::super::problem::Rejection;
use super::{Auth, HoldsGate};
use crate::error::{AuthError, Code, Refusal};
use crate::gate::{AuthBackend, Refresh};
use crate::token::JwtClaims as _;

/// The caller as the backend knows them today, loaded through [`Refresh`]. It derefs to the user.
#[must_use]
pub struct Current<B: AuthBackend>(pub B::User);

impl<B: AuthBackend> Deref for Current<B> {
    type Target = B::User;

    fn deref(&self) -> &B::User {
        &self.0
    }
}

impl<B: AuthBackend> fmt::Debug for Current<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Current")
    }
}

impl<S, B> FromRequestParts<S> for Current<B>
where
    S: Send + Sync + HoldsGate<B>,
    B: Refresh,
{
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        let gate = HoldsGate::<B>::gate(state);
        let scheme = Arc::clone(&gate.running().scheme);
        let refuse = |refusal| Rejection::new(refusal, &scheme);
        let auth = Auth::<B::User>::find(parts, &gate.verifier())
            .await
            .map_err(refuse)?;
        let auth = auth.ok_or_else(|| refuse(Code::MissingToken.into()))?;
        let user = gate
            .backend()
            .refresh(auth.subject(), &gate.client(parts))
            .await;
        let user = user.map_err(|error| match error {
            AuthError::Unavailable(source) => refuse(Refusal::unavailable(source)),
            AuthError::More(_) => refuse(Refusal::unavailable(
                "the backend asked for a step, and a request has none",
            )),
            AuthError::Invalid | AuthError::Disabled | AuthError::Gone => {
                refuse(Code::InvalidToken.into())
            }
        })?;
        let answered = user.subject().to_string();
        if answered != auth.token().subject() {
            return Err(refuse(gate.other_subject(auth.token().subject())));
        }
        Ok(Self(user))
    }
}
