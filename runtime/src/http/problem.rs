//! Refusals as clients see them: problem documents (RFC 9457) with a stable code, whose texts come
//! from a closed list.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use axum::response::{IntoResponse, Response};
#[cfg(feature = "cookies")]
use http::header::CONTENT_ENCODING;
use http::header::{
    CACHE_CONTROL, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_TYPE, PRAGMA, RETRY_AFTER, VARY,
    WWW_AUTHENTICATE,
};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Serialize;

use super::extra::Members;
use super::grpc;
#[cfg(feature = "openapi")]
use super::member::{AnswerMember, MemberKind, example};
use crate::error::{Causes, Code, Messages, Refusal, StepOffer, Text};
use crate::gate::BEARER;

/// A refused request.
///
/// It answers `application/problem+json` with `type`, `title`, `status` and `code`, for a malformed
/// request with a `detail` from a closed list, with a challenge where the status requires one (RFC
/// 6750 section 3, RFC 9470 section 3), and with `Cache-Control: no-store`.
///
/// A handler that answers `Result<_, Rejection>` turns every error into one by `?`: a refusal of
/// the gate keeps its code, an input error of axum is its 4xx, an error of a
/// [`Store`](crate::store::Store) that cannot decide is 503, and every other error is 500
/// `internal_error`, which is logged. An [`AuthError`](crate::error::AuthError) that says
/// unavailable stays 503.
///
/// It is not a [`std::error::Error`], because then no error could become one by `?`. Where a
/// program has `anyhow` or a boxed error, convert with [`into_refusal`](Self::into_refusal) in
/// between. A [`Refusal`] inside an `anyhow::Error` loses its code.
///
/// # Examples
/// ```
/// use axum::Json;
/// use tollgate::prelude::*;
///
/// async fn half(_: Public, Json(text): Json<String>) -> Result<Json<u32>, Rejection> {
///     let number: u32 = text.parse().map_err(|_| Code::InvalidRequest)?;
///     if number % 2 != 0 {
///         return Err(Rejection::from(Code::Forbidden).with("rest", 1));
///     }
///     Ok(Json(number / 2))
/// }
/// # let _ = half;
/// ```
#[derive(Debug)]
pub struct Rejection(Box<Refused>);

/// A refusal, and the properties of its answer.
#[derive(Debug)]
struct Refused {
    refusal: Refusal,
    /// The scheme of the challenge; `None` if no gate has set it yet.
    scheme: Option<Arc<str>>,
    /// The status, if it is not that of the code.
    status: Option<StatusCode>,
    members: Members,
    /// The media type of a request of gRPC.
    grpc: Option<HeaderValue>,
    /// `true` if the pages of any gate may answer it.
    is_for_any_pages: bool,
}

impl Rejection {
    pub(crate) fn new(refusal: impl Into<Refusal>, scheme: &Arc<str>) -> Self {
        Self::of(refusal.into(), Some(Arc::clone(scheme)), None)
    }

    pub(super) fn of(
        refusal: Refusal,
        scheme: Option<Arc<str>>,
        status: Option<StatusCode>,
    ) -> Self {
        Self(Box::new(Refused {
            refusal,
            scheme,
            status,
            members: Members::default(),
            grpc: None,
            is_for_any_pages: false,
        }))
    }

    /// Makes the answer readable for the client of this request: a gRPC client reads `grpc-status`
    /// alone.
    pub(super) fn for_client(mut self, headers: &HeaderMap) -> Self {
        self.0.grpc = grpc::media(headers);
        self
    }

    /// Lets the pages of any gate answer it: a caller of each of them would be accepted.
    pub(super) fn for_any_pages(mut self) -> Self {
        self.0.is_for_any_pages = true;
        self
    }

    /// Returns the code that the client sees.
    #[must_use]
    pub fn code(&self) -> Code {
        self.0.refusal.code()
    }

    /// Returns the refusal, without the members that were added.
    #[must_use]
    pub fn into_refusal(self) -> Refusal {
        self.0.refusal
    }

    /// Adds a member to the problem document (RFC 9457 section 3.2). A name that the gate uses
    /// itself, or a value that cannot be written as JSON, makes it 500.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Serialize) -> Self {
        if let Err(error) = self.0.members.add(name, value, |name| OURS.contains(&name)) {
            return Self::of(Refusal::internal(error), self.0.scheme, None);
        }
        self
    }

    /// Returns the challenge of `WWW-Authenticate`. A client that sent no credentials learns no
    /// error (RFC 6750 section 3.1).
    fn challenge(&self) -> Option<String> {
        let Refused {
            refusal, scheme, ..
        } = &*self.0;
        let scheme = scheme.as_deref().unwrap_or(BEARER);
        match self.code() {
            Code::MissingToken | Code::InvalidCredentials | Code::InvalidGrant => {
                Some(scheme.to_string())
            }
            Code::InvalidToken | Code::TokenExpired => {
                Some(format!("{scheme} error=\"invalid_token\""))
            }
            Code::InsufficientScope => Some(format!("{scheme} error=\"insufficient_scope\"")),
            Code::InsufficientUserAuthentication => {
                let age = refusal
                    .max_age()
                    .map(|age| format!(", max_age=\"{age}\""))
                    .unwrap_or_default();
                let acr = refusal
                    .acr_values()
                    .map(|acr| format!(", acr_values=\"{acr}\""))
                    .unwrap_or_default();
                Some(format!(
                    "{scheme} error=\"insufficient_user_authentication\"{age}{acr}"
                ))
            }
            _ => None,
        }
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        let code = self.code();
        let challenge = self.challenge();
        let refused = Arc::new(*self.0);
        let Refused {
            refusal,
            scheme,
            grpc,
            ..
        } = &*refused;
        let cause = Causes(std::error::Error::source(refusal));
        match code {
            Code::Unavailable if !refusal.is_expected() => {
                tracing::warn!(%cause, "nobody could decide");
            }
            Code::InternalError => tracing::error!(%cause, "the server made a mistake"),
            _ => {
                let reason = refusal.detail().map(|detail| detail.to_string());
                let reason = reason.as_deref().unwrap_or(code.title());
                tracing::debug!(code = code.as_str(), reason, %cause, "a request was refused");
            }
        }
        if let Some(media) = grpc {
            let mut response = grpc::answer(code, media.clone());
            no_store(response.headers_mut());
            return response;
        }
        let status = refused.status();
        let body = refused.body(|_| None);
        let mut response = body.into_response();
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        no_store(headers);
        if let Some(challenge) = challenge.and_then(|text| HeaderValue::try_from(text).ok()) {
            headers.insert(WWW_AUTHENTICATE, challenge);
            if scheme.is_none() {
                response.extensions_mut().insert(UnnamedScheme);
            }
        }
        #[cfg(feature = "cookies")]
        if status == StatusCode::UNAUTHORIZED {
            response.extensions_mut().insert(Unauthorized {
                code,
                gate: refused.gate().cloned(),
                step: refusal.step().map(|step| OfferedStep {
                    token: step.token.as_str().into(),
                    seconds: step.expires_in,
                }),
            });
        }
        let headers = response.headers_mut();
        if let Some(seconds) = refusal.retry_in() {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        response.extensions_mut().insert(Told(Arc::clone(&refused)));
        response
    }
}

impl Refused {
    /// Returns the scheme of the gate whose pages may answer it: it is the same allocation as that
    /// gate's. `None` stands for any gate.
    #[cfg(feature = "cookies")]
    fn gate(&self) -> Option<&Arc<str>> {
        self.scheme.as_ref().filter(|_| !self.is_for_any_pages)
    }

    /// Returns the status of the answer.
    fn status(&self) -> StatusCode {
        self.status
            .or_else(|| StatusCode::from_u16(self.refusal.code().status()).ok())
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Writes the problem document, in another language where that has the texts.
    fn body(&self, tell: impl Fn(Text<'_>) -> Option<Cow<'static, str>>) -> Vec<u8> {
        let (code, detail) = (self.refusal.code(), self.refusal.detail());
        let title = tell(Text::Title(code)).unwrap_or(Cow::Borrowed(code.title()));
        let problem = Problem {
            kind: format_args!("urn:tollgate:problem:{}", code.as_str()),
            title: &title,
            status: self.status().as_u16(),
            code: code.as_str(),
            detail: detail.map(|detail| tell(detail.text()).unwrap_or(detail.to_string().into())),
            step: self.refusal.step().map(Offered::new),
            members: &self.members,
        };
        serde_json::to_vec(&problem).unwrap_or_default()
    }
}

/// The refusal that an answer tells, for the layer that tells it in another language.
#[derive(Clone)]
struct Told(Arc<Refused>);

/// Tells a refusal in a language of `messages`, by its tag; `None` is English. Other answers stay
/// as they are.
pub(super) fn translate(
    mut response: Response,
    messages: &Messages,
    tag: Option<&str>,
    is_head: bool,
) -> Response {
    let Some(Told(refused)) = response.extensions_mut().remove::<Told>() else {
        return response;
    };
    let headers = response.headers_mut();
    headers.append(VARY, HeaderValue::from_static("accept-language"));
    if let Ok(language) = HeaderValue::from_str(tag.unwrap_or("en")) {
        headers.insert(CONTENT_LANGUAGE, language);
    }
    if tag.is_none() {
        return response;
    }
    let body = refused.body(|text| messages.tell(tag, text));
    headers.insert(CONTENT_LENGTH, body.len().into());
    if !is_head {
        *response.body_mut() = body.into();
    }
    response
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.refusal.fmt(f)
    }
}

/// Returns the refusal that an answer tells, if the gate of this scheme, or a handler, could not
/// decide or had too many requests.
#[cfg(feature = "cookies")]
pub(super) fn undecided<'r>(response: &'r Response, scheme: &Arc<str>) -> Option<&'r Refusal> {
    let Told(refused) = response.extensions().get::<Told>()?;
    let is_ours = refused.gate().is_none_or(|gate| Arc::ptr_eq(gate, scheme));
    let code = refused.refusal.code();
    (is_ours && matches!(code, Code::Unavailable | Code::TooManyRequests))
        .then_some(&refused.refusal)
}

/// Replaces the problem document of an answer by a page. The headers that a handler or a layer set
/// stay, unless they describe the document.
#[cfg(feature = "cookies")]
pub(super) fn replace_document(response: &mut Response, page: Response) {
    let (page, body) = page.into_parts();
    response.extensions_mut().remove::<Told>();
    let headers = response.headers_mut();
    headers.remove(CONTENT_LENGTH);
    headers.remove(CONTENT_ENCODING);
    headers.extend(page.headers);
    *response.body_mut() = body;
}

/// Marks a 401 of ours, which a page answers in its own way.
#[cfg(feature = "cookies")]
#[derive(Clone)]
pub(super) struct Unauthorized {
    pub(super) code: Code,
    /// The scheme of the gate that refused; `None` for a handler, and if any gate would do.
    gate: Option<Arc<str>>,
    /// The step that a sign-in needs.
    pub(super) step: Option<OfferedStep>,
}

#[cfg(feature = "cookies")]
impl Unauthorized {
    /// Returns whether the pages of the gate with this scheme answer it. Gates are told apart by
    /// the allocation.
    pub(super) fn is_for(&self, scheme: &Arc<str>) -> bool {
        let gate = self.gate.as_ref();
        gate.is_none_or(|gate| Arc::ptr_eq(gate, scheme))
    }
}

/// A step that a sign-in needs, as a cookie keeps it.
#[cfg(feature = "cookies")]
#[derive(Clone)]
pub(super) struct OfferedStep {
    pub(super) token: Arc<str>,
    /// The lifetime of the token, in seconds.
    pub(super) seconds: u64,
}

/// Marks an answer whose challenge no gate has named yet.
#[derive(Clone, Copy)]
struct UnnamedScheme;

/// Sets the scheme of the gate in a challenge that a handler of the application made.
pub(super) fn name_scheme(mut response: Response, scheme: &str) -> Response {
    if response
        .extensions_mut()
        .remove::<UnnamedScheme>()
        .is_none()
    {
        return response;
    }
    let named = response
        .headers()
        .get(WWW_AUTHENTICATE)
        .and_then(|challenge| challenge.to_str().ok()?.strip_prefix(BEARER))
        .and_then(|rest| HeaderValue::try_from(format!("{scheme}{rest}")).ok());
    if let Some(named) = named {
        response.headers_mut().insert(WWW_AUTHENTICATE, named);
    }
    response
}

/// Forbids caches to keep tokens and refusals (RFC 6749 section 5.1).
pub(crate) fn no_store(headers: &mut HeaderMap) {
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
}

/// The members of a problem document (RFC 9457 section 3.1).
#[cfg(feature = "openapi")]
pub(super) const PROBLEM_MEMBERS: [AnswerMember; 9] = [
    AnswerMember::text("type", "urn:tollgate:problem:invalid_request"),
    AnswerMember::text("title", "the request is malformed"),
    AnswerMember::number("status", "400"),
    AnswerMember::new("code", MemberKind::Code, "invalid_request"),
    AnswerMember::text("detail", "`email` is missing").optional_if(true),
    AnswerMember::text("step", "totp").optional_if(true),
    AnswerMember::text("step_token", example::STEP_TOKEN).optional_if(true),
    AnswerMember::number("expires_in", "300").optional_if(true),
    AnswerMember::new("challenge", MemberKind::Any, "null").optional_if(true),
];

#[derive(Serialize)]
struct Problem<'a> {
    #[serde(rename = "type")]
    kind: fmt::Arguments<'a>,
    title: &'a str,
    status: u16,
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<Cow<'static, str>>,
    #[serde(flatten)]
    step: Option<Offered<'a>>,
    #[serde(flatten)]
    members: &'a Members,
}

/// The names of the gate's own members, and `instance`, which RFC 9457 defines.
const OURS: [&str; 10] = [
    "type",
    "title",
    "status",
    "code",
    "detail",
    "instance",
    "step",
    "step_token",
    "expires_in",
    "challenge",
];

/// The members that a client needs for a further step, beside the problem (RFC 9457 section 3.2).
#[derive(Serialize)]
struct Offered<'a> {
    step: &'a str,
    step_token: &'a str,
    expires_in: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    challenge: Option<&'a serde_json::Value>,
}

impl<'a> Offered<'a> {
    fn new(offer: &'a StepOffer) -> Self {
        let StepOffer {
            token,
            kind,
            expires_in,
            challenge,
            ..
        } = offer;
        Self {
            step: kind,
            step_token: token,
            expires_in: *expires_in,
            challenge: challenge.as_ref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;
    use std::sync::Mutex;

    use tracing::field::{Field, Visit};
    use tracing::span::{Attributes, Id, Record};
    use tracing::{Event, Metadata, Subscriber};

    use super::*;
    use crate::error::Malformed;

    /// Keeps the lines of a log.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<String>>>);

    struct Line(String);

    impl Visit for Line {
        fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
            write!(self.0, " {}={value:?}", field.name()).unwrap();
        }
    }

    impl Subscriber for Log {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }

        fn new_span(&self, _: &Attributes<'_>) -> Id {
            Id::from_u64(1)
        }

        fn record(&self, _: &Id, _: &Record<'_>) {}

        fn record_follows_from(&self, _: &Id, _: &Id) {}

        fn event(&self, event: &Event<'_>) {
            let mut line = Line(event.metadata().level().to_string());
            event.record(&mut line);
            self.0.lock().unwrap().push(line.0);
        }

        fn enter(&self, _: &Id) {}

        fn exit(&self, _: &Id) {}
    }

    #[test]
    fn every_refusal_has_one_line_with_its_reason() {
        let log = Log::default();
        let scheme: Arc<str> = "Bearer".into();
        // Two dispatchers: of a process that has only one, a line that another thread reaches first
        // is asked of that thread's dispatcher, which is none, and never written again.
        let _second = tracing::Dispatch::new(log.clone());
        tracing::subscriber::with_default(log.clone(), || {
            for code in Code::ALL {
                drop(Rejection::new(code, &scheme).into_response());
            }
            let missing = Malformed::Missing("email");
            drop(Rejection::new(missing, &scheme).into_response());
            drop(Rejection::new(Refusal::unavailable("the disk"), &scheme).into_response());
        });
        let lines = log.0.lock().unwrap();
        assert_eq!(lines.len(), Code::ALL.len() + 2);
        for (line, code) in lines.iter().zip(Code::ALL) {
            let level = match code {
                Code::Unavailable => "WARN",
                Code::InternalError => "ERROR",
                _ => "DEBUG",
            };
            assert!(line.starts_with(level), "{line}");
            assert!(level != "DEBUG" || line.contains(code.as_str()), "{line}");
        }
        let [.., missing, disk] = &lines[..] else {
            panic!("{lines:?}")
        };
        assert!(missing.contains("`email` is missing"), "{missing}");
        assert!(disk.contains("the disk"), "{disk}");
    }
}
