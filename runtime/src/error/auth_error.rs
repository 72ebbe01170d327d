//! Why a user's backend lets nobody in.

use std::error::Error as StdError;

use super::BoxError;
use super::step::SignInStep;

/// Why a user's backend lets nobody in.
///
/// It is not a [`std::error::Error`], so that every error is one of it: `?` on a database error is
/// [`AuthError::Unavailable`], which the client sees as 503. Boxed errors and `anyhow` go through
/// [`AuthError::unavailable`]; errors of the input are mapped by hand, to [`AuthError::Invalid`].
#[derive(Debug)]
#[non_exhaustive]
pub enum AuthError {
    /// Unknown, or the credentials are wrong. The client cannot tell which.
    Invalid,
    /// Known and right, and not to be let in. The client sees [`AuthError::Invalid`]; on refresh
    /// the session ends.
    Disabled,
    /// There is no such account any more. On refresh the session ends.
    Gone,
    /// Right so far, and not yet enough: a further step is needed, whose answer comes to
    /// [`Authenticate::step`](crate::gate::Authenticate::step). The client sees 401
    /// `insufficient_user_authentication` with a token for it. On refresh it is
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
