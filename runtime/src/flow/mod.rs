//! The use cases of a gate, one file each, from top to bottom. Compiled once: they know backends
//! and claims without their types.

mod action;
#[cfg(feature = "axum")]
mod admit;
mod answer;
mod attempt;
mod backend;
mod below;
#[cfg(feature = "axum")]
mod describe;
mod identifier;
mod issue;
mod moving;
mod open;
#[cfg(feature = "axum")]
mod presented;
#[cfg(feature = "axum")]
mod reauthenticate;
mod refresh;
mod register;
mod revoke;
mod rotate;
mod sign_in;
#[cfg(feature = "axum")]
mod sign_out;
mod step;

pub(crate) use action::AnyPurpose;
#[cfg(feature = "axum")]
pub(crate) use admit::{Begun, Wish};
pub use answer::StepAnswer;
#[cfg(feature = "openapi")]
pub(crate) use backend::AnswerMembers;
#[cfg(feature = "axum")]
pub(crate) use backend::TokenClaims;
pub(crate) use backend::{
    Backend, BoxedClaims, BoxedLogin, Callback, LoginMember, LoginValue, wrong_login,
};
pub use identifier::normalize_identifier;
#[cfg(feature = "axum")]
pub(crate) use open::{Stay, Transaction};
#[cfg(feature = "axum")]
pub(crate) use reauthenticate::{Evidence, Renewed};

use std::sync::Arc;

use crate::error::Refusal;
use crate::guard::MovingGuard;
use crate::session::Engine;
use crate::throttle::Throttle;

/// The parts that every use case works with.
pub(crate) struct Flows {
    pub(crate) engine: Arc<Engine>,
    backend: Arc<dyn Backend>,
    /// The passwords that are checked, if the gate checks any.
    #[cfg(feature = "password")]
    pub(crate) passwords: Option<crate::password::Passwords>,
    throttle: Throttle,
    #[cfg_attr(
        not(feature = "axum"),
        allow(dead_code, reason = "only a route exchanges tokens")
    )]
    moving: Option<MovingGuard>,
}

impl Flows {
    /// Returns the use cases of a backend over an engine.
    pub(crate) fn new(
        engine: Engine,
        backend: Arc<dyn Backend>,
        #[cfg(feature = "password")] passwords: Option<crate::password::Passwords>,
        throttle: Throttle,
        moving: Option<MovingGuard>,
    ) -> Self {
        Self {
            engine: Arc::new(engine),
            backend,
            #[cfg(feature = "password")]
            passwords,
            throttle,
            moving,
        }
    }

    /// Refuses while the deployment is paused.
    pub(crate) fn refuse_while_paused(&self) -> Result<(), Refusal> {
        self.engine.refuse_while_paused()
    }

    /// Returns the backend without its type.
    #[cfg(feature = "axum")]
    pub(crate) fn backend(&self) -> &dyn Backend {
        &*self.backend
    }
}
