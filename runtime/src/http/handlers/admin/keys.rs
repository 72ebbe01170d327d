//! The routes for administrators that change the deployment: keys and pause.

use std::sync::Arc;

use axum::Extension;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use crate::error::{Code, Error, ErrorKind, Refusal};
use crate::gate::{RELOAD, Running};
use crate::session::KeyRetired;

use super::super::super::answer::private;
use super::super::super::problem::Rejection;
use super::{Actor, report, report_of_key};

pub(super) async fn keys(State(gate): State<Arc<Running>>) -> Response {
    let ring = gate.ring();
    let public = serde_json::to_value(ring.jwks()).unwrap_or_default();
    private(json!({"current": ring.current(), "keys": public.get("keys")}))
}

pub(super) async fn rotate(
    State(gate): State<Arc<Running>>,
    Extension(actor): Extension<Actor>,
) -> Result<Response, Rejection> {
    let rotated = gate.ring().rotate().await;
    rotated.map_err(|error| gate.reject(refuse(error)))?;
    report(&gate, &actor, "rotate_keys", |event| event);
    Ok(private(json!({"current": gate.ring().current()})))
}

pub(super) async fn retire(
    State(gate): State<Arc<Running>>,
    Extension(actor): Extension<Actor>,
    name: Result<Path<Key>, PathRejection>,
) -> Result<Response, Rejection> {
    let Path(Key { name }) = name.map_err(|_| gate.reject(Code::NotFound))?;
    let retired = match gate.retire_key(&name).await {
        Ok(retired) => retired,
        Err(error) if error.kind() == ErrorKind::Usage && !gate.may_have_key(&name).await => {
            return Err(gate.reject(Code::NotFound));
        }
        Err(error) => return Err(gate.reject(refuse(error))),
    };
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

pub(super) async fn pause(
    State(gate): State<Arc<Running>>,
    Extension(actor): Extension<Actor>,
) -> Result<StatusCode, Rejection> {
    set_paused(&gate, &actor, true).await
}

pub(super) async fn resume(
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

/// The parameter of the path, by its name: the prefix that the routes hang under may have others.
#[derive(Deserialize)]
pub(super) struct Key {
    name: String,
}
