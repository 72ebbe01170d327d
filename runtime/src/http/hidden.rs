//! Takes the refresh cookie out of requests before the handlers of the application see it.

use std::sync::Arc;
use std::task::{Context, Poll};

use axum::extract::Request;
use http::request::Parts;
use tower_layer::Layer;
use tower_service::Service;

use crate::gate::Running;

use super::cookie::{has_any, hide};
use super::extract::{keep_cookies, note_hidden, was_hidden};

/// A layer that removes the refresh cookie from the requests that handlers of the application see:
/// with the path `/` it comes with every request, but is for the auth routes alone.
#[derive(Clone)]
pub(super) struct HideRefresh(Arc<Running>);

impl HideRefresh {
    pub(super) fn new(gate: &Arc<Running>) -> Self {
        Self(Arc::clone(gate))
    }
}

impl<S> Layer<S> for HideRefresh {
    type Service = RefreshHidden<S>;

    fn layer(&self, inner: S) -> RefreshHidden<S> {
        let gate = Arc::clone(&self.0);
        RefreshHidden { inner, gate }
    }
}

/// A service inside the layer.
#[derive(Clone)]
pub(super) struct RefreshHidden<S> {
    inner: S,
    gate: Arc<Running>,
}

impl<S: Service<Request>> Service<Request> for RefreshHidden<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> S::Future {
        let (mut parts, body) = request.into_parts();
        hide_refresh(&self.gate, &mut parts);
        self.inner.call(Request::from_parts(parts, body))
    }
}

/// Takes the refresh cookie out of the headers of a request, and keeps it for the extractors.
pub(super) fn hide_refresh(gate: &Running, parts: &mut Parts) {
    if was_hidden(gate, &parts.extensions) {
        return;
    }
    let refresh = &*gate.cookies.refresh;
    let names = [refresh, gate.refresh_cookie().former().unwrap_or(refresh)];
    if has_any(&parts.headers, &names) {
        keep_cookies(&parts.headers, &mut parts.extensions);
        hide(&mut parts.headers, &names);
        note_hidden(gate, &mut parts.extensions);
    }
}
