//! The caller of one of the gate's own routes, without the type of their claims.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::request::Parts;

use super::super::problem::Rejection;
use super::credential::{Taken, credential, place, report_refused};
use super::handed::HandedCaller;
use super::undecided::Undecided;
use crate::device::Transport;
use crate::error::{Code, Refusal};
use crate::gate::Running;
use crate::session::{Expiry, Occasion, Place, SentToken};
use crate::token::TokenInfo;

/// A caller who is signed in, without the type of their claims.
pub(in crate::http) struct KnownCaller {
    pub(in crate::http) token: TokenInfo,
    pub(in crate::http) transport: Transport,
}

impl FromRequestParts<Arc<Running>> for KnownCaller {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, gate: &Arc<Running>) -> Result<Self, Rejection> {
        match authenticate(parts, gate).await {
            Ok(Some(caller)) => Ok(caller),
            Ok(None) => Err(gate.reject(Code::MissingToken)),
            Err(refusal) => {
                report_refused(gate, parts, &refusal);
                Err(gate.reject(refusal))
            }
        }
    }
}

/// Verifies the credentials of a request: see [`Auth`](super::Auth).
async fn authenticate(parts: &Parts, gate: &Running) -> Result<Option<KnownCaller>, Refusal> {
    let (settings, admission) = (gate.settings(), gate.admission());
    if let Some(handed) = HandedCaller::of(parts, gate)
        && Taken::Both.takes_cookie_alone(parts, gate)?
    {
        let token = handed.token();
        let place = None::<fn() -> Place<'static>>;
        admission.admit_known(token, handed.occasion(), place)?;
        return Ok(Some(KnownCaller {
            token: token.clone(),
            transport: Transport::Cookie,
        }));
    }
    Undecided::refuse(parts, gate, Taken::Both)?;
    let Some((token, transport)) = credential(parts, gate, Taken::Both)? else {
        return Ok(None);
    };
    let (consistency, now) = (settings.revocation.consistency, admission.now());
    let backend = gate.flows().backend();
    let sent = SentToken::new(token);
    let token = backend.recognise(admission, sent.as_str(), Expiry::Counts)?;
    if admission.must_ask(consistency, now) {
        admission.ask(consistency, now).await?;
    }
    let place = || place(parts, settings);
    admission.admit_known(&token, Occasion::entry_of(&sent), Some(place))?;
    Ok(Some(KnownCaller { token, transport }))
}
