//! The traits of the arguments of protected routers, and of `Gate::install`: each is a closed set
//! with a message of its own.

use axum::Router;

use super::routing::MethodRouter;
use super::{ProtectedRouter, Route};

/// The handlers of a route, each of which declares who may call it: [`MethodRouter`], and nothing
/// else.
#[diagnostic::on_unimplemented(
    message = "the handlers of this route need not say who may call them",
    label = "expected handlers from `tollgate::routing`",
    note = "take `get`, `post` and the others from `tollgate::routing` instead of `axum::routing`"
)]
pub trait ProtectedMethods<S>: Sized {
    #[doc(hidden)]
    fn into_methods(self) -> MethodRouter<S>;
}

impl<S> ProtectedMethods<S> for MethodRouter<S> {
    fn into_methods(self) -> Self {
        self
    }
}

/// Routes whose handlers declare who may call them: [`ProtectedRouter`], and nothing else.
#[diagnostic::on_unimplemented(
    message = "the handlers of these routes need not say who may call them",
    label = "expected a `ProtectedRouter` router",
    note = "put it beside the protected ones: `Router::new().merge(protected).merge(other)`"
)]
pub trait Routes<S>: Sized {
    #[doc(hidden)]
    fn into_protected(self) -> ProtectedRouter<S>;
}

impl<S> Routes<S> for ProtectedRouter<S> {
    fn into_protected(self) -> Self {
        self
    }
}

/// An application in which [`Gate::install`](crate::gate::Gate::install) installs a gate: an axum
/// router, or a [`ProtectedRouter`], whose routes declare who may call them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no application to install a gate in",
    label = "expected a router",
    note = "give it an `axum::Router` or a `ProtectedRouter` router, before `with_state`"
)]
pub trait IntoApp<S>: Sized {
    #[doc(hidden)]
    fn into_parts(self) -> (Router<S>, Vec<Route>);
}

impl<S> IntoApp<S> for Router<S> {
    fn into_parts(self) -> (Router<S>, Vec<Route>) {
        (self, Vec::new())
    }
}

impl<S> IntoApp<S> for ProtectedRouter<S> {
    fn into_parts(self) -> (Router<S>, Vec<Route>) {
        (self.router, self.routes)
    }
}
