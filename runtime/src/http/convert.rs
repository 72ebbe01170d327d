//! Turns errors into a [`Rejection`] by `?`.

use axum::extract::rejection::{
    BytesRejection, FormRejection, JsonRejection, PathRejection, QueryRejection, RawFormRejection,
    RawPathParamsRejection, StringRejection,
};
use http::StatusCode;

use crate::error::{AuthError, Code, Error, ErrorKind, Malformed, Refusal};
use crate::store::StoreError;

use super::problem::Rejection;

/// Any error.
type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl<E: Into<BoxError> + 'static> From<E> for Rejection {
    fn from(error: E) -> Self {
        let kind = std::any::type_name::<E>();
        let (refusal, status) = refuse(error.into(), kind);
        Self::of(refusal, None, status)
    }
}

impl From<AuthError> for Rejection {
    fn from(error: AuthError) -> Self {
        let refusal = match error {
            AuthError::More(step) => Refusal::internal(format!(
                "the step `{}` was asked for where nothing keeps it: `AuthFlow::step` does",
                step.kind
            )),
            error => error.into_refusal(Code::InvalidCredentials),
        };
        Self::of(refusal, None, None)
    }
}

impl From<Code> for Rejection {
    fn from(code: Code) -> Self {
        Self::of(code.into(), None, None)
    }
}

#[cfg(feature = "password")]
impl From<crate::password::PasswordRejection> for Rejection {
    fn from(rejection: crate::password::PasswordRejection) -> Self {
        AuthError::from(rejection).into()
    }
}

/// Finds the errors of this crate and the input errors of axum; every other one is a mistake of the
/// server. A status is returned where it is not that of the code.
/// `kind` is the name of the error's type.
fn refuse(error: BoxError, kind: &str) -> (Refusal, Option<StatusCode>) {
    let error = match error.downcast::<Refusal>() {
        Ok(refusal) => return (*refusal, None),
        Err(error) => error,
    };
    let error = match error.downcast::<Error>() {
        Ok(error) => return (of_ours(*error), None),
        Err(error) => error,
    };
    if error.is::<StoreError>() {
        return (Refusal::unavailable(error), None);
    }
    match input(&*error).or_else(|| of_optional_input(&*error, kind)) {
        Some((status, detail)) if status.is_client_error() => malformed(status, detail),
        _ => (Refusal::internal(error), None),
    }
}

/// Returns the refusal of an operation of the gate. One that refused because of a token keeps that
/// refusal's code.
fn of_ours(error: Error) -> Refusal {
    let source = std::error::Error::source(&error);
    let code = source.and_then(|source| Some(source.downcast_ref::<Refusal>()?.code()));
    match (error.kind(), code) {
        (ErrorKind::Usage, Some(code)) => code.into(),
        (ErrorKind::Store | ErrorKind::Random, _) => Refusal::unavailable(error),
        _ => Refusal::internal(error),
    }
}

/// Returns the status of an input error of axum, and the problem in the gate's own words.
fn input(
    error: &(dyn std::error::Error + Send + Sync + 'static),
) -> Option<(StatusCode, Malformed)> {
    macro_rules! status {
        ($($rejection:ty => $detail:expr;)*) => {$(
            if let Some(rejection) = error.downcast_ref::<$rejection>() {
                return Some((rejection.status(), $detail));
            }
        )*};
    }
    if let Some(JsonRejection::JsonDataError(error)) = error.downcast_ref() {
        return Some((error.status(), Malformed::UnfitMember));
    }
    status! {
        JsonRejection => Malformed::NotJson;
        FormRejection => Malformed::NotAForm;
        RawFormRejection => Malformed::NotAForm;
        QueryRejection => Malformed::UnfitInput;
        PathRejection => Malformed::UnfitInput;
        RawPathParamsRejection => Malformed::UnfitInput;
        BytesRejection => Malformed::Incomplete;
        StringRejection => Malformed::Incomplete;
    }
    None
}

/// Returns the same of the inputs that axum has behind features, which are this crate's only if
/// the application turns them on: they are told apart by the names of their types.
fn of_optional_input(
    error: &(dyn std::error::Error + 'static),
    kind: &str,
) -> Option<(StatusCode, Malformed)> {
    let (_, name) = kind.strip_prefix("axum")?.rsplit_once("::")?;
    match name {
        "MultipartRejection" => Some((StatusCode::BAD_REQUEST, Malformed::NotAForm)),
        "MultipartError" => {
            let is_too_large = causes(error).any(|cause| cause.contains("exceeded"));
            Some(match is_too_large {
                true => (StatusCode::PAYLOAD_TOO_LARGE, Malformed::NotAForm),
                false => (StatusCode::BAD_REQUEST, Malformed::NotAForm),
            })
        }
        "WebSocketUpgradeRejection" => {
            let text = error.to_string();
            let status = if text.contains("method must be") {
                StatusCode::METHOD_NOT_ALLOWED
            } else if text.contains("couldn't be upgraded") {
                StatusCode::UPGRADE_REQUIRED
            } else {
                StatusCode::BAD_REQUEST
            };
            Some((status, Malformed::NotAnUpgrade))
        }
        _ => None,
    }
}

/// Returns what an error and its causes say.
fn causes<'e>(
    error: &'e (dyn std::error::Error + 'static),
) -> impl Iterator<Item = String> + use<'e> {
    std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string)
}

fn malformed(status: StatusCode, detail: Malformed) -> (Refusal, Option<StatusCode>) {
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => (Code::PayloadTooLarge.into(), None),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => (Code::UnsupportedMediaType.into(), None),
        StatusCode::BAD_REQUEST => (detail.into(), None),
        status => (detail.into(), Some(status)),
    }
}
