//! Verifies access tokens: the part of a gate that routes need.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::error::Refusal;
use crate::session::Purpose;
use crate::token::{JwtClaims, Verified};

use super::task::Running;

/// Verifies the access tokens of a gate whose users are `U`. Cheap to clone.
pub struct Verifier<U> {
    running: Arc<Running>,
    user: PhantomData<fn() -> U>,
}

impl<U: JwtClaims> Verifier<U> {
    pub(super) fn new(running: Arc<Running>) -> Self {
        Self { running, user: PhantomData }
    }

    /// Verifies a token as a guarded route does.
    ///
    /// # Errors
    /// As [`Gate::verify`](super::Gate::verify).
    pub async fn verify(&self, token: &str) -> Result<Verified<U::Claims>, Refusal> {
        self.running.engine.admit(token, Purpose::Entry).await
    }

    #[cfg(feature = "axum")]
    pub(crate) fn running(&self) -> &Running {
        &self.running
    }
}

impl<U> Clone for Verifier<U> {
    fn clone(&self) -> Self {
        Self { running: Arc::clone(&self.running), user: PhantomData }
    }
}

impl<U> fmt::Debug for Verifier<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier")
    }
}
