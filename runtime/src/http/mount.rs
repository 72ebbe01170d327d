//! Adds a gate's routes to an application.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{FromExtractorLayer, map_request};

use crate::error::{Code, Refusal};
use crate::gate::{AuthBackend, Gate, Running, Verifier};
use crate::policy::PolicyFor;

use super::cookie::hide;
use super::extract::Auth;
use super::problem::Rejection;
use super::protected::IntoApp;
use super::routes::ROUTES;
use super::row::RouteRow;
use super::transport::cookies;

impl<B: AuthBackend> Gate<B> {
    /// The auth routes, for `merge` or `nest`. The gate is inside, so any state will do.
    ///
    /// The key set at `/.well-known/jwks.json` is not among them, for it must not move with a
    /// prefix: see [`well_known`](Self::well_known) and [`install`](Self::install).
    pub fn router<S>(&self) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        router(self.running(), |row| !row.is_at_root()).with_state(())
    }

    /// `GET /.well-known/jwks.json`, the public keys (RFC 7517), and where services may ask about
    /// tokens and `public_url` is set `GET /.well-known/oauth-authorization-server` (RFC 8414).
    /// Both belong at the root.
    pub fn well_known<S>(&self) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        router(self.running(), RouteRow::is_at_root).with_state(())
    }

    /// Adds everything to an application: [`router`](Self::router) and
    /// [`well_known`](Self::well_known), and with the feature `openapi` the document at
    /// `/openapi.json`.
    ///
    /// The handlers of the application do not see the refresh cookie, which is for the auth routes
    /// alone.
    ///
    /// The application is a [`Router`], or a [`ProtectedRouter`](crate::ProtectedRouter), whose
    /// routes then stand in the document with who may call them.
    pub fn install<S>(&self, app: impl IntoApp<S>) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        let (app, routes) = app.into_parts();
        let app = self
            .hide_refresh_cookie(app)
            .merge(self.router())
            .merge(self.well_known());
        #[cfg(feature = "openapi")]
        let app = app.merge(super::openapi::serve(self.running(), &routes).with_state(()));
        #[cfg(not(feature = "openapi"))]
        drop(routes);
        app
    }

    /// Takes the refresh cookie out of what the handlers of the application see: with the path `/`
    /// it comes with every request, and is for the auth routes alone.
    fn hide_refresh_cookie<S>(&self, app: Router<S>) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        let gate = Arc::clone(self.running());
        if cookies(&gate).is_none() {
            return app;
        }
        app.layer(map_request(move |mut request: Request| {
            let names = [Some(&*gate.cookies.refresh), gate.refresh_cookie.former()];
            let names: Vec<&str> = names.into_iter().flatten().collect();
            hide(request.headers_mut(), &names);
            std::future::ready(request)
        }))
    }

    /// A layer that lets only callers through who satisfy the policy `P`:
    /// `Router::route_layer(gate.require::<P>())`.
    pub fn require<P: PolicyFor<B::User>>(
        &self,
    ) -> FromExtractorLayer<Auth<B::User, P>, Verifier<B::User>> {
        axum::middleware::from_extractor_with_state(self.verifier())
    }

    /// A refusal as its client sees it, for handlers of your own.
    pub fn reject(&self, refusal: impl Into<Refusal>) -> Rejection {
        Rejection::new(refusal, &self.running().scheme)
    }
}

/// Folds the rows that a gate has, of those that are wanted, into a router.
fn router(gate: &Arc<Running>, is_wanted: fn(&RouteRow) -> bool) -> Router {
    ROUTES
        .iter()
        .filter(|row| is_wanted(row) && row.is_in(gate))
        .fold(Router::new(), |router, row| {
            router.route(&row.path(gate), (row.handler)(row.method))
        })
        .method_not_allowed_fallback(not_allowed)
        .with_state(Arc::clone(gate))
}

/// Answers a request to one of the paths with another method; axum adds the header `Allow`.
async fn not_allowed(State(gate): State<Arc<Running>>) -> Rejection {
    gate.reject(Code::MethodNotAllowed)
}
