//! Hangs handlers of a backend into routes that know no backend, so that a user's build has axum's
//! machinery once, not once a route.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::handler::Handler;
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter, on};

use crate::gate::{AuthBackend, Gate};

/// A handler of which only the types of HTTP are left.
#[derive(Clone)]
pub(super) struct Mounted(Arc<dyn Fn(Request) -> Answer + Send + Sync>);

type Answer = Pin<Box<dyn Future<Output = Response> + Send>>;

impl Mounted {
    pub(super) fn new<B, H, T>(gate: &Gate<B>, handler: H) -> Self
    where
        B: AuthBackend,
        H: Handler<T, Gate<B>> + Sync,
        T: 'static,
    {
        let gate = gate.clone();
        Self(Arc::new(move |request| {
            Box::pin(handler.clone().call(request, gate.clone()))
        }))
    }

    fn into_methods(self, filter: MethodFilter) -> MethodRouter {
        on(filter, move |request: Request| self.0(request))
    }
}

/// A router of these handlers, whatever the state of the application.
pub(super) fn router(routes: Vec<(String, MethodFilter, Mounted)>) -> Router {
    routes
        .into_iter()
        .fold(Router::new(), |router, (path, filter, handler)| {
            router.route(&path, handler.into_methods(filter))
        })
}
