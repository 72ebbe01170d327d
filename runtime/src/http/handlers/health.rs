//! `GET /live` and `GET /ready` for everybody, and `GET /health` with figures for some.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, StatusCode};
use tokio::sync::Mutex;

use crate::gate::{AuthBackend, Gate, Health, Running};
use crate::policy::PolicyFor;
use crate::token::JwtClaims;

use super::super::answer::private;
use super::super::by::By;
use super::super::extract::{Auth, Public};
#[cfg(feature = "openapi")]
use super::super::member::{AnswerMember, MemberKind, OwnAnswer, OwnBody, OwnRouteDoc};
use super::super::problem::no_store;
use super::super::protected::{ProtectedRouter, routing};

impl<B: AuthBackend> Gate<B> {
    /// Returns the routes for load balancers and for Kubernetes: `GET /live` is 200 while the
    /// program runs, and `GET /ready` is 200 if the gate is ready
    /// ([`is_ready`](crate::gate::Health::is_ready)), otherwise 503. Their answers have no figures,
    /// so that everybody may call them.
    ///
    /// They ask the store at most once a second. A paused gate is ready, although it answers
    /// requests with 503.
    ///
    /// # Examples
    /// ```
    /// # use axum::Router;
    /// # use tollgate::gate::{AuthBackend, Gate};
    /// # fn app<B: AuthBackend>(gate: &Gate<B>) -> Router {
    /// Router::new().merge(gate.health_router())
    /// # }
    /// ```
    pub fn health_router<S>(&self) -> ProtectedRouter<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        let known = Known::new(Arc::clone(self.running()));
        let ready = move |_: Public| {
            let known = known.clone();
            async move { known.ready().await }
        };
        let router = ProtectedRouter::new()
            .route(
                "/live",
                routing::get(async |_: Public| answer(true, "live")),
            )
            .route("/ready", routing::get(ready));
        #[cfg(feature = "openapi")]
        let router = router.described(DOCS);
        router
    }

    /// Returns the route `GET /health` with the figures of [`health`](Self::health), for the callers
    /// that [`by`](crate::by) names: 200 if the gate is well, otherwise 503.
    pub fn health_figures<S, U, P>(&self, by: By<U, P>) -> ProtectedRouter<S>
    where
        S: Clone + Send + Sync + 'static,
        U: JwtClaims,
        P: PolicyFor<U>,
    {
        let methods = get(figures).with_state(Arc::clone(self.running()));
        let methods = methods.layer(from_fn_with_state(by, admit::<U, P>));
        let router = ProtectedRouter::new().guarded::<U, P>("/health", &[Method::GET], methods);
        #[cfg(feature = "openapi")]
        let router = router.described(DOCS);
        router
    }

    /// Returns the route `GET /health` for everybody: for a port that only operators reach.
    pub fn health_figures_for_anyone<S>(&self) -> ProtectedRouter<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        let gate = Arc::clone(self.running());
        let figures = move |_: Public| figures(State(Arc::clone(&gate)));
        let router = ProtectedRouter::new().route("/health", routing::get(figures));
        #[cfg(feature = "openapi")]
        let router = router.described(DOCS);
        router
    }
}

/// Admits callers who satisfy the policy.
async fn admit<U, P>(State(by): State<By<U, P>>, request: Request, next: Next) -> Response
where
    U: JwtClaims,
    P: PolicyFor<U>,
{
    match Auth::<U, P>::admitted(request, &by.verifier).await {
        Ok((_, request)) => next.run(request).await,
        Err(refused) => refused.into_response(),
    }
}

/// Answers the figures.
async fn figures(State(gate): State<Arc<Running>>) -> Response {
    let health = Health::of(gate.flows()).await;
    let mut response = private(&health);
    if !health.is_well {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    }
    response
}

/// The last answer of the store, and when it came.
#[derive(Clone)]
struct Known {
    gate: Arc<Running>,
    last: Arc<Mutex<Option<(Instant, bool)>>>,
}

impl Known {
    fn new(gate: Arc<Running>) -> Self {
        Self {
            gate,
            last: Arc::default(),
        }
    }

    /// Answers whether the gate is ready. Requests that come together wait for one answer.
    async fn ready(&self) -> Response {
        let mut last = self.last.lock().await;
        let is_ready = match *last {
            Some((at, is_ready)) if at.elapsed() < A_WHILE => is_ready,
            _ => {
                let is_ready = Health::of(self.gate.flows()).await.is_ready;
                *last = Some((Instant::now(), is_ready));
                is_ready
            }
        };
        answer(is_ready, "ready")
    }
}

/// Answers one word.
fn answer(is_so: bool, word: &'static str) -> Response {
    let (status, text) = match (is_so, word) {
        (true, "live") => (StatusCode::OK, r#"{"status":"live"}"#),
        (true, _) => (StatusCode::OK, r#"{"status":"ready"}"#),
        (false, _) => (StatusCode::SERVICE_UNAVAILABLE, r#"{"status":"unready"}"#),
    };
    let json = HeaderValue::from_static("application/json");
    let mut response = (status, [(CONTENT_TYPE, json)], text).into_response();
    no_store(response.headers_mut());
    response
}

/// The words of the document about these routes.
#[cfg(feature = "openapi")]
const DOCS: &[OwnRouteDoc] = &[
    OwnRouteDoc {
        path: "/live",
        method: Method::GET,
        summary: "Says that the program runs",
        query: &[],
        answers: &[OwnAnswer {
            status: "200",
            about: "It runs",
            body: OwnBody::Object("AuthLive", &[word(&["live"], "live")]),
        }],
        problems: &[],
    },
    OwnRouteDoc {
        path: "/ready",
        method: Method::GET,
        summary: "Says whether the gate is ready",
        query: &[],
        answers: &[
            OwnAnswer {
                status: "200",
                about: "It is ready",
                body: OwnBody::Object("AuthReady", READY),
            },
            OwnAnswer {
                status: "503",
                about: "It is not",
                body: OwnBody::Object("AuthReady", READY),
            },
        ],
        problems: &[],
    },
    OwnRouteDoc {
        path: "/health",
        method: Method::GET,
        summary: "Shows the figures of the gate",
        query: &[],
        answers: &[
            OwnAnswer {
                status: "200",
                about: "It is well",
                body: OwnBody::Object("AuthHealth", HEALTH),
            },
            OwnAnswer {
                status: "503",
                about: "It is not",
                body: OwnBody::Object("AuthHealth", HEALTH),
            },
        ],
        problems: &[],
    },
];

#[cfg(feature = "openapi")]
const READY: &[AnswerMember] = &[word(&["ready", "unready"], "ready")];

/// The members of [`Health`].
#[cfg(feature = "openapi")]
const HEALTH: &[AnswerMember] = &[
    AnswerMember::new("is_well", MemberKind::Bool, "true"),
    AnswerMember::new("is_ready", MemberKind::Bool, "true"),
    AnswerMember::new("store_is_writable", MemberKind::Bool, "true"),
    AnswerMember::new("revocation_view_age", MemberKind::Object(SPAN), "{}"),
    AnswerMember::number("revocation_entries", "12"),
    AnswerMember::number("dropped_confirmations", "0"),
    AnswerMember::number("dropped_events", "0"),
    AnswerMember::new("is_paused", MemberKind::Bool, "false"),
    AnswerMember::new("clock_offset", MemberKind::Object(SPAN), "{}"),
    AnswerMember::new("password_hashes_are_unreadable", MemberKind::Bool, "false"),
    AnswerMember::new("failing_tasks", MemberKind::Texts, "[]"),
];

#[cfg(feature = "openapi")]
const SPAN: &[AnswerMember] = &[
    AnswerMember::number("secs", "0"),
    AnswerMember::number("nanos", "250000000"),
];

#[cfg(feature = "openapi")]
const fn word(words: &'static [&'static str], example: &'static str) -> AnswerMember {
    AnswerMember::new("status", MemberKind::Word(words), example)
}

/// The time for which an answer of the store is repeated.
const A_WHILE: Duration = Duration::from_secs(1);
