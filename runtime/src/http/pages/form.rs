//! Forms: signing in and out as pages do it, answered by redirections. The token of a step stays in
//! a cookie.

use std::sync::Arc;

use axum::extract::{FromRequestParts as _, Request};
use axum::response::Response;
use axum::routing::{MethodRouter, post};
use http::HeaderMap;
use http::request::Parts;
use zeroize::Zeroizing;

use crate::device::{Client, Transport};
use crate::error::{Code, Malformed, Refusal};
use crate::event::{Event, EventKind};
use crate::flow::{Evidence, Renewed};
use crate::gate::{AuthBackend, Gate, Running};
use crate::session::Issued;

use super::super::body::{ReadBody, device, has_form, parse};
use super::super::cookie::{self, DeviceCookie, Origin};
use super::super::extract::{KnownCaller, address as address_of, all_cookies};
use super::super::handlers::{sign_in as signing_in, sign_out as signing_out};
use super::super::next::safe_next_of;
use super::super::problem::{OfferedStep, Rejection};
use super::super::transport::{from_here, known_device, presented, sign_out_presented, signed_out};
use super::login::{LoginReason, address};
use super::table::accepts_html;
use super::{html, reject, see_other};

/// A form of [`Gate::form`]: `application/x-www-form-urlencoded`, as browsers send it.
///
/// Each form must prove that a page of this origin sent it: by `Sec-Fetch-Site: same-origin`, or by
/// an `Origin` that is this host or in `cookies.origins`. Otherwise the answer is 403. So give
/// pages the header `Referrer-Policy: same-origin`, and not `no-referrer`, which makes browsers
/// leave the origin out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PageForm {
    /// A sign-in, with the fields of the backend's login, such as `email` and `password`, and
    /// `next`. Each field is a text: a login with a member of another type, such as a number, can be
    /// sent as JSON alone. The answer is 303 to `next`; to the login page with a [`LoginReason`] if the sign-in
    /// is refused; or to `/step` below the login page if a further step is needed.
    SignIn,
    /// The answer to a further step of a sign-in or of a reauthentication, with `code` and `next`.
    /// After a wrong code the answer is 303 to the page of the step, while another attempt is left.
    Step,
    /// A reauthentication, with the fields of the backend's login and `next`.
    Reauthenticate,
    /// A sign-out, without fields. It ends the session, clears the cookies, tells the browser to
    /// forget its cached pages, and answers 303 to `/`.
    SignOut,
}

impl<B: AuthBackend> Gate<B> {
    /// Returns a method router that accepts a form at a path of the application:
    /// `.route("/logout", gate.form(PageForm::SignOut))`. It needs [`pages`](Self::pages). The auth
    /// routes accept the same forms.
    pub fn form<S>(&self, form: PageForm) -> MethodRouter<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        let taken: MethodRouter<Arc<Running>> = match form {
            PageForm::SignIn => post(signing_in::sign_in),
            PageForm::Step => post(signing_in::step),
            PageForm::Reauthenticate => post(signing_in::reauthenticate),
            PageForm::SignOut => post(signing_out::sign_out),
        };
        taken.with_state(Arc::clone(self.running()))
    }
}

/// Returns whether a request has a form, and the gate accepts forms.
pub(in crate::http) fn is_form(gate: &Running, headers: &HeaderMap) -> bool {
    gate.has_pages() && has_form(headers)
}

/// Signs in by a form.
pub(in crate::http) async fn sign_in(gate: &Arc<Running>, request: Request) -> Response {
    let form = match Form::read(gate, request).await {
        Ok(form) => form,
        Err((refusal, wants_html)) => return unanswered(gate, refusal, wants_html),
    };
    let attempt = async {
        let fields = form.fields(&[NEXT])?;
        let parse = || {
            let login = gate.flows().backend().parse_login(&fields);
            login.map_err(Refusal::from)
        };
        let (mut client, device) = form.client(gate, &fields)?;
        // A form that is no login is refused before anything is looked up.
        let mut first = Some(parse()?);
        let login = || first.take().map_or_else(parse, Ok);
        client.presented = presented(gate, all_cookies(&form.parts)).await?;
        let issued = gate.flows().sign_in_with(login, &client).await?;
        Ok((issued, device))
    };
    match attempt.await {
        Ok((issued, device)) => signed_in(gate, &form, &issued, &device),
        Err(refusal) => form.refused(gate, refusal, Purpose::SignIn),
    }
}

/// Continues a sign-in or a reauthentication by the form of a step.
pub(in crate::http) async fn step(gate: &Arc<Running>, request: Request) -> Response {
    let mut form = match Form::read(gate, request).await {
        Ok(form) => form,
        Err((refusal, wants_html)) => return unanswered(gate, refusal, wants_html),
    };
    let kept = cookie::find(&form.parts.headers, &gate.cookies.step);
    let Ok(Some(kept)) = kept.map(|kept| kept.map(|kept| Zeroizing::new(kept.to_owned()))) else {
        return form.refused(gate, Code::InvalidCredentials.into(), Purpose::Lost);
    };
    if let Some(token) = kept.strip_prefix(FRESH) {
        let caller = KnownCaller::from_request_parts(&mut form.parts, gate).await;
        let token = Zeroizing::new(token.to_owned());
        return renew(gate, form, caller, Some(token)).await;
    }
    let attempt = async {
        let fields = form.fields(&[NEXT])?;
        let (mut client, device) = form.client(gate, &fields)?;
        client.presented = presented(gate, all_cookies(&form.parts)).await?;
        let answered = parse(&fields)?;
        let flows = gate.flows();
        let issued = flows.sign_in_step(&kept, &answered, &client).await?;
        Ok((issued, device))
    };
    match attempt.await {
        Ok((issued, device)) => signed_in(gate, &form, &issued, &device),
        Err(refusal) => form.refused(gate, refusal, Purpose::SignIn),
    }
}

/// Authenticates the caller again by a form.
pub(in crate::http) async fn reauthenticate(
    gate: &Arc<Running>,
    caller: Result<KnownCaller, Rejection>,
    request: Request,
) -> Response {
    match Form::read(gate, request).await {
        Ok(form) => renew(gate, form, caller, None).await,
        Err((refusal, wants_html)) => unanswered(gate, refusal, wants_html),
    }
}

/// Renews the authentication of a caller, by a login or by the answer to a step.
async fn renew(
    gate: &Arc<Running>,
    form: Form,
    caller: Result<KnownCaller, Rejection>,
    step: Option<Zeroizing<String>>,
) -> Response {
    let caller = match caller {
        Ok(caller) => caller,
        Err(rejection) => return form.refused(gate, rejection.into_refusal(), Purpose::Lost),
    };
    let attempt = async {
        let fields = form.fields(&[NEXT])?;
        let proof = match step {
            Some(token) => Evidence::Step(token, parse(&fields)?),
            None => Evidence::Login(gate.flows().backend().parse_login(&fields)?),
        };
        let (client, _) = form.client(gate, &fields)?;
        let flows = gate.flows();
        flows.reauthenticate(&caller.token, proof, &client).await
    };
    match attempt.await {
        Ok(renewed) => proved(gate, &form, &renewed),
        Err(refusal) => form.refused(gate, refusal, Purpose::Renewal),
    }
}

/// Signs out by a form.
pub(in crate::http) async fn sign_out(gate: &Arc<Running>, request: Request) -> Response {
    let form = match Form::read(gate, request).await {
        Ok(form) => form,
        Err((refusal, wants_html)) => return unanswered(gate, refusal, wants_html),
    };
    let attempt = async {
        let client = gate.client(&form.parts);
        gate.flows().count_question(&client)?;
        sign_out_presented(gate, all_cookies(&form.parts), client.ip).await
    };
    match attempt.await {
        Ok(()) => signed_out(gate, Transport::Cookie, see_other("/")),
        Err(refusal) => unanswered(gate, refusal, form.wants_html()),
    }
}

/// The purpose of a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    SignIn,
    Renewal,
    /// The step that it continues no longer exists.
    Lost,
}

/// A form that was read, and the head of its request.
struct Form {
    parts: Parts,
    fields: Vec<(String, Zeroizing<String>)>,
}

impl Form {
    /// Reads a form that a page of this origin sent. The error says whether the answer is to be
    /// HTML.
    async fn read(gate: &Running, request: Request) -> Result<Self, (Refusal, bool)> {
        let wants_html = accepts_html(request.headers());
        let read = async {
            prove_origin(gate, &request)?;
            ReadBody::any(request).await
        };
        let read = read.await.map_err(|refusal| (refusal, wants_html))?;
        let fields = form_urlencoded::parse(&read.bytes)
            .map(|(name, value)| (name.into_owned(), Zeroizing::new(value.into_owned())))
            .collect();
        Ok(Self {
            parts: read.parts,
            fields,
        })
    }

    fn wants_html(&self) -> bool {
        accepts_html(&self.parts.headers)
    }

    /// Returns the fields, except some, as the members of a JSON object. A field that comes twice
    /// is a member that comes twice, which is refused.
    fn fields(&self, without: &[&str]) -> Result<Zeroizing<Vec<u8>>, Refusal> {
        let mut json = Zeroizing::new(b"{".to_vec());
        let fields = self.fields.iter();
        let kept = fields.filter(|(name, _)| !without.contains(&&**name));
        for (place, (name, value)) in kept.enumerate() {
            if place > 0 {
                json.push(b',');
            }
            serde_json::to_writer(&mut *json, name).map_err(|_| Malformed::NotAForm)?;
            json.push(b':');
            serde_json::to_writer(&mut *json, &**value).map_err(|_| Malformed::NotAForm)?;
        }
        json.push(b'}');
        Ok(json)
    }

    /// Returns the next page of the visitor.
    fn next(&self, gate: &Running) -> String {
        let next = self.fields.iter().find(|(name, _)| name == NEXT);
        let next = next.map_or("/", |(_, value)| &**value);
        safe_next_of(gate, next).to_owned()
    }

    /// Returns the client of the request, and the cookie by which its device is recognised.
    fn client(&self, gate: &Running, fields: &[u8]) -> Result<(Client, DeviceCookie), Refusal> {
        let mut client = gate.client(&self.parts);
        device(fields, &mut client.device)?;
        client.transport = Transport::Cookie;
        let device = match known_device(gate, &self.parts.headers) {
            Some(cookie) => cookie,
            None => DeviceCookie::random()?,
        };
        client.next_cookie_mark = Some(device.mark());
        Ok((client, device))
    }

    /// Answers a refusal: redirects to the page of a step or back to the login page, or answers an
    /// error page.
    fn refused(&self, gate: &Running, refusal: Refusal, purpose: Purpose) -> Response {
        let Some(login) = gate.login() else {
            return reject(gate, refusal);
        };
        let next = self.next(gate);
        if let Some(offer) = refusal.step() {
            let offer = OfferedStep {
                token: offer.token.as_str().into(),
                seconds: offer.expires_in,
            };
            let is_wrong = refusal.code() == Code::InvalidCredentials;
            let reason = is_wrong.then_some(LoginReason::Refused);
            let is_fresh = purpose == Purpose::Renewal;
            return keep_step(gate, &offer, (is_fresh, reason), Some(&next));
        }
        if refusal.code().status() != 401 {
            return unanswered(gate, refusal, self.wants_html());
        }
        let reason = match purpose {
            Purpose::SignIn => LoginReason::Refused,
            Purpose::Renewal => LoginReason::FreshRefused,
            Purpose::Lost => LoginReason::Expired,
        };
        let mut response = see_other(&address(gate, login, Some(reason), Some(&next)));
        self.clear_step(gate, &mut response);
        response
    }

    /// Clears the cookie of a step that is over.
    fn clear_step(&self, gate: &Running, response: &mut Response) {
        if cookie::has(&self.parts.headers, &gate.cookies.step) {
            cookie::set_step(response.headers_mut(), "", 0, gate);
        }
    }
}

/// Refuses a form without proof that a page of this origin sent it. Browsers send forms of any
/// site, and no script has to run for that.
fn prove_origin(gate: &Running, request: &Request) -> Result<(), Refusal> {
    from_here(gate, request)?;
    let listed = &gate.settings().cookies.origins;
    let origin = cookie::origin_of(request.uri(), request.headers(), listed)?;
    if matches!(origin, Origin::Here | Origin::Listed) {
        return Ok(());
    }
    let settings = &gate.settings().client;
    let ip = address_of(request.headers(), request.extensions(), settings);
    gate.report(&Event::new(EventKind::AccessRefused(Code::Csrf)).ip(ip));
    Err(Code::Csrf.into())
}

/// Redirects a user who signed in to the next page.
fn signed_in(gate: &Running, form: &Form, issued: &Issued, device: &DeviceCookie) -> Response {
    let mut response = see_other(&form.next(gate));
    let headers = response.headers_mut();
    cookie::set(headers, issued, false, gate);
    cookie::set_device(headers, device, gate);
    form.clear_step(gate, &mut response);
    response
}

/// Redirects a user who authenticated again to the next page.
fn proved(gate: &Running, form: &Form, renewed: &Renewed) -> Response {
    let mut response = see_other(&form.next(gate));
    let age = (!renewed.is_brief).then_some(renewed.expires_in);
    cookie::set_access(response.headers_mut(), &renewed.access_token, age, gate);
    form.clear_step(gate, &mut response);
    response
}

/// Keeps the token of a step in a cookie, and redirects to the page of the step.
pub(super) fn keep_step(
    gate: &Running,
    step: &OfferedStep,
    (is_fresh, reason): (bool, Option<LoginReason>),
    next: Option<&str>,
) -> Response {
    let page = format!("{}/step", gate.login().unwrap_or_default());
    let mut response = see_other(&address(gate, &page, reason, next));
    let prefix = if is_fresh { FRESH } else { "" };
    let value = Zeroizing::new(format!("{prefix}{}", step.token));
    cookie::set_step(response.headers_mut(), &value, step.seconds, gate);
    response
}

/// Answers a form that cannot be accepted.
fn unanswered(gate: &Running, refusal: Refusal, wants_html: bool) -> Response {
    let page = wants_html.then(|| html::refused(&refusal, false));
    // The problem is logged where it is made, even if HTML is the answer.
    let problem = reject(gate, refusal);
    page.unwrap_or(problem)
}

/// The field with the next page of the visitor.
const NEXT: &str = "next";
/// The prefix of a kept step of a renewal.
const FRESH: &str = "fresh.";
