//! Adds the routes of one gate or of several to an application.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::{FromExtractorLayer, Next, from_fn, map_response};
use axum::response::Response;
use axum::{Extension, Router};
use http::Method;
use http::header::ACCEPT_LANGUAGE;

use crate::error::{Code, Error, Refusal};
use crate::gate::{AuthBackend, BEARER, Gate, Running, Verifier};
use crate::policy::PolicyFor;

use super::extract::Auth;
use super::hidden::HideRefresh;
use super::problem::{Rejection, name_scheme, translate};
use super::protected::IntoApp;
#[cfg(feature = "openapi")]
use super::protected::Route;
use super::root::{RootPlace, place};
use super::routes::ROUTES;
use super::row::RouteRow;
use super::transport::cookies;

impl<B: AuthBackend> Gate<B> {
    /// Returns the auth routes, for `merge` or `nest`. The gate is inside, so the router takes any
    /// state.
    ///
    /// The key set at `/.well-known/jwks.json` is not among them, because it must not move with a
    /// prefix: see [`well_known`](Self::well_known) and [`install`](Self::install).
    pub fn router<S>(&self) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        let gate = self.running();
        let router = router(gate, &RootPlace::alone(self.running()), |row| {
            !row.is_at_root()
        });
        tell_in_languages(gate, router).with_state(())
    }

    /// Returns `GET /.well-known/jwks.json`, the public keys (RFC 7517), and, where services may
    /// ask about tokens and `public_url` is set, `GET /.well-known/oauth-authorization-server` (RFC
    /// 8414). Both belong at the root.
    pub fn well_known<S>(&self) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        router(
            self.running(),
            &RootPlace::alone(self.running()),
            RouteRow::is_at_root,
        )
        .with_state(())
    }

    /// Adds everything to an application: [`router`](Self::router) and
    /// [`well_known`](Self::well_known), and with the feature `openapi` the document at
    /// `openapi.path`, by default `/openapi.json`, and with the feature `swagger-ui` a page that
    /// shows it at `openapi.swagger_ui`, by default `/docs/swagger`.
    ///
    /// The handlers of the application do not see the refresh cookie, which is for the auth routes
    /// alone.
    ///
    /// The application is a [`Router`], or a [`ProtectedRouter`](crate::ProtectedRouter), whose
    /// routes the document then lists with their callers. Several gates in one application:
    /// [`crate::install`].
    ///
    /// If another gate or the application already serves a document or a key set at that path,
    /// theirs stays, and a line is logged.
    ///
    /// # Panics
    /// As [`Router::merge`]: where the application has one of the auth routes already.
    #[track_caller]
    pub fn install<S>(&self, app: impl IntoApp<S>) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        install(app, self)
    }

    /// Returns a layer that lets through only callers who satisfy the policy `P`:
    /// `Router::route_layer(gate.require::<P>())`.
    pub fn require<P: PolicyFor<B::User>>(
        &self,
    ) -> FromExtractorLayer<Auth<B::User, P>, Verifier<B::User>> {
        axum::middleware::from_extractor_with_state(self.verifier())
    }

    /// Returns a refusal as its client sees it, for handlers of your own.
    pub fn reject(&self, refusal: impl Into<Refusal>) -> Rejection {
        Rejection::new(refusal, &self.running().scheme)
    }
}

/// Adds several gates to an application: `install(app, (&customers, &staff))`, up to four of them.
///
/// Each gate has its auth routes, as with [`Gate::install`]. The gates of one key ring share a key
/// set: that of the default realm's gate, or otherwise of the first gate, is at
/// `/.well-known/jwks.json`; that of another ring is at `/.well-known/{realm}/jwks.json`. There is
/// one OpenAPI document with the routes of all gates, at the `openapi.path` of the first gate that
/// is in it.
///
/// # Panics
/// Where [`try_install`] returns an error, with its text; and as [`Router::merge`], where the
/// application has one of the auth routes already.
///
/// # Examples
/// ```
/// # use axum::{Extension, Router};
/// # use tollgate::gate::{AuthBackend, Gate};
/// fn app<C: AuthBackend, E: AuthBackend>(customers: &Gate<C>, staff: &Gate<E>) -> Router {
///     tollgate::install(Router::new(), (customers, staff))
/// }
/// ```
#[track_caller]
#[expect(
    clippy::panic,
    reason = "a router that does not fit together is a mistake of the program, as axum has it"
)]
pub fn install<S>(app: impl IntoApp<S>, gates: impl Gates) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    match try_install(app, gates) {
        Ok(app) => app,
        Err(error) => panic!("{error}"),
    }
}

/// Does what [`install`] does, and returns an error where the gates do not fit together.
///
/// # Errors
/// [`ErrorKind::Usage`](crate::error::ErrorKind::Usage): two gates have the same route, because
/// their `prefix` is the same, or they would serve their metadata (RFC 8414) at one address,
/// because they have one issuer and both answer services.
///
/// # Panics
/// As [`Router::merge`]: where the application has one of the auth routes already.
#[track_caller]
pub fn try_install<S>(app: impl IntoApp<S>, gates: impl Gates) -> Result<Router<S>, Error>
where
    S: Clone + Send + Sync + 'static,
{
    let (app, routes) = app.into_parts();
    let members = gates.members();
    let running: Vec<&Running> = members.iter().map(|member| &*member.gate).collect();
    let taken = RoutedPaths::of(&app);
    let places = place(&running, |path| taken.contains(path))?;
    let app = match members.first() {
        Some(first) => name_challenges(&first.gate, app),
        None => app,
    };
    let app = members
        .iter()
        .filter(|member| cookies(&member.gate).is_some())
        .fold(app, |app, member| app.layer(HideRefresh::new(&member.gate)));
    let app = members
        .iter()
        .zip(&places)
        .fold(app, |app, (member, place)| {
            app.merge(router(&member.gate, place, |_| true).with_state(()))
        });
    #[cfg(feature = "openapi")]
    let app = add_document(app, &members, &places, &routes);
    #[cfg(not(feature = "openapi"))]
    drop(routes);
    let has_languages = |member: &&Member| !member.gate.messages.is_empty();
    Ok(match members.iter().find(has_languages) {
        Some(member) => tell_in_languages(&member.gate, app),
        None => app,
    })
}

/// Adds the document, unless it is off or the application has a route there.
#[cfg(feature = "openapi")]
fn add_document<S>(
    app: Router<S>,
    members: &[Member],
    places: &[RootPlace],
    routes: &[Route],
) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    let Some(first) = members.iter().find(|member| member.gate.routes.openapi) else {
        return app;
    };
    let settings = &first.gate.settings().openapi;
    let path = &settings.path;
    if path.is_empty() {
        return app;
    }
    let taken = RoutedPaths::of(&app);
    if taken.contains(path.as_str()) {
        tracing::warn!(
            path,
            "the OpenAPI document of a gate is not served, because the application has a route \
             there: set `openapi.path` to another path or to nothing, and add several gates with \
             `tollgate::install`"
        );
        return app;
    }
    let gates: Vec<_> = members.iter().zip(places).collect();
    let app = app.merge(super::openapi::serve(path, &first.gate, &gates, routes).with_state(()));
    #[cfg(feature = "swagger-ui")]
    let app = add_swagger_ui(app, &first.gate, &taken);
    app
}

/// Adds Swagger UI for the document, unless it is off or the application has a route there.
#[cfg(feature = "swagger-ui")]
fn add_swagger_ui<S>(app: Router<S>, first: &Running, taken: &RoutedPaths) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    use super::openapi::swagger_ui::{paths, serve};
    let (title, _) = super::openapi::named(Some(first));
    let settings = &first.settings().openapi;
    let page = &settings.swagger_ui;
    if page.is_empty() {
        return app;
    }
    if let Some(path) = paths(page).iter().find(|path| taken.contains(path)) {
        tracing::warn!(
            path,
            "Swagger UI is not served, because the application has a route there: set \
             `openapi.swagger_ui` to another path or to nothing"
        );
        return app;
    }
    app.merge(serve(page, &settings.path, title, &first.scheme).with_state(()))
}

/// One gate or several, for [`install`]: `&gate`, or a tuple of up to four.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no gate and no tuple of gates",
    label = "expected `&gate` or `(&gate, &other)`",
    note = "up to four gates can be added to one application"
)]
pub trait Gates: sealed::Sealed {
    #[doc(hidden)]
    fn members(self) -> Vec<Member>;
}

/// A gate without the type of its backend, and the type of its users.
#[derive(Clone)]
pub struct Member {
    pub(super) gate: Arc<Running>,
    #[cfg(feature = "openapi")]
    pub(super) user: std::any::TypeId,
}

impl Member {
    pub(super) fn of<B: AuthBackend>(gate: &Gate<B>) -> Self {
        Self {
            gate: Arc::clone(gate.running()),
            #[cfg(feature = "openapi")]
            user: std::any::TypeId::of::<B::User>(),
        }
    }
}

mod sealed {
    pub trait Sealed {}
}

impl<B: AuthBackend> sealed::Sealed for &Gate<B> {}

impl<B: AuthBackend> Gates for &Gate<B> {
    fn members(self) -> Vec<Member> {
        vec![Member::of(self)]
    }
}

macro_rules! tuples {
    ($($($gate:ident: $backend:ident),+;)+) => {$(
        impl<$($backend: AuthBackend),+> sealed::Sealed for ($(&Gate<$backend>,)+) {}

        impl<$($backend: AuthBackend),+> Gates for ($(&Gate<$backend>,)+) {
            fn members(self) -> Vec<Member> {
                let ($($gate,)+) = self;
                vec![$(Member::of($gate)),+]
            }
        }
    )+};
}

tuples! {
    a: A;
    a: A, b: B;
    a: A, b: B, c: C;
    a: A, b: B, c: C, d: D;
}

/// The paths that an application has routes for.
///
/// A router shows them only in its `Debug` form, which a test checks. If another version of axum
/// writes it differently, no path is found, and axum panics at the start where a route is there
/// twice.
struct RoutedPaths(String);

impl RoutedPaths {
    fn of<S>(app: &Router<S>) -> Self {
        Self(format!("{app:?}"))
    }

    fn contains(&self, path: &str) -> bool {
        self.0.contains(&format!("): {path:?}"))
    }
}

/// Sets the scheme of the first gate in the challenges that handlers of the application made.
fn name_challenges<S>(gate: &Running, app: Router<S>) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    let scheme = Arc::clone(&gate.scheme);
    if *scheme == *BEARER {
        return app;
    }
    app.layer(map_response(move |response: Response| {
        std::future::ready(name_scheme(response, &scheme))
    }))
}

/// Tells problems in the language that a request asks for, where the gate has more than English.
fn tell_in_languages<S>(gate: &Running, app: Router<S>) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    if gate.messages.is_empty() {
        return app;
    }
    let messages = Arc::clone(&gate.messages);
    app.layer(from_fn(move |request: Request, next: Next| {
        let messages = Arc::clone(&messages);
        let accepted = request.headers().get(ACCEPT_LANGUAGE).cloned();
        let is_head = request.method() == Method::HEAD;
        async move {
            let response = next.run(request).await;
            let accepted = accepted.as_ref().and_then(|value| value.to_str().ok());
            let tag = accepted.and_then(|accepted| messages.choose(accepted));
            translate(response, &messages, tag, is_head)
        }
    }))
}

/// Makes a router of the rows that a gate has and that are wanted.
fn router(gate: &Arc<Running>, place: &RootPlace, is_wanted: fn(&RouteRow) -> bool) -> Router {
    ROUTES
        .iter()
        .filter(|row| is_wanted(row) && row.is_in(gate))
        .filter_map(|row| Some((row, row.path(gate, place)?)))
        .fold(Router::new(), |router, (row, path)| {
            let methods = (row.handler)(row.method);
            router.route(&path, methods.layer(Extension(place.clone())))
        })
        .method_not_allowed_fallback(not_allowed)
        .with_state(Arc::clone(gate))
}

/// Refuses a request to one of the paths with another method; axum adds the header `Allow`.
async fn not_allowed(State(gate): State<Arc<Running>>) -> Rejection {
    gate.reject(Code::MethodNotAllowed)
}

#[cfg(test)]
mod tests {
    use axum::routing::get;

    use super::*;

    /// Fails where axum changes the `Debug` form of a router.
    #[test]
    fn the_paths_of_a_router_are_found_in_its_debug_form() {
        let inner = Router::new().route("/inner", get(async || "/quoted"));
        let app: Router = Router::<u8>::new()
            .route("/plain", get(async || ()))
            .nest("/outer", inner.clone())
            .merge(Router::new().route("/merged/{id}", get(async || ())))
            .layer(axum::middleware::map_request(async |asked: Request| asked))
            .with_state(1);
        let taken = RoutedPaths::of(&app);
        for path in ["/plain", "/outer/inner", "/merged/{id}"] {
            assert!(taken.contains(path), "{path} in {app:?}");
        }
        for path in ["/plai", "/plain/", "/inner", "/outer", "/merged/{no}", ""] {
            assert!(!taken.contains(path), "{path}");
        }
    }
}
