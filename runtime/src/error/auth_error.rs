//! The reasons why a backend refuses a user.

use super::BoxError;
use super::refusal::{Code, Refusal};
use super::step::SignInStep;

/// The reason why a backend refuses a user.
///
/// It is not a [`std::error::Error`], so that every error becomes one by `?`: an error of a
/// database is [`AuthError::Unavailable`], which the client sees as 503, and so are boxed errors
/// and those of `anyhow`. A [`Refusal`] keeps its code, as [`AuthError::Refused`]. Errors of the
/// input are mapped by hand, to [`AuthError::Invalid`].
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
    /// The gate refused something that the backend asked it for. The client sees that refusal, and
    /// nothing changes.
    Refused(Refusal),
}

impl AuthError {
    /// Reports that nothing could be decided, because of this error.
    #[must_use]
    pub fn unavailable(source: impl Into<BoxError>) -> Self {
        Self::Unavailable(source.into())
    }

    /// Returns what the client is told. `denied` is the code for wrong credentials and closed
    /// accounts; a further step is not possible here.
    pub(crate) fn into_refusal(self, denied: Code) -> Refusal {
        match self {
            Self::Invalid | Self::Disabled | Self::Gone => denied.into(),
            Self::More(_) => {
                Refusal::unavailable("the backend asked for a step where no step is possible")
            }
            Self::Unavailable(source) => Refusal::unavailable(source),
            Self::Refused(refusal) => refusal,
        }
    }
}

impl<E: Into<BoxError> + 'static> From<E> for AuthError {
    fn from(error: E) -> Self {
        match error.into().downcast() {
            Ok(refusal) => Self::Refused(*refusal),
            Err(error) => Self::Unavailable(error),
        }
    }
}

impl From<Code> for AuthError {
    fn from(code: Code) -> Self {
        Self::Refused(code.into())
    }
}

impl From<SignInStep> for AuthError {
    fn from(step: SignInStep) -> Self {
        Self::More(Box::new(step))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ours_keeps_its_code_and_what_is_foreign_is_unavailable() {
        fn refused() -> Result<(), AuthError> {
            Err(Refusal::too_many(std::time::Duration::from_secs(9)))?
        }
        fn boxed() -> Result<(), AuthError> {
            let boxed: BoxError = Box::new(Refusal::new(Code::Forbidden));
            Err(boxed)?
        }
        fn foreign() -> Result<u8, AuthError> {
            Ok("x".parse::<u8>()?)
        }
        fn text() -> Result<(), AuthError> {
            Err("the database is down")?
        }
        let code = |error: AuthError| error.into_refusal(Code::InvalidToken).code();
        let Err(AuthError::Refused(refusal)) = refused() else {
            panic!("a refusal lost its code")
        };
        assert_eq!(
            (refusal.code(), refusal.retry_in()),
            (Code::TooManyRequests, Some(9))
        );
        assert_eq!(boxed().map_err(code), Err(Code::Forbidden));
        assert_eq!(foreign().map_err(code), Err(Code::Unavailable));
        assert_eq!(text().map_err(code), Err(Code::Unavailable));
        assert_eq!(code(Code::NotFound.into()), Code::NotFound);
        for denied in [AuthError::Invalid, AuthError::Disabled, AuthError::Gone] {
            assert_eq!(code(denied), Code::InvalidToken);
        }
    }
}
