//! Why a backend refuses a user.

use std::error::Error as StdError;

use super::BoxError;
use super::step::SignInStep;

/// Why a backend refuses a user.
///
/// It is not a [`std::error::Error`], so that every error is one of it: `?` on a database error is
/// [`AuthError::Unavailable`], which the client sees as 503. Boxed errors and `anyhow` go through
/// [`AuthError::unavailable`]; errors of the input are mapped by hand, to [`AuthError::Invalid`].
#[derive(Debug)]
#[non_exhaustive]
pub enum AuthError {
    /// The user is unknown, or the credentials are wrong. The client cannot tell which.
    Invalid,
    /// The credentials are right, and the account is disabled. The client sees
    /// [`AuthError::Invalid`]; on refresh the session ends.
    Disabled,
    /// There is no such account any more. On refresh the session ends.
    Gone,
    /// The credentials are right, and a further step is needed, whose answer goes to
    /// [`Authenticate::step`](crate::gate::Authenticate::step). The client sees 401
    /// `insufficient_user_authentication` with a token for the step. On refresh it counts as
    /// [`AuthError::Unavailable`].
    More(Box<SignInStep>),
    /// It could not be decided: a database is down. The client sees 503, and nothing changes.
    Unavailable(BoxError),
}

impl From<SignInStep> for AuthError {
    fn from(step: SignInStep) -> Self {
        Self::More(Box::new(step))
    }
}

impl AuthError {
    /// Reports that nothing could be decided, because of this error.
    #[must_use]
    pub fn unavailable(source: impl Into<BoxError>) -> Self {
        Self::Unavailable(source.into())
    }
}

impl<E: StdError + Send + Sync + 'static> From<E> for AuthError {
    fn from(error: E) -> Self {
        Self::Unavailable(Box::new(error))
    }
}
