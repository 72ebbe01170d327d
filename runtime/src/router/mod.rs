//! The routes: which there are, and how they hang together.

mod answer;
mod body;
mod mount;
mod service;
mod session;
mod signin;
mod token;
mod transport;

use axum::Router;
use axum::extract::State;
use axum::middleware::FromExtractorLayer;
use axum::response::{IntoResponse, Response};
use axum::routing::MethodFilter;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::error::Refusal;
use crate::extract::Auth;
use crate::gate::{AuthBackend, AuthRoute, Gate, Verifier};
use crate::guarded::IntoApp;
use crate::keys::Published;
use crate::policy::PolicyFor;
use crate::reject::Rejection;

use mount::Mounted;

impl<B: AuthBackend> Gate<B> {
    /// The auth routes, for `merge` or `nest`. The gate is inside, so any state will do.
    ///
    /// The key set at `/.well-known/jwks.json` is not among them, for it must not move with a
    /// prefix: see [`well_known`](Self::well_known) and [`install`](Self::install).
    pub fn router<S>(&self) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        let shape = &B::ROUTES;
        let (post, get, delete) = (MethodFilter::POST, MethodFilter::GET, MethodFilter::DELETE);
        let step = format!("{}/step", shape.signin.path);
        let routes = [
            (
                AuthRoute::Signin,
                step.as_str(),
                post,
                Mounted::new(self, signin::step::<B>),
            ),
            (
                AuthRoute::Signin,
                shape.signin.path,
                post,
                Mounted::new(self, signin::signin::<B>),
            ),
            (
                AuthRoute::Refresh,
                shape.refresh.path,
                post,
                Mounted::new(self, token::refresh::<B>),
            ),
            (
                AuthRoute::Reauthenticate,
                "/reauthenticate",
                post,
                Mounted::new(self, signin::reauthenticate::<B>),
            ),
            (
                AuthRoute::Verify,
                "/verify",
                post,
                Mounted::new(self, token::verify::<B>),
            ),
            (
                AuthRoute::Signout,
                "/signout",
                post,
                Mounted::new(self, session::signout::<B>),
            ),
            (
                AuthRoute::SignoutAll,
                "/signout-all",
                post,
                Mounted::new(self, session::signout_all::<B>),
            ),
            (
                AuthRoute::Revoke,
                "/revoke",
                post,
                Mounted::new(self, token::revoke::<B>),
            ),
            (
                AuthRoute::Sessions,
                "/sessions",
                get,
                Mounted::new(self, session::list::<B>),
            ),
            (
                AuthRoute::Sessions,
                "/sessions/{id}",
                delete,
                Mounted::new(self, session::end::<B>),
            ),
        ];
        let present = routes
            .into_iter()
            .filter(|(route, ..)| !shape.disabled.contains(route));
        let present = present
            .map(|(_, path, method, handler)| (format!("{}{path}", shape.prefix), method, handler));
        let introspect = self.answers_services().then(|| {
            (
                format!("{}/introspect", shape.prefix),
                post,
                Mounted::new(self, service::introspect::<B>),
            )
        });
        mount::router(present.chain(introspect).collect()).with_state(())
    }

    /// `GET /.well-known/jwks.json`, the public keys (RFC 7517), and where services may ask about
    /// tokens and `public_url` is set `GET /.well-known/oauth-authorization-server` (RFC 8414).
    /// Both belong at the root.
    pub fn well_known<S>(&self) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        let jwks = Mounted::new(self, jwks::<B>);
        mount::router(vec![(
            "/.well-known/jwks.json".to_owned(),
            MethodFilter::GET,
            jwks,
        )])
        .with_state(())
        .merge(self.metadata())
    }

    /// Adds everything to an application: [`router`](Self::router) and
    /// [`well_known`](Self::well_known), and with the feature `openapi` the document at
    /// `/openapi.json`.
    ///
    /// The application is a [`Router`], or a [`ProtectedRouter`](crate::guarded::ProtectedRouter) one, whose routes
    /// then stand in the document with who may call them.
    pub fn install<S>(&self, app: impl IntoApp<S>) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        let (app, routes) = app.into_parts();
        let app = app.merge(self.router()).merge(self.well_known());
        #[cfg(feature = "openapi")]
        let app = app.merge(self.document(&routes));
        #[cfg(not(feature = "openapi"))]
        drop(routes);
        app
    }

    /// A layer that lets only callers through who satisfy the policy `P`:
    /// `Router::route_layer(gate.require::<P>())`.
    pub fn require<P: PolicyFor<B::User>>(
        &self,
    ) -> FromExtractorLayer<Auth<B::User, P>, Verifier<B::User>> {
        axum::middleware::from_extractor_with_state(self.verifier())
    }

    /// A refusal as its client sees it, for handlers of one's own.
    pub fn reject(&self, refusal: impl Into<Refusal>) -> Rejection {
        Rejection::new(refusal, &self.running().scheme)
    }
}

async fn jwks<B: AuthBackend>(State(gate): State<Gate<B>>, request: HeaderMap) -> Response {
    document(gate.running().engine.ring.set().published(), &request)
}

fn document(keys: &Published, request: &HeaderMap) -> Response {
    let mut response = if is_known(request, keys.etag()) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        (
            [(
                CONTENT_TYPE,
                HeaderValue::from_static("application/jwk-set+json"),
            )],
            keys.body().to_vec(),
        )
            .into_response()
    };
    let headers = response.headers_mut();
    headers.insert(
        CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=300"),
    );
    headers.extend(
        HeaderValue::try_from(keys.etag())
            .ok()
            .map(|etag| (ETAG, etag)),
    );
    response
}

/// Whether the client has this very document: `If-None-Match` holds its tag, weak or not, or a star
/// (RFC 9110 section 13.1.2).
fn is_known(request: &HeaderMap, etag: &str) -> bool {
    let listed = request
        .get_all(IF_NONE_MATCH)
        .into_iter()
        .filter_map(|line| line.to_str().ok());
    listed
        .flat_map(|line| line.split(','))
        .map(str::trim)
        .any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}
