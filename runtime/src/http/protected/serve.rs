//! Serves a protected router directly, without an axum router around it.

use std::convert::Infallible;
use std::future::Ready;
use std::task::{Context, Poll};

use axum::Router;
use axum::extract::connect_info::IntoMakeServiceWithConnectInfo;
use axum::routing::IntoMakeService;
use axum::serve::{IncomingStream, Listener};
use tower_service::Service;

use super::ProtectedRouter;

impl ProtectedRouter {
    /// Makes a service for each connection, as [`Router::into_make_service`].
    #[must_use]
    pub fn into_make_service(self) -> IntoMakeService<Router> {
        self.router.into_make_service()
    }

    /// Makes a service for each connection, which knows the address of its client, as
    /// [`Router::into_make_service_with_connect_info`].
    #[must_use]
    pub fn into_make_service_with_connect_info<C>(
        self,
    ) -> IntoMakeServiceWithConnectInfo<Router, C> {
        self.router.into_make_service_with_connect_info()
    }
}

/// For `axum::serve(listener, protected)`, once it has its state.
impl<L: Listener> Service<IncomingStream<'_, L>> for ProtectedRouter {
    type Response = Router;
    type Error = Infallible;
    type Future = Ready<Result<Router, Infallible>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Service::<IncomingStream<'_, L>>::poll_ready(&mut self.router, context)
    }

    fn call(&mut self, connection: IncomingStream<'_, L>) -> Self::Future {
        self.router.call(connection)
    }
}
