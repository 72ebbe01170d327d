//! The layer of pages as a service: a request with a valid access cookie passes without waiting.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::extract::Request;
use axum::response::Response;
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::gate::Running;
use crate::token::JwtClaims;

use super::answer;
use super::login::Asked;
use super::renew::{Entered, HandOn, Prepared, enter, prepare};

/// The layer of [`Gate::pages`](crate::gate::Gate::pages).
pub struct Pages<U: JwtClaims> {
    gate: Arc<Running>,
    user: PhantomData<fn() -> U>,
}

/// A service inside the layer of [`Gate::pages`](crate::gate::Gate::pages).
pub struct PagesService<S, U: JwtClaims> {
    inner: S,
    gate: Arc<Running>,
    user: PhantomData<fn() -> U>,
}

impl<U: JwtClaims> Pages<U> {
    pub(super) fn new(gate: &Arc<Running>) -> Self {
        Self {
            gate: Arc::clone(gate),
            user: PhantomData,
        }
    }
}

impl<S, U: JwtClaims> Layer<S> for Pages<U> {
    type Service = PagesService<S, U>;

    fn layer(&self, inner: S) -> PagesService<S, U> {
        PagesService {
            inner,
            gate: Arc::clone(&self.gate),
            user: PhantomData,
        }
    }
}

impl<S, U> Service<Request> for PagesService<S, U>
where
    S: Service<Request, Response = Response> + Clone + Send + 'static,
    S::Future: Send,
    U: JwtClaims,
{
    type Response = Response;
    type Error = S::Error;
    type Future = PagesFuture<S::Future, S::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let (mut parts, body) = request.into_parts();
        let (mut asked, reason) = match enter::<U>(&self.gate, &mut parts) {
            Entered::Outside => {
                let inner = self.inner.call(Request::from_parts(parts, body));
                return Way::Outside { inner }.into();
            }
            Entered::Live(asked) => {
                let inner = self.inner.call(Request::from_parts(parts, body));
                let gate = Arc::clone(&self.gate);
                return Way::Live { inner, gate, asked }.into();
            }
            Entered::Wait(asked, reason) => (asked, reason),
        };
        let next = self.inner.clone();
        // The one that was polled is the one that is ready.
        let mut inner = std::mem::replace(&mut self.inner, next);
        let gate = Arc::clone(&self.gate);
        let inner: Answering<S::Error> = Box::pin(async move {
            let hand = HandOn::<U>::new();
            let prepared = prepare(&gate, &hand, &mut parts, &mut asked, reason).await;
            let (response, renewal) = match prepared {
                Prepared::Go(renewal) => {
                    let request = Request::from_parts(parts, body);
                    (inner.call(request).await?, renewal)
                }
                Prepared::Answer(response) => (response, None),
            };
            Ok(answer::finish(&gate, &asked, renewal.as_ref(), response))
        });
        Way::Wait { inner }.into()
    }
}

pin_project! {
    /// The answer to a request inside the layer of pages.
    pub struct PagesFuture<F, E> {
        #[pin]
        way: Way<F, E>,
    }
}

pin_project! {
    /// The way of a request through the layer.
    #[project = Projected]
    enum Way<F, E> {
        /// The layer ignores the request.
        Outside {
            #[pin]
            inner: F,
        },
        /// Its access cookie is valid.
        Live {
            #[pin]
            inner: F,
            gate: Arc<Running>,
            asked: Asked,
        },
        /// It may be renewed first.
        Wait { inner: Answering<E> },
    }
}

type Answering<E> = Pin<Box<dyn Future<Output = Result<Response, E>> + Send>>;

impl<F, E> From<Way<F, E>> for PagesFuture<F, E> {
    fn from(way: Way<F, E>) -> Self {
        Self { way }
    }
}

impl<F: Future<Output = Result<Response, E>>, E> Future for PagesFuture<F, E> {
    type Output = Result<Response, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().way.project() {
            Projected::Outside { inner } => inner.poll(context),
            Projected::Live { inner, gate, asked } => {
                let mut response = ready!(inner.poll(context))?;
                answer::finish_live(gate, asked, &mut response);
                Poll::Ready(Ok(response))
            }
            Projected::Wait { inner } => inner.as_mut().poll(context),
        }
    }
}

impl<U: JwtClaims> Clone for Pages<U> {
    fn clone(&self) -> Self {
        Self::new(&self.gate)
    }
}

impl<S: Clone, U: JwtClaims> Clone for PagesService<S, U> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            gate: Arc::clone(&self.gate),
            user: PhantomData,
        }
    }
}

impl<U: JwtClaims> fmt::Debug for Pages<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pages")
    }
}

impl<S, U: JwtClaims> fmt::Debug for PagesService<S, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PagesService")
    }
}

impl<F, E> fmt::Debug for PagesFuture<F, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PagesFuture")
    }
}
