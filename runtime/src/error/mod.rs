//! Errors, each with the face of whoever is to read it.

mod step;

pub use step::{SignInStep, StepOffer};

/// The former name of [`SignInStep`].
#[deprecated(since = "0.1.0", note = "use `SignInStep`")]
pub type Step = SignInStep;

use std::error::Error as StdError;
use std::fmt::{self, Write as _};
use std::time::Duration;

type Source = Box<dyn StdError + Send + Sync>;

/// Why a user's backend lets nobody in.
///
/// It is not an [`Error`](StdError), so that every error is one of it: `?` on a database error is
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
    /// Nobody could decide: a database is down. The client sees 503, and nothing changes.
    Unavailable(Source),
}

impl From<SignInStep> for AuthError {
    fn from(step: SignInStep) -> Self {
        Self::More(Box::new(step))
    }
}

impl AuthError {
    /// Nobody could decide, because of this.
    #[must_use]
    pub fn unavailable(source: impl Into<Source>) -> Self {
        Self::Unavailable(source.into())
    }
}

impl<E: StdError + Send + Sync + 'static> From<E> for AuthError {
    fn from(error: E) -> Self {
        Self::Unavailable(Box::new(error))
    }
}

/// The stable code of a refusal, as clients see it in `code` and `type` of a problem document (RFC
/// 9457).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Code {
    /// 401: no credentials.
    MissingToken,
    /// 401: a token that is none of ours, or no longer counts.
    InvalidToken,
    /// 401: one of ours, and too old.
    TokenExpired,
    /// 401: sign-in.
    InvalidCredentials,
    /// 401: refresh.
    InvalidGrant,
    /// 401: a fresh authentication, or one of another kind, would do (RFC 9470).
    InsufficientUserAuthentication,
    /// 403: a scope is missing.
    InsufficientScope,
    /// 403: a role or claim is missing.
    Forbidden,
    /// 403: cookie credentials from elsewhere.
    Csrf,
    /// 400.
    InvalidRequest,
    /// 404.
    NotFound,
    /// 413.
    PayloadTooLarge,
    /// 415.
    UnsupportedMediaType,
    /// 429.
    TooManyRequests,
    /// 503: nobody could decide.
    Unavailable,
}

impl Code {
    /// Every code, in the order of their statuses.
    pub const ALL: [Self; 15] = [
        Self::InvalidRequest,
        Self::MissingToken,
        Self::InvalidToken,
        Self::TokenExpired,
        Self::InvalidCredentials,
        Self::InvalidGrant,
        Self::InsufficientUserAuthentication,
        Self::InsufficientScope,
        Self::Forbidden,
        Self::Csrf,
        Self::NotFound,
        Self::PayloadTooLarge,
        Self::UnsupportedMediaType,
        Self::TooManyRequests,
        Self::Unavailable,
    ];

    /// The code as clients see it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MissingToken => "missing_token",
            Self::InvalidToken => "invalid_token",
            Self::TokenExpired => "token_expired",
            Self::InvalidCredentials => "invalid_credentials",
            Self::InvalidGrant => "invalid_grant",
            Self::InsufficientUserAuthentication => "insufficient_user_authentication",
            Self::InsufficientScope => "insufficient_scope",
            Self::Forbidden => "forbidden",
            Self::Csrf => "csrf",
            Self::InvalidRequest => "invalid_request",
            Self::NotFound => "not_found",
            Self::PayloadTooLarge => "payload_too_large",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::TooManyRequests => "too_many_requests",
            Self::Unavailable => "unavailable",
        }
    }

    /// The status it is answered with.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::MissingToken
            | Self::InvalidToken
            | Self::TokenExpired
            | Self::InvalidCredentials
            | Self::InvalidGrant
            | Self::InsufficientUserAuthentication => 401,
            Self::InsufficientScope | Self::Forbidden | Self::Csrf => 403,
            Self::InvalidRequest => 400,
            Self::NotFound => 404,
            Self::PayloadTooLarge => 413,
            Self::UnsupportedMediaType => 415,
            Self::TooManyRequests => 429,
            Self::Unavailable => 503,
        }
    }

    /// What it means, in a few words.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::MissingToken => "no credentials were sent",
            Self::InvalidToken => "the token is not valid",
            Self::TokenExpired => "the token has expired",
            Self::InvalidCredentials => "the credentials are not valid",
            Self::InvalidGrant => "the refresh token is not valid",
            Self::InsufficientUserAuthentication => {
                "a more recent or stronger authentication is required"
            }
            Self::InsufficientScope => "the token lacks a scope",
            Self::Forbidden => "this is not allowed for the caller",
            Self::Csrf => "the request came from another site",
            Self::InvalidRequest => "the request is malformed",
            Self::NotFound => "there is nothing here",
            Self::PayloadTooLarge => "the body is too large",
            Self::UnsupportedMediaType => "the body has another media type",
            Self::TooManyRequests => "too many requests",
            Self::Unavailable => "this cannot be decided at the moment",
        }
    }
}

/// A refusal: what the client may know, and for the operator why.
#[derive(Debug)]
pub struct Refusal {
    code: Code,
    max_age: Option<u64>,
    acr_values: Option<Box<str>>,
    retry_after: Option<Duration>,
    step: Option<Box<StepOffer>>,
    source: Option<Source>,
}

impl Refusal {
    /// A refusal with this code.
    #[must_use]
    pub const fn new(code: Code) -> Self {
        Self {
            code,
            max_age: None,
            acr_values: None,
            retry_after: None,
            step: None,
            source: None,
        }
    }

    /// Nobody could decide, because of this.
    #[must_use]
    pub fn unavailable(source: impl Into<Source>) -> Self {
        Self {
            source: Some(source.into()),
            ..Self::new(Code::Unavailable)
        }
    }

    /// Another authentication would do: at most so many seconds old, and in one of these ways where
    /// there are any.
    #[must_use]
    pub fn step_up(max_age: Option<u64>, acr_values: &[&str]) -> Self {
        let acr_values = (!acr_values.is_empty()).then(|| acr_values.join(" ").into());
        Self {
            max_age,
            acr_values,
            ..Self::new(Code::InsufficientUserAuthentication)
        }
    }

    /// Not before so long: the answer will be another one then.
    #[must_use]
    pub const fn retry_after(left: Duration) -> Self {
        let mut refusal = Self::new(Code::Unavailable);
        refusal.retry_after = Some(left);
        refusal
    }

    /// Too many attempts: not before so long.
    #[must_use]
    pub const fn too_many(left: Duration) -> Self {
        let mut refusal = Self::new(Code::TooManyRequests);
        refusal.retry_after = Some(left);
        refusal
    }

    /// After how many seconds to try again, where that may help: `Retry-After` (RFC 9110 section
    /// 10.2.3).
    #[must_use]
    pub fn retry_in(&self) -> Option<u64> {
        let waits = matches!(self.code, Code::Unavailable | Code::TooManyRequests);
        let left = self.retry_after.unwrap_or(Duration::from_secs(1));
        waits.then(|| {
            left.as_millis()
                .div_ceil(1000)
                .try_into()
                .unwrap_or(u64::MAX)
                .max(1)
        })
    }

    /// The same refusal, with a step that would satisfy it.
    pub(crate) fn with_step(self, step: StepOffer) -> Self {
        Self {
            step: Some(Box::new(step)),
            ..self
        }
    }

    /// The step that a sign-in needs, where it needs one.
    #[must_use]
    pub fn step(&self) -> Option<&StepOffer> {
        self.step.as_deref()
    }

    /// The code.
    #[must_use]
    pub const fn code(&self) -> Code {
        self.code
    }

    /// How old an authentication may be, in seconds, where that is what is missing.
    #[must_use]
    pub const fn max_age(&self) -> Option<u64> {
        self.max_age
    }

    /// In which ways to authenticate, separated by spaces, where that is what is missing (RFC 9470
    /// section 3).
    #[must_use]
    pub fn acr_values(&self) -> Option<&str> {
        self.acr_values.as_deref()
    }
}

impl From<Code> for Refusal {
    fn from(code: Code) -> Self {
        Self::new(code)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.title())
    }
}

impl StdError for Refusal {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// Why a gate, a ring or a store does not start. For operators: it names the setting or the file.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    what: String,
    source: Option<Source>,
}

/// What went wrong at start-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Settings are missing, unknown, malformed or contradict each other.
    Settings,
    /// A key or the ring's folder cannot be used.
    Keys,
    /// The store cannot be used.
    Store,
    /// The operating system gives no random bytes.
    Random,
    /// Something was asked for that cannot be done.
    Usage,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, what: impl Into<String>) -> Self {
        Self {
            kind,
            what: what.into(),
            source: None,
        }
    }

    pub(crate) fn because(mut self, source: impl Into<Source>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What kind of thing went wrong.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// An error with everything that caused it, on one line, for logs.
pub(crate) struct Causes<'a>(pub(crate) Option<&'a (dyn StdError + 'static)>);

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut next, mut separator) = (self.0, "");
        while let Some(error) = next {
            write!(OneLine(f), "{separator}{error}")?;
            (separator, next) = (": ", error.source());
        }
        Ok(())
    }
}

/// Writes control characters and line breaks as escapes.
struct OneLine<'a, 'b>(&'a mut fmt::Formatter<'b>);

impl fmt::Write for OneLine<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.chars().try_for_each(|c| match c {
            '\u{2028}' | '\u{2029}' => write!(self.0, "{}", c.escape_default()),
            c if c.is_control() => write!(self.0, "{}", c.escape_default()),
            c => self.0.write_char(c),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// R129: what a database echoes in its error forges no line of the log.
    #[test]
    fn r129_causes_are_written_on_one_line() {
        let refusal = Refusal::unavailable("no row for a\r\nb\u{1b}[2Kä\u{2028}");
        assert_eq!(
            Causes(refusal.source()).to_string(),
            "no row for a\\r\\nb\\u{1b}[2Kä\\u{2028}"
        );
    }
}
