//! Refusals: what the client is told, and for the operator the cause.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use super::BoxError;
use super::malformed::Malformed;
use super::step::StepOffer;

/// The stable code of a refusal, as clients see it in `code` and `type` of a problem document (RFC
/// 9457).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Code {
    /// 401: no credentials.
    MissingToken,
    /// 401: a token that the gate did not issue, or that is no longer valid.
    InvalidToken,
    /// 401: a token of the gate that has expired.
    TokenExpired,
    /// 401: the credentials of a sign-in are wrong.
    InvalidCredentials,
    /// 401: the refresh token is not accepted.
    InvalidGrant,
    /// 401: a fresh authentication, or one of another kind, is required (RFC 9470).
    InsufficientUserAuthentication,
    /// 403: a scope is missing.
    InsufficientScope,
    /// 403: a role or claim is missing.
    Forbidden,
    /// 403: a request with cookies that comes from another site.
    Csrf,
    /// 400: the request is malformed.
    InvalidRequest,
    /// 404: the route or the resource does not exist.
    NotFound,
    /// 405: the route does not take the method.
    MethodNotAllowed,
    /// 413: the body is too long.
    PayloadTooLarge,
    /// 415: the media type is not supported.
    UnsupportedMediaType,
    /// 429: there were too many attempts.
    TooManyRequests,
    /// 500: the server made a mistake, and trying again does not help.
    InternalError,
    /// 503: the gate could not decide.
    Unavailable,
}

impl Code {
    /// Every code, in the order of their statuses.
    pub const ALL: [Self; 17] = [
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
        Self::MethodNotAllowed,
        Self::PayloadTooLarge,
        Self::UnsupportedMediaType,
        Self::TooManyRequests,
        Self::InternalError,
        Self::Unavailable,
    ];

    /// Returns the code as clients see it.
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
            Self::MethodNotAllowed => "method_not_allowed",
            Self::PayloadTooLarge => "payload_too_large",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::TooManyRequests => "too_many_requests",
            Self::InternalError => "internal_error",
            Self::Unavailable => "unavailable",
        }
    }

    /// Returns the HTTP status of the answer.
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
            Self::MethodNotAllowed => 405,
            Self::PayloadTooLarge => 413,
            Self::UnsupportedMediaType => 415,
            Self::TooManyRequests => 429,
            Self::InternalError => 500,
            Self::Unavailable => 503,
        }
    }

    /// Returns what the code means, in a few words.
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
            Self::MethodNotAllowed => "the method is not allowed here",
            Self::PayloadTooLarge => "the body is too large",
            Self::UnsupportedMediaType => "the body has another media type",
            Self::TooManyRequests => "too many requests",
            Self::InternalError => "the server made a mistake",
            Self::Unavailable => "this cannot be decided at the moment",
        }
    }
}

/// A refusal: the code that the client may know, and the cause for the operator.
#[derive(Debug)]
pub struct Refusal {
    code: Code,
    max_age: Option<u64>,
    acr_values: Option<Box<str>>,
    retry_after: Option<Duration>,
    step: Option<Box<StepOffer>>,
    #[cfg_attr(
        not(feature = "axum"),
        allow(dead_code, reason = "only routes tell of it")
    )]
    detail: Option<Malformed>,
    /// The account that the refusal is about, for events.
    subject: Option<Box<str>>,
    /// `true` if nothing failed: neither the log nor an event reports it.
    #[cfg_attr(not(feature = "axum"), allow(dead_code, reason = "only routes log it"))]
    is_expected: bool,
    source: Option<BoxError>,
}

impl Refusal {
    /// Makes a refusal with this code.
    #[must_use]
    pub const fn new(code: Code) -> Self {
        Self {
            code,
            max_age: None,
            acr_values: None,
            retry_after: None,
            step: None,
            detail: None,
            subject: None,
            is_expected: false,
            source: None,
        }
    }

    /// Names the account that is refused, as in the claim `sub`: the event of a refused sign-in has
    /// it, and the client does not learn it. For a backend that knows whose password is wrong:
    /// `Err(Refusal::new(Code::InvalidCredentials).about(id).into())`.
    #[must_use]
    pub fn about(self, subject: impl fmt::Display) -> Self {
        Self {
            subject: Some(subject.to_string().into()),
            ..self
        }
    }

    /// Returns the account that is refused, if that is known.
    pub(crate) fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// Reports that nothing could be decided, because of this error.
    #[must_use]
    pub fn unavailable(source: impl Into<BoxError>) -> Self {
        Self {
            source: Some(source.into()),
            ..Self::new(Code::Unavailable)
        }
    }

    /// Reports a mistake of the server: trying again does not help.
    #[must_use]
    pub fn internal(source: impl Into<BoxError>) -> Self {
        Self {
            source: Some(source.into()),
            ..Self::new(Code::InternalError)
        }
    }

    /// Asks for another authentication: at most so many seconds old, and in one of these ways if
    /// any are given.
    #[must_use]
    pub fn step_up(max_age: Option<u64>, acr_values: &[&str]) -> Self {
        let acr_values = (!acr_values.is_empty()).then(|| acr_values.join(" ").into());
        Self {
            max_age,
            acr_values,
            ..Self::new(Code::InsufficientUserAuthentication)
        }
    }

    /// Asks the client to try again after so long, when the answer will be another one.
    #[must_use]
    pub const fn retry_after(left: Duration) -> Self {
        let mut refusal = Self::new(Code::Unavailable);
        refusal.retry_after = Some(left);
        refusal
    }

    /// Refuses because of too many attempts, and asks to try again after so long.
    #[must_use]
    pub const fn too_many(left: Duration) -> Self {
        let mut refusal = Self::new(Code::TooManyRequests);
        refusal.retry_after = Some(left);
        refusal
    }

    /// Returns after how many seconds to try again, if that may help: `Retry-After` (RFC 9110
    /// section 10.2.3).
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

    /// Says that nothing failed: the same request may be answered later.
    #[cfg(feature = "axum")]
    pub(crate) fn expected(self) -> Self {
        Self {
            is_expected: true,
            ..self
        }
    }

    /// Returns whether nothing failed.
    #[cfg(feature = "axum")]
    pub(crate) const fn is_expected(&self) -> bool {
        self.is_expected
    }

    /// Adds a step that would satisfy the refusal.
    pub(crate) fn with_step(self, step: StepOffer) -> Self {
        Self {
            step: Some(Box::new(step)),
            ..self
        }
    }

    /// Returns the step that a sign-in needs, if it needs one.
    #[must_use]
    pub fn step(&self) -> Option<&StepOffer> {
        self.step.as_deref()
    }

    /// Returns what is wrong with a malformed request, if that is known.
    #[cfg(feature = "axum")]
    pub(crate) const fn detail(&self) -> Option<Malformed> {
        self.detail
    }

    /// Returns whether the refusal says nothing about the request: the same request may get another
    /// answer later.
    pub(crate) const fn is_undecided(&self) -> bool {
        matches!(
            self.code,
            Code::Unavailable | Code::TooManyRequests | Code::InternalError
        )
    }

    /// Returns the code.
    #[must_use]
    pub const fn code(&self) -> Code {
        self.code
    }

    /// Returns how old an authentication may be, in seconds, where an older one is the reason for
    /// the refusal.
    #[must_use]
    pub const fn max_age(&self) -> Option<u64> {
        self.max_age
    }

    /// Returns the ways to authenticate, separated by spaces, where another one is the reason for
    /// the refusal (RFC 9470 section 3).
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

impl From<Malformed> for Refusal {
    fn from(detail: Malformed) -> Self {
        Self {
            detail: Some(detail),
            ..Self::new(Code::InvalidRequest)
        }
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
