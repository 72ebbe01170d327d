//! Deny by default: a router whose handlers declare in their first argument who may call them;
//! otherwise they do not compile.

mod application;
mod argument;
pub(super) mod caller;
pub mod routing;
mod serve;

/// The former name of [`ProtectedRouter`].
#[deprecated(since = "0.1.0", note = "use `ProtectedRouter`")]
pub type Guarded<S = ()> = ProtectedRouter<S>;

pub use application::{IntoApp, ProtectedMethods, Routes};
pub use argument::{
    Answer, ArgumentIn, Arguments, Asynchronous, CallerArgument, Handles, HasArguments,
    LastArgument, NoArguments,
};

use std::any::TypeId;
use std::convert::Infallible;
use std::fmt;

use axum::Router;
use axum::extract::Request;
use axum::response::IntoResponse;
use axum::routing::Route as Endpoint;
use http::Method;
use tower_layer::Layer;
use tower_service::Service;

#[cfg(feature = "openapi")]
use super::member::OwnRouteDoc;
use crate::policy::{PolicyFor, Rule};
use crate::token::JwtClaims;

/// A router that takes only handlers which declare who may call them.
///
/// The first argument of each handler is `Auth<…>`, `Option<Auth<…>>`, `Lenient<Auth<…>>`,
/// `OneOf<…>`, `Current<…>` or [`Public`], and the method routers are those of
/// [`tollgate::routing`](routing). A handler without such an argument does not compile. The rest is
/// axum: it merges into a [`Router`], and becomes one with [`into_router`](Self::into_router).
///
/// The guarantee covers handlers only. A layer sees requests before any of them, and routes of the
/// axum router around this one are not checked.
///
/// # Examples
/// ```
/// use axum::{Json, Router};
/// use tollgate::prelude::*;
/// use tollgate::routing::{get, post};
/// # #[derive(Clone, Copy, PartialEq, Eq, ClaimValue)] enum Role { Admin }
/// # #[derive(Clone, JwtClaims)]
/// # struct User {
/// #     #[claim(sub)] id: u64,
/// #     #[claim(roles)] roles: Vec<Role>,
/// # }
/// # #[derive(Policy)] #[policy(role = Role::Admin)] struct Admins;
///
/// async fn health(_: Public) -> &'static str {
///     "well"
/// }
///
/// async fn me(user: Auth<User>) -> Json<UserClaims> {
///     Json(user.claims().clone())
/// }
///
/// async fn purge(_: Auth<User, Admins>) {}
///
/// # fn app<S>() -> Router<S>
/// # where
/// #     S: Clone + Send + Sync + 'static,
/// #     Verifier<User>: axum::extract::FromRef<S>,
/// # {
/// let protected = ProtectedRouter::new()
///     .route("/health", get(health))
///     .route("/me", get(me))
///     .route("/purge", post(purge));
/// Router::new().merge(protected)
/// # }
/// ```
///
/// A handler without such an argument:
/// ```compile_fail,E0277
/// use tollgate::prelude::*;
/// use tollgate::routing::post;
///
/// async fn purge(_: axum::extract::Path<u64>) {}
///
/// let protected: ProtectedRouter = ProtectedRouter::new().route("/purge/{id}", post(purge));
/// ```
///
/// [`Public`]: crate::extract::Public
#[must_use]
pub struct ProtectedRouter<S = ()> {
    router: Router<S>,
    routes: Vec<Route>,
}

impl<S> ProtectedRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    /// Makes a router without routes.
    pub fn new() -> Self {
        Self {
            router: Router::new(),
            routes: Vec::new(),
        }
    }

    /// Adds a route; `methods` comes from [`tollgate::routing`](routing).
    ///
    /// # Panics
    /// As [`Router::route`]: where the path is malformed, or taken for one of the methods.
    #[track_caller]
    pub fn route(mut self, path: &str, methods: impl ProtectedMethods<S>) -> Self {
        let (methods, said) = methods.into_methods().into_parts();
        self.routes.extend(said.into_iter().map(|declared| Route {
            path: path.to_owned(),
            method: declared.method,
            security: declared.security,
            callers: declared.callers,
            #[cfg(feature = "openapi")]
            doc: None,
        }));
        Self {
            router: self.router.route(path, methods),
            ..self
        }
    }

    /// Adds a route whose handlers are guarded by callers of the type `U` who satisfy `P`.
    #[track_caller]
    pub(super) fn guarded<U, P>(
        mut self,
        path: &str,
        methods: &[Method],
        handlers: axum::routing::MethodRouter<S>,
    ) -> Self
    where
        U: JwtClaims,
        P: PolicyFor<U>,
    {
        self.routes.extend(methods.iter().map(|method| Route {
            path: path.to_owned(),
            method: Some(method.clone()),
            security: Security::Required(P::RULE),
            callers: vec![RouteCaller::from(&CallerUser::either::<U>())],
            #[cfg(feature = "openapi")]
            doc: None,
        }));
        Self {
            router: self.router.route(path, handlers),
            ..self
        }
    }

    /// Gives routes of the gate's own their words for the document.
    #[cfg(feature = "openapi")]
    pub(super) fn described(mut self, docs: &'static [OwnRouteDoc]) -> Self {
        for route in &mut self.routes {
            let is_its = |doc: &&OwnRouteDoc| {
                doc.path == route.path && route.method.as_ref() == Some(&doc.method)
            };
            route.doc = docs.iter().find(is_its);
        }
        self
    }

    /// Adds the routes of another protected router below a path.
    ///
    /// # Panics
    /// As [`Router::nest`].
    #[track_caller]
    pub fn nest(mut self, path: &str, other: impl Routes<S>) -> Self {
        let other = other.into_protected();
        self.routes
            .extend(other.routes.into_iter().map(|route| Route {
                path: nested(path, &route.path),
                ..route
            }));
        Self {
            router: self.router.nest(path, other.router),
            ..self
        }
    }

    /// Adds the routes of another protected router.
    ///
    /// An axum router is merged the other way round, because its handlers need not declare their
    /// callers: `router.merge(protected)`.
    ///
    /// # Panics
    /// As [`Router::merge`].
    #[track_caller]
    pub fn merge(mut self, other: impl Routes<S>) -> Self {
        let other = other.into_protected();
        self.routes.extend(other.routes);
        Self {
            router: self.router.merge(other.router),
            ..self
        }
    }

    /// Sets the handler of requests that no route matches. It declares who may call it, like every
    /// other handler; it is not among the [`routes`](Self::routes).
    pub fn fallback<H, T>(self, handler: H) -> Self
    where
        H: Arguments<T> + Handles<T, S>,
        T: 'static,
    {
        Self {
            router: self.router.fallback(handler),
            ..self
        }
    }

    /// Applies a layer to the routes and the fallback, as [`Router::layer`].
    pub fn layer<L>(self, layer: L) -> Self
    where
        L: Layer<Endpoint> + Clone + Send + Sync + 'static,
        L::Service: Service<Request> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request>>::Response: IntoResponse + 'static,
        <L::Service as Service<Request>>::Error: Into<Infallible> + 'static,
        <L::Service as Service<Request>>::Future: Send + 'static,
    {
        Self {
            router: self.router.layer(layer),
            ..self
        }
    }

    /// Applies a layer to the routes alone, as [`Router::route_layer`].
    ///
    /// # Panics
    /// As [`Router::route_layer`]: where there is no route yet.
    #[track_caller]
    pub fn route_layer<L>(self, layer: L) -> Self
    where
        L: Layer<Endpoint> + Clone + Send + Sync + 'static,
        L::Service: Service<Request> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request>>::Response: IntoResponse + 'static,
        <L::Service as Service<Request>>::Error: Into<Infallible> + 'static,
        <L::Service as Service<Request>>::Future: Send + 'static,
    {
        Self {
            router: self.router.route_layer(layer),
            ..self
        }
    }

    /// Gives the handlers their state.
    pub fn with_state<S2>(self, state: S) -> ProtectedRouter<S2> {
        ProtectedRouter {
            router: self.router.with_state(state),
            routes: self.routes,
        }
    }

    /// Returns the routes so far, in the order in which they were added: for an inventory, and for
    /// tests of your own.
    #[must_use]
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// Returns the axum router.
    pub fn into_router(self) -> Router<S> {
        self.router
    }
}

impl<S> Default for ProtectedRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    fn default() -> Self {
        Self::new()
    }
}

impl<S> Clone for ProtectedRouter<S> {
    fn clone(&self) -> Self {
        Self {
            router: self.router.clone(),
            routes: self.routes.clone(),
        }
    }
}

impl<S> fmt::Debug for ProtectedRouter<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProtectedRouter")
            .field("routes", &self.routes)
            .finish_non_exhaustive()
    }
}

impl<S> From<ProtectedRouter<S>> for Router<S> {
    fn from(protected: ProtectedRouter<S>) -> Self {
        protected.router
    }
}

/// A route of a [`ProtectedRouter`], with the callers whom it admits.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Route {
    /// Its path, with the paths under which it is nested: `/users/{id}`.
    pub path: String,
    /// Its method; `None` is every method for which the path has no handler of its own.
    pub method: Option<Method>,
    /// The callers whom it admits.
    pub security: Security,
    /// The types of its users, in the order of the rules of `security`.
    pub(super) callers: Vec<RouteCaller>,
    /// The words of the document about a route of the gate's own.
    #[cfg(feature = "openapi")]
    pub(super) doc: Option<&'static OwnRouteDoc>,
}

/// A type of users that a first argument asks for, and the ways in which their tokens may come.
#[derive(Clone, Copy, Debug)]
#[doc(hidden)]
pub struct CallerUser {
    user: fn() -> TypeId,
    in_header: bool,
    in_cookie: bool,
}

impl CallerUser {
    /// Returns users with a token in a header or in a cookie.
    pub(super) const fn either<U: 'static>() -> Self {
        Self {
            user: TypeId::of::<U>,
            in_header: true,
            in_cookie: true,
        }
    }

    /// Returns users with a token in a header.
    pub(super) const fn bearer<U: 'static>() -> Self {
        Self {
            in_cookie: false,
            ..Self::either::<U>()
        }
    }

    /// Returns users with a token in a cookie.
    pub(super) const fn cookie<U: 'static>() -> Self {
        Self {
            in_header: false,
            ..Self::either::<U>()
        }
    }
}

/// The users of a route, as [`CallerUser`] describes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RouteCaller {
    pub(super) user: TypeId,
    pub(super) in_header: bool,
    pub(super) in_cookie: bool,
}

impl From<&CallerUser> for RouteCaller {
    fn from(caller: &CallerUser) -> Self {
        Self {
            user: (caller.user)(),
            in_header: caller.in_header,
            in_cookie: caller.in_cookie,
        }
    }
}

/// The callers whom a route admits, as the first argument of its handler declares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Security {
    /// Everyone: [`Public`](crate::extract::Public).
    Public,
    /// Everyone; a caller who is signed in satisfies the rule: `Option<Auth<…>>`,
    /// `Lenient<Auth<…>>`.
    Lenient(Rule),
    /// Callers who are signed in and satisfy the rule: `Auth<…>`, `Current<…>`.
    Required(Rule),
    /// Callers with a token of the first kind who satisfy the first rule, or with one of the second
    /// kind who satisfy the second: `OneOf<…>`.
    OneOf(Rule, Rule),
}

/// Returns the path of a route that is nested under a prefix, as axum joins them.
fn nested(prefix: &str, path: &str) -> String {
    match (prefix.strip_suffix('/'), path) {
        (Some(prefix), path) => format!("{prefix}/{}", path.trim_start_matches('/')),
        (None, "/") => prefix.to_owned(),
        (None, path) => format!("{prefix}{path}"),
    }
}
