//! The routes for administrators, in three groups that may have a policy each.

#[cfg(feature = "openapi")]
mod document;
mod keys;
mod subjects;

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, delete, get, post};
use http::Method;

use crate::error::Refusal;
use crate::event::{Event, EventKind};
use crate::gate::{AuthBackend, Gate, Running};
use crate::policy::PolicyFor;
use crate::realm::RealmName;
use crate::token::JwtClaims;

use super::super::by::By;
use super::super::extract::Auth;
use super::super::problem::Rejection;
use super::super::protected::ProtectedRouter;

impl<B: AuthBackend> Gate<B> {
    /// Returns the routes for administrators of this gate's users, for `nest`. [`by`](crate::by)
    /// names the callers. They send a bearer token, or a cookie from a page of this origin, and
    /// must have signed in or authenticated again within [`By::within`]; otherwise the answer is
    /// 401 `insufficient_user_authentication`. Each call that changes something is reported as
    /// [`EventKind::Administered`].
    ///
    /// They are the three groups [`admin_keys`](Self::admin_keys),
    /// [`admin_pause`](Self::admin_pause) and [`admin_sessions`](Self::admin_sessions). Merge these
    /// instead, if each group has its own policy.
    ///
    /// While the gate is paused, callers of the same realm get 503 too: resume from code or by the
    /// command line, or put the staff into another realm.
    pub fn admin_router<S, U, P>(&self, by: By<U, P>) -> ProtectedRouter<S>
    where
        S: Clone + Send + Sync + 'static,
        U: JwtClaims,
        P: PolicyFor<U>,
    {
        let keys = self.admin_keys(by.clone());
        keys.merge(self.admin_pause(by.clone()))
            .merge(self.admin_sessions(by))
    }

    /// Returns the routes for administrators that show and change the keys of the ring, which gates
    /// may share:
    ///
    /// | route | |
    /// |---|---|
    /// | `GET /keys` | the id of the key that signs, and the public keys |
    /// | `POST /keys/rotate` | [`rotate`](crate::gate::Keys::rotate) |
    /// | `DELETE /keys/{name}` | [`retire`](crate::gate::Keys::retire) |
    ///
    /// # Examples
    /// Owners change the keys, the staff on call pauses, and support ends sessions:
    /// ```
    /// # use tollgate::gate::{AuthBackend, Gate};
    /// # use tollgate::prelude::*;
    /// # #[derive(Clone, Copy, PartialEq, Eq, ClaimValue)] enum Role { Owner, OnCall, Support }
    /// # #[derive(Clone, JwtClaims)]
    /// # struct Staff {
    /// #     #[claim(sub)] id: u64,
    /// #     #[claim(roles)] roles: Vec<Role>,
    /// # }
    /// # #[derive(Policy)] #[policy(role = Role::Owner)] struct Owners;
    /// # #[derive(Policy)] #[policy(role = Role::OnCall)] struct OnCall;
    /// # #[derive(Policy)] #[policy(role = Role::Support)] struct Support;
    /// use tollgate::by;
    ///
    /// fn admin<C, E>(customers: &Gate<C>, staff: &Gate<E>) -> ProtectedRouter
    /// where
    ///     C: AuthBackend,
    ///     E: AuthBackend<User = Staff>,
    /// {
    ///     customers
    ///         .admin_keys(by::<Staff, Owners>(staff))
    ///         .merge(customers.admin_pause(by::<Staff, OnCall>(staff)))
    ///         .merge(customers.admin_sessions(by::<Staff, Support>(staff)))
    /// }
    /// ```
    pub fn admin_keys<S, U, P>(&self, by: By<U, P>) -> ProtectedRouter<S>
    where
        S: Clone + Send + Sync + 'static,
        U: JwtClaims,
        P: PolicyFor<U>,
    {
        self.group(
            by,
            vec![
                ("/keys", &[Method::GET], get(keys::keys)),
                ("/keys/rotate", &[Method::POST], post(keys::rotate)),
                ("/keys/{name}", &[Method::DELETE], delete(keys::retire)),
            ],
        )
    }

    /// Returns the routes for administrators that stop and resume the deployment:
    ///
    /// | route | |
    /// |---|---|
    /// | `POST /pause` | [`pause`](Self::pause) |
    /// | `POST /resume` | [`resume`](Self::resume) |
    pub fn admin_pause<S, U, P>(&self, by: By<U, P>) -> ProtectedRouter<S>
    where
        S: Clone + Send + Sync + 'static,
        U: JwtClaims,
        P: PolicyFor<U>,
    {
        self.group(
            by,
            vec![
                ("/pause", &[Method::POST], post(keys::pause)),
                ("/resume", &[Method::POST], post(keys::resume)),
            ],
        )
    }

    /// Returns the routes for administrators that show and end the sessions and tokens of a subject:
    ///
    /// | route | |
    /// |---|---|
    /// | `GET /subjects/{subject}/sessions` | the live sessions, a hundred a page |
    /// | `DELETE /subjects/{subject}/sessions` | ends all of them |
    /// | `DELETE /sessions/{id}` | ends one |
    /// | `GET /subjects/{subject}/tokens` | the tokens of the registry, a hundred a page |
    /// | `DELETE /tokens/{id}` | revokes one |
    ///
    /// The lists have filters as parameters of the query, all of which must hold: for sessions
    /// `client_id`, `device_id`, `address` and `seen_since`; for tokens `active`, `kind`,
    /// `device_id`, `issued_since` and `issued_before`. Times are seconds since 1970.
    pub fn admin_sessions<S, U, P>(&self, by: By<U, P>) -> ProtectedRouter<S>
    where
        S: Clone + Send + Sync + 'static,
        U: JwtClaims,
        P: PolicyFor<U>,
    {
        self.group(
            by,
            vec![
                (
                    "/subjects/{subject}/sessions",
                    &[Method::GET, Method::DELETE],
                    get(subjects::sessions).delete(subjects::end_all),
                ),
                ("/sessions/{id}", &[Method::DELETE], delete(subjects::end)),
                (
                    "/subjects/{subject}/tokens",
                    &[Method::GET],
                    get(subjects::tokens),
                ),
                ("/tokens/{id}", &[Method::DELETE], delete(subjects::revoke)),
            ],
        )
    }

    /// Guards the routes of a group.
    fn group<S, U, P>(&self, by: By<U, P>, routes: Vec<AdminRoute>) -> ProtectedRouter<S>
    where
        S: Clone + Send + Sync + 'static,
        U: JwtClaims,
        P: PolicyFor<U>,
    {
        let judges = (Arc::new(by), Arc::clone(self.running()));
        let guarded = |router: ProtectedRouter<S>, (path, methods, handlers): AdminRoute| {
            let handlers = handlers.with_state(Arc::clone(self.running()));
            let check = from_fn_with_state(judges.clone(), admit::<U, P>);
            router.guarded::<U, P>(path, methods, handlers.layer(check))
        };
        let router = routes.into_iter().fold(ProtectedRouter::new(), guarded);
        #[cfg(feature = "openapi")]
        let router = router.described(document::ROUTES);
        router
    }
}

/// A path, its methods and their handlers.
type AdminRoute = (&'static str, &'static [Method], MethodRouter<Arc<Running>>);

/// The rule for callers, and the gate whose clock measures the age of an authentication.
type Judges<U, P> = (Arc<By<U, P>>, Arc<Running>);

/// The subject of the caller, and the realm that it is a subject of.
#[derive(Clone)]
struct Actor {
    subject: String,
    realm: Option<RealmName>,
}

/// Admits callers who satisfy the policy and authenticated recently.
async fn admit<U, P>(
    State((by, gate)): State<Judges<U, P>>,
    request: Request,
    next: Next,
) -> Response
where
    U: JwtClaims,
    P: PolicyFor<U>,
{
    let (caller, mut request) = match Auth::<U, P>::admitted(request, &by.verifier).await {
        Ok(admitted) => admitted,
        Err(refused) => return refused.into_response(),
    };
    let token = caller.token();
    let age = token.auth_time().map(|at| gate.admission().now().since(at));
    if age.is_none_or(|age| age > by.max_age) {
        let stale = Refusal::step_up(Some(by.max_age.as_secs()), &[]);
        return Rejection::new(stale, &by.verifier.scheme()).into_response();
    }
    request.extensions_mut().insert(Actor {
        subject: token.subject().to_owned(),
        realm: token.realm().cloned(),
    });
    if request.method() == Method::GET {
        return next.run(request).await;
    }
    // A client that leaves does not stop an act half-way, nor its report.
    match tokio::spawn(next.run(request)).await {
        Ok(response) => response,
        Err(ended) if ended.is_panic() => std::panic::resume_unwind(ended.into_panic()),
        Err(ended) => {
            Rejection::new(Refusal::unavailable(ended), &by.verifier.scheme()).into_response()
        }
    }
}

/// Reports an act.
fn report(gate: &Running, actor: &Actor, act: &'static str, at: impl FnOnce(Event) -> Event) {
    report_of_key(gate, actor, (act, None), at);
}

/// Reports an act, and the key that it was done to.
fn report_of_key(
    gate: &Running,
    actor: &Actor,
    (act, key): (&'static str, Option<String>),
    at: impl FnOnce(Event) -> Event,
) {
    let kind = EventKind::Administered {
        act,
        by: actor.subject.clone(),
        by_realm: actor.realm.clone(),
        key,
    };
    gate.report(&at(Event::new(kind)));
}
