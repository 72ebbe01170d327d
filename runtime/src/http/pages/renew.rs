//! Renews the tokens of a request before its handler runs, where the table says so.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;

use axum::response::Response;
use http::header::{
    IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, RANGE,
};
use http::request::Parts;

use crate::clock::Timestamp;
use crate::error::{Code, Refusal};
use crate::gate::{PageTokens, Renewed, Running};
use crate::session::Occasion;
use crate::settings::{BindingMode, Consistency};
use crate::token::JwtClaims;

use super::super::cookie;
use super::super::extract::{
    CallerToken, HandedCaller, InHeader, Taken, Undecided, all_cookies, credential, in_header,
    keep_cookies, place,
};
use super::super::hidden::hide_refresh;
use super::super::transport::{brings_cookies, refresh_cookie};
use super::login::{Asked, LoginPage};
use super::signals::Signals;
use super::table::{Brought, Plan, Row, row};
use super::{answer, is_auth_route, path, uri};

/// The treatment of a request before its handler.
pub(super) enum Prepared {
    /// The handler runs; a renewal is for the answer's cookies.
    Go(Option<Renewal>),
    /// This is the answer.
    Answer(Response),
}

/// A renewal in place.
pub(super) struct Renewal {
    pub(super) tokens: Arc<PageTokens>,
    /// The caller of its access token.
    caller: HandedCaller,
}

impl Renewal {
    /// Returns whether this node knows that its access token is no longer valid: the session ended
    /// or changed while the handler ran, and the browser may have the cookies of a later one.
    pub(super) fn is_over(&self, gate: &Running) -> bool {
        gate.admission().is_revoked(self.caller.token())
    }
}

/// Makes callers for the extractors, with the type of their claims.
pub(super) trait Hand: Send + Sync {
    /// Returns the caller of an access token that the browser sent, if it is valid.
    fn sent(
        &self,
        gate: &Arc<Running>,
        parts: &Parts,
        token: &str,
        asked: Option<Consistency>,
    ) -> Result<HandedCaller, Refusal>;

    /// Returns the caller of an access token that was issued for this request, if it is valid.
    fn minted<'a>(&'a self, gate: &'a Arc<Running>, token: &'a str) -> Minting<'a>;
}

type Minting<'a> = Pin<Box<dyn Future<Output = Result<HandedCaller, Refusal>> + Send + 'a>>;

pub(super) struct HandOn<U>(PhantomData<fn() -> U>);

impl<U> HandOn<U> {
    pub(super) const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<U: JwtClaims> Hand for HandOn<U> {
    fn sent(
        &self,
        gate: &Arc<Running>,
        parts: &Parts,
        token: &str,
        asked: Option<Consistency>,
    ) -> Result<HandedCaller, Refusal> {
        let now = gate.admission().now();
        sent::<U>(gate, parts, (token, now), asked)
    }

    fn minted<'a>(&'a self, gate: &'a Arc<Running>, token: &'a str) -> Minting<'a> {
        Box::pin(async move {
            let minted = gate.admission().admit_minted::<U::Claims>(token).await?;
            let asked = Some(gate.settings().revocation.consistency);
            Ok(HandedCaller::new(gate, CallerToken::Minted(minted), asked))
        })
    }
}

/// The way of a request into the layer.
pub(super) enum Entered {
    /// The layer ignores it.
    Outside,
    /// Its access cookie is valid, and its caller was handed on.
    Live(Asked),
    /// It may have to wait: for the store, or for a renewal.
    Wait(Asked, NotLive),
}

/// The reason why an access cookie is not known to be valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotLive {
    /// The store has to be asked first.
    AskStore,
    /// Its token was refused, or there is none.
    Refused(Code),
}

/// Takes the refresh cookie out of the headers of a request, and looks at its access cookie. The
/// layer ignores requests for the auth routes, and requests with a token in a header.
pub(super) fn enter<U: JwtClaims>(gate: &Arc<Running>, parts: &mut Parts) -> Entered {
    let access = &gate.settings().access;
    let signals = Signals::of(&parts.headers, &access.header);
    if signals.may_have_token
        && !matches!(
            in_header(parts, &access.header, &access.schemes),
            Ok(None::<(&str, InHeader)>)
        )
    {
        return Entered::Outside;
    }
    let path = path(parts);
    if is_auth_route(gate, path) {
        return Entered::Outside;
    }
    let below = gate.login().and_then(|login| path.strip_prefix(login));
    let is_login = below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let is_login_itself = below.is_some_and(str::is_empty);
    if is_login {
        let page = LoginPage::of(gate, uri(parts));
        parts.extensions.insert(page);
    }
    hide_refresh(gate, parts);
    let reason = match known_caller::<U>(gate, parts) {
        Ok(Some(caller)) => {
            caller.hand_on(parts);
            None
        }
        Ok(None) => Some(NotLive::AskStore),
        Err(code) => Some(NotLive::Refused(code)),
    };
    let mut asked = Asked::of(parts, signals);
    (asked.is_login, asked.is_login_itself) = (is_login, is_login_itself);
    match reason {
        None => {
            (asked.brings_cookies, asked.has_caller) = (true, true);
            Entered::Live(asked)
        }
        Some(reason) => {
            asked.brings_cookies = brings_cookies(gate, all_cookies(parts));
            Entered::Wait(asked, reason)
        }
    }
}

/// Renews what is to be renewed before the handler runs.
pub(super) async fn prepare(
    gate: &Arc<Running>,
    hand: &dyn Hand,
    parts: &mut Parts,
    asked: &mut Asked,
    reason: NotLive,
) -> Prepared {
    let settings = gate.settings();
    let looked = match reason {
        NotLive::AskStore => ask(gate, hand, parts).await,
        NotLive::Refused(code) => Err(code),
    };
    let brought = match looked {
        Ok(()) => Brought::Live,
        Err(Code::MissingToken | Code::TokenExpired | Code::InvalidToken) => Brought::Renewable,
        // Two credentials, another site, or nobody can decide: the extractor says so.
        Err(_) => return Prepared::Go(None),
    };
    asked.has_caller = brought == Brought::Live;
    let head = (&parts.method, &parts.uri, &parts.headers);
    let row = row(head, &settings.cookies.origins, brought);
    let plan = row.plan();
    // A sign-in takes the place of what could be renewed.
    let signs_in = asked.is_login && !parts.method.is_safe() && asked.is_login_itself;
    if signs_in || (plan == Plan::Leave && row != Row::Prefetch) {
        return Prepared::Go(None);
    }
    let Ok(Some(sent)) = refresh_cookie(gate, parts, all_cookies(parts)) else {
        return Prepared::Go(None);
    };
    if row == Row::Prefetch {
        // The browser may show the page after its user was renewed.
        Undecided::prefetch(gate).keep(parts);
        return Prepared::Go(None);
    }
    let mut client = gate.client(parts);
    client.transport = crate::device::Transport::Cookie;
    let mut renewed = gate.renew_page(&sent.token, &client, sent.moves).await;
    let mut handed = hand_tokens(gate, hand, &renewed, parts).await;
    if matches!(&handed, Err(refusal) if refusal.code() == Code::InvalidToken) {
        // Claims changed, or somebody signed out, since another request renewed a moment ago.
        gate.forget_renewal(&sent.token, &client, &renewed);
        renewed = gate.renew_page(&sent.token, &client, sent.moves).await;
        handed = hand_tokens(gate, hand, &renewed, parts).await;
    }
    let refused = match (handed, renewed) {
        (Ok(Some(caller)), Renewed::Tokens(tokens)) => {
            if plan == Plan::Redirect && tokens.is_new && asked.may_redirect(gate, parts) {
                return Prepared::Answer(answer::redirect(gate, asked, &tokens));
            }
            if parts.method.is_safe() {
                forget_conditions(parts);
            }
            asked.has_caller = true;
            return Prepared::Go(Some(Renewal { tokens, caller }));
        }
        (Err(refusal), _) if refusal.code() != Code::InvalidToken => {
            (refusal.code(), refusal.retry_in())
        }
        (_, Renewed::Refused(code, retry)) => (code, retry),
        _ => {
            hide_dead(gate, parts);
            return Prepared::Go(None);
        }
    };
    let undecided = Undecided::refused(gate, refused);
    if is_answered_here(parts) {
        return Prepared::Answer(answer::refused(gate, asked, undecided.refusal()));
    }
    undecided.keep(parts);
    Prepared::Go(None)
}

/// Returns whether the layer answers a request that it could not renew. A handler that may change
/// something runs, if it asks for no caller: visitors sign out even if nobody can renew them.
fn is_answered_here(parts: &Parts) -> bool {
    parts.method.is_safe()
}

/// Returns the caller of a valid access cookie; `None` if the store has to be asked first.
fn known_caller<U: JwtClaims>(
    gate: &Arc<Running>,
    parts: &Parts,
) -> Result<Option<HandedCaller>, Code> {
    let (admission, consistency) = (gate.admission(), gate.settings().revocation.consistency);
    let (token, now) = (access_token(gate, parts)?, admission.now());
    if admission.must_ask(consistency, now) {
        return Ok(None);
    }
    let caller = sent::<U>(gate, parts, (token, now), None);
    caller.map(Some).map_err(|refusal| refusal.code())
}

/// Returns the token in the access cookie of a request that may use its cookies.
fn access_token<'r>(gate: &Running, parts: &'r Parts) -> Result<&'r str, Code> {
    let found = credential(parts, gate, Taken::Cookie).map_err(|refusal| refusal.code())?;
    found.map(|(token, _)| token).ok_or(Code::MissingToken)
}

/// Returns the caller of an access token that the browser sent, if it is valid. `asked` is how the
/// store was asked, if it was.
fn sent<U: JwtClaims>(
    gate: &Arc<Running>,
    parts: &Parts,
    (token, now): (&str, Timestamp),
    asked: Option<Consistency>,
) -> Result<HandedCaller, Refusal> {
    let (admission, settings) = (gate.admission(), gate.settings());
    let verified = admission.verify::<U::Claims>(token, now)?;
    let is_bound = settings.binding.access_network == BindingMode::Enforce;
    let place = is_bound.then_some(|| place(parts, settings));
    admission.admit_known(verified.token(), Occasion::entry(&verified), place)?;
    Ok(HandedCaller::new(gate, CallerToken::Sent(verified), asked))
}

/// Asks the store, and hands on the caller of a valid access cookie.
async fn ask(gate: &Arc<Running>, hand: &dyn Hand, parts: &mut Parts) -> Result<(), Code> {
    access_token(gate, parts)?;
    let (admission, consistency) = (gate.admission(), gate.settings().revocation.consistency);
    let asked = admission.ask(consistency, admission.now()).await;
    asked.map_err(|refusal| refusal.code())?;
    let token = access_token(gate, parts)?;
    let caller = hand.sent(gate, parts, token, Some(consistency));
    caller.map_err(|refusal| refusal.code())?.hand_on(parts);
    Ok(())
}

/// Hands on the caller of tokens that were issued for this request, and returns them.
async fn hand_tokens(
    gate: &Arc<Running>,
    hand: &dyn Hand,
    renewed: &Renewed,
    parts: &mut Parts,
) -> Result<Option<HandedCaller>, Refusal> {
    let Renewed::Tokens(tokens) = renewed else {
        return Ok(None);
    };
    let caller = hand.minted(gate, &tokens.issued.access_token).await?;
    caller.clone().hand_on(parts);
    Ok(Some(caller))
}

/// Removes the access cookie of somebody who is not signed in from the headers: the request
/// continues without a caller.
fn hide_dead(gate: &Running, parts: &mut Parts) {
    keep_cookies(&parts.headers, &mut parts.extensions);
    cookie::hide(&mut parts.headers, &[&gate.cookies.access]);
}

/// Takes out the conditions of a request whose answer sets cookies: what the browser keeps of the
/// page may be somebody else's.
fn forget_conditions(parts: &mut Parts) {
    if parts.headers.contains_key(IF_RANGE) {
        parts.headers.remove(RANGE);
    }
    for name in [
        IF_MATCH,
        IF_NONE_MATCH,
        IF_MODIFIED_SINCE,
        IF_UNMODIFIED_SINCE,
        IF_RANGE,
    ] {
        parts.headers.remove(name);
    }
}
