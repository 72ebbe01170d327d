//! Method routers for [`ProtectedRouter`](super::ProtectedRouter): those of axum, for handlers that
//! declare who may call them.

use std::convert::Infallible;
use std::fmt;

use axum::extract::Request;
use axum::response::IntoResponse;
use axum::routing::{self, MethodFilter, Route as Endpoint};
use http::Method;
use tower_layer::Layer;
use tower_service::Service;

use super::argument::{Arguments, Handles};
use super::{RouteCaller, Security};

/// The handlers of a route, one for each method.
///
/// It takes no services: a service has no arguments, so it could not declare who may call it. Add
/// services to the axum router around it.
#[must_use]
pub struct MethodRouter<S = ()> {
    methods: routing::MethodRouter<S>,
    said: Said,
}

/// The declarations of all handlers.
type Said = Vec<Declared>;

/// The declaration of a handler's first argument.
#[derive(Clone, Debug)]
pub(super) struct Declared {
    /// Its method; `None` is every method that has no handler of its own.
    pub(super) method: Option<Method>,
    pub(super) security: Security,
    pub(super) callers: Vec<RouteCaller>,
}

impl Declared {
    fn of<H, T, S>(method: Option<Method>) -> Self
    where
        H: Handles<T, S>,
    {
        Self {
            method,
            security: H::SECURITY,
            callers: H::CALLERS.iter().map(RouteCaller::from).collect(),
        }
    }
}

/// Routes `CONNECT` requests to a handler. As [`axum::routing::connect`].
pub fn connect<H, T, S>(handler: H) -> MethodRouter<S>
where
    H: Arguments<T> + Handles<T, S>,
    T: 'static,
    S: Clone + Send + Sync + 'static,
{
    MethodRouter::new().connect(handler)
}

/// Routes `DELETE` requests to a handler. As [`axum::routing::delete`].
pub fn delete<H, T, S>(handler: H) -> MethodRouter<S>
where
    H: Arguments<T> + Handles<T, S>,
    T: 'static,
    S: Clone + Send + Sync + 'static,
{
    MethodRouter::new().delete(handler)
}

/// Routes `GET` and, unless it has its own, `HEAD` requests to a handler. As
/// [`axum::routing::get`].
pub fn get<H, T, S>(handler: H) -> MethodRouter<S>
where
    H: Arguments<T> + Handles<T, S>,
    T: 'static,
    S: Clone + Send + Sync + 'static,
{
    MethodRouter::new().get(handler)
}

/// Routes `HEAD` requests to a handler. As [`axum::routing::head`].
pub fn head<H, T, S>(handler: H) -> MethodRouter<S>
where
    H: Arguments<T> + Handles<T, S>,
    T: 'static,
    S: Clone + Send + Sync + 'static,
{
    MethodRouter::new().head(handler)
}

/// Routes `OPTIONS` requests to a handler. As [`axum::routing::options`].
pub fn options<H, T, S>(handler: H) -> MethodRouter<S>
where
    H: Arguments<T> + Handles<T, S>,
    T: 'static,
    S: Clone + Send + Sync + 'static,
{
    MethodRouter::new().options(handler)
}

/// Routes `PATCH` requests to a handler. As [`axum::routing::patch`].
pub fn patch<H, T, S>(handler: H) -> MethodRouter<S>
where
    H: Arguments<T> + Handles<T, S>,
    T: 'static,
    S: Clone + Send + Sync + 'static,
{
    MethodRouter::new().patch(handler)
}

/// Routes `POST` requests to a handler. As [`axum::routing::post`].
pub fn post<H, T, S>(handler: H) -> MethodRouter<S>
where
    H: Arguments<T> + Handles<T, S>,
    T: 'static,
    S: Clone + Send + Sync + 'static,
{
    MethodRouter::new().post(handler)
}

/// Routes `PUT` requests to a handler. As [`axum::routing::put`].
pub fn put<H, T, S>(handler: H) -> MethodRouter<S>
where
    H: Arguments<T> + Handles<T, S>,
    T: 'static,
    S: Clone + Send + Sync + 'static,
{
    MethodRouter::new().put(handler)
}

/// Routes `TRACE` requests to a handler. As [`axum::routing::trace`].
pub fn trace<H, T, S>(handler: H) -> MethodRouter<S>
where
    H: Arguments<T> + Handles<T, S>,
    T: 'static,
    S: Clone + Send + Sync + 'static,
{
    MethodRouter::new().trace(handler)
}

/// Routes requests of every method to a handler; methods that follow in the chain have their own.
/// As [`axum::routing::any`].
pub fn any<H, T, S>(handler: H) -> MethodRouter<S>
where
    H: Arguments<T> + Handles<T, S>,
    T: 'static,
    S: Clone + Send + Sync + 'static,
{
    MethodRouter {
        methods: routing::any(handler),
        said: vec![Declared::of::<H, T, S>(None)],
    }
}

/// Routes requests of some methods to a handler. As [`axum::routing::on`].
pub fn on<H, T, S>(filter: MethodFilter, handler: H) -> MethodRouter<S>
where
    H: Arguments<T> + Handles<T, S>,
    T: 'static,
    S: Clone + Send + Sync + 'static,
{
    MethodRouter::new().on(filter, handler)
}

impl<S> MethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    /// Makes one without any handler: every request is answered with 405.
    pub fn new() -> Self {
        Self {
            methods: routing::MethodRouter::new(),
            said: Vec::new(),
        }
    }

    /// Routes `CONNECT` requests to a handler, too.
    ///
    /// # Panics
    /// Where the method has a handler already.
    #[track_caller]
    pub fn connect<H, T>(self, handler: H) -> Self
    where
        H: Arguments<T> + Handles<T, S>,
        T: 'static,
    {
        self.on(MethodFilter::CONNECT, handler)
    }

    /// Routes `DELETE` requests to a handler, too.
    ///
    /// # Panics
    /// Where the method has a handler already.
    #[track_caller]
    pub fn delete<H, T>(self, handler: H) -> Self
    where
        H: Arguments<T> + Handles<T, S>,
        T: 'static,
    {
        self.on(MethodFilter::DELETE, handler)
    }

    /// Routes `GET` requests to a handler, too.
    ///
    /// # Panics
    /// Where the method has a handler already.
    #[track_caller]
    pub fn get<H, T>(self, handler: H) -> Self
    where
        H: Arguments<T> + Handles<T, S>,
        T: 'static,
    {
        self.on(MethodFilter::GET, handler)
    }

    /// Routes `HEAD` requests to a handler, too.
    ///
    /// # Panics
    /// Where the method has a handler already.
    #[track_caller]
    pub fn head<H, T>(self, handler: H) -> Self
    where
        H: Arguments<T> + Handles<T, S>,
        T: 'static,
    {
        self.on(MethodFilter::HEAD, handler)
    }

    /// Routes `OPTIONS` requests to a handler, too.
    ///
    /// # Panics
    /// Where the method has a handler already.
    #[track_caller]
    pub fn options<H, T>(self, handler: H) -> Self
    where
        H: Arguments<T> + Handles<T, S>,
        T: 'static,
    {
        self.on(MethodFilter::OPTIONS, handler)
    }

    /// Routes `PATCH` requests to a handler, too.
    ///
    /// # Panics
    /// Where the method has a handler already.
    #[track_caller]
    pub fn patch<H, T>(self, handler: H) -> Self
    where
        H: Arguments<T> + Handles<T, S>,
        T: 'static,
    {
        self.on(MethodFilter::PATCH, handler)
    }

    /// Routes `POST` requests to a handler, too.
    ///
    /// # Panics
    /// Where the method has a handler already.
    #[track_caller]
    pub fn post<H, T>(self, handler: H) -> Self
    where
        H: Arguments<T> + Handles<T, S>,
        T: 'static,
    {
        self.on(MethodFilter::POST, handler)
    }

    /// Routes `PUT` requests to a handler, too.
    ///
    /// # Panics
    /// Where the method has a handler already.
    #[track_caller]
    pub fn put<H, T>(self, handler: H) -> Self
    where
        H: Arguments<T> + Handles<T, S>,
        T: 'static,
    {
        self.on(MethodFilter::PUT, handler)
    }

    /// Routes `TRACE` requests to a handler, too.
    ///
    /// # Panics
    /// Where the method has a handler already.
    #[track_caller]
    pub fn trace<H, T>(self, handler: H) -> Self
    where
        H: Arguments<T> + Handles<T, S>,
        T: 'static,
    {
        self.on(MethodFilter::TRACE, handler)
    }

    /// Routes requests of some methods to a handler, too.
    ///
    /// # Panics
    /// Where one of them has a handler already.
    #[track_caller]
    pub fn on<H, T>(mut self, filter: MethodFilter, handler: H) -> Self
    where
        H: Arguments<T> + Handles<T, S>,
        T: 'static,
    {
        let covers = |method: &Method| {
            MethodFilter::try_from(method.clone()).is_ok_and(|one| filter.or(one) == filter)
        };
        self.said.extend(
            ALL.iter()
                .filter(|&method| covers(method))
                .map(|method| Declared::of::<H, T, S>(Some(method.clone()))),
        );
        Self {
            methods: self.methods.on(filter, handler),
            ..self
        }
    }

    /// Routes requests of all other methods to a handler. As
    /// [`axum::routing::MethodRouter::fallback`].
    pub fn fallback<H, T>(mut self, handler: H) -> Self
    where
        H: Arguments<T> + Handles<T, S>,
        T: 'static,
    {
        self.said.retain(|declared| declared.method.is_some());
        self.said.push(Declared::of::<H, T, S>(None));
        Self {
            methods: self.methods.fallback(handler),
            ..self
        }
    }

    /// Adds the handlers of another one.
    ///
    /// # Panics
    /// Where both have a handler for a method.
    #[track_caller]
    pub fn merge(mut self, other: Self) -> Self {
        self.said.extend(other.said);
        Self {
            methods: self.methods.merge(other.methods),
            ..self
        }
    }

    /// Applies a layer to these handlers. As [`axum::routing::MethodRouter::layer`].
    pub fn layer<L>(self, layer: L) -> Self
    where
        L: Layer<Endpoint> + Clone + Send + Sync + 'static,
        L::Service: Service<Request> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request>>::Response: IntoResponse + 'static,
        <L::Service as Service<Request>>::Error: Into<Infallible> + 'static,
        <L::Service as Service<Request>>::Future: Send + 'static,
    {
        Self {
            methods: self.methods.layer(layer),
            said: self.said,
        }
    }

    /// Applies a layer to these handlers, and not to the answer 405. As
    /// [`axum::routing::MethodRouter::route_layer`].
    ///
    /// # Panics
    /// Where there is no handler yet.
    #[track_caller]
    pub fn route_layer<L>(self, layer: L) -> Self
    where
        L: Layer<Endpoint> + Clone + Send + Sync + 'static,
        L::Service: Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request>>::Response: IntoResponse + 'static,
        <L::Service as Service<Request>>::Future: Send + 'static,
    {
        Self {
            methods: self.methods.route_layer(layer),
            said: self.said,
        }
    }

    /// Gives these handlers their state.
    pub fn with_state<S2>(self, state: S) -> MethodRouter<S2> {
        MethodRouter {
            methods: self.methods.with_state(state),
            said: self.said,
        }
    }

    pub(super) fn into_parts(self) -> (routing::MethodRouter<S>, Said) {
        (self.methods, self.said)
    }
}

impl<S> Default for MethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    fn default() -> Self {
        Self::new()
    }
}

impl<S> Clone for MethodRouter<S> {
    fn clone(&self) -> Self {
        Self {
            methods: self.methods.clone(),
            said: self.said.clone(),
        }
    }
}

impl<S> fmt::Debug for MethodRouter<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MethodRouter")
            .field("said", &self.said)
            .finish_non_exhaustive()
    }
}

/// The methods that a filter knows.
const ALL: [Method; 9] = [
    Method::CONNECT,
    Method::DELETE,
    Method::GET,
    Method::HEAD,
    Method::OPTIONS,
    Method::PATCH,
    Method::POST,
    Method::PUT,
    Method::TRACE,
];
