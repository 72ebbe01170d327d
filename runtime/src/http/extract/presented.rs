//! The credentials of a request, kept until the end of its handler.

use http::header::COOKIE;
use http::request::Parts;
use http::{Extensions, HeaderMap};

use super::super::transport::{brings_cookies, cookies, sign_out_presented};
use super::bearer;
use super::handed::HandedCaller;
use super::undecided::Undecided;
use crate::device::Client;
use crate::error::Refusal;
use crate::gate::Running;

/// The bearer token and the cookies of a request.
pub(in crate::http) struct Credentials {
    pub(in crate::http) bearer: Option<String>,
    /// The lines of `Cookie`, as they came.
    cookies: HeaderMap,
}

impl Credentials {
    /// Returns the credentials of a request. The refresh cookie is removed from the headers before
    /// handlers of an application see them, so the cookies are read from the copy that was kept.
    pub(super) fn of(parts: &Parts, gate: &Running) -> Result<Self, Refusal> {
        let access = &gate.settings().access;
        let bearer = bearer(parts, &access.header, &access.schemes)?.map(str::to_owned);
        let cookies = cookie_lines(all_cookies(parts));
        Ok(Self { bearer, cookies })
    }

    /// Returns the cookies of the request.
    pub(in crate::http) fn cookies(&self) -> &HeaderMap {
        &self.cookies
    }

    /// Returns whether the request has a cookie with a token.
    pub(super) fn brings_cookies(&self, gate: &Running) -> bool {
        brings_cookies(gate, &self.cookies)
    }

    /// Ends every session of the cookies.
    pub(super) async fn sign_out(&self, gate: &Running, client: &Client) -> Result<(), Refusal> {
        match cookies(gate) {
            Some(_) => sign_out_presented(gate, &self.cookies, client.ip).await,
            None => Ok(()),
        }
    }
}

/// What the layers of gates keep of a request for the extractors: one extension for all of it,
/// since each one more takes memory.
#[derive(Clone, Default)]
pub(super) struct Kept {
    /// The cookies before some of them were hidden.
    cookies: Option<HeaderMap>,
    /// The address of the last gate that took its refresh cookie out.
    hidden_by: Option<usize>,
    /// The caller whom the first layer looked at.
    caller: Option<HandedCaller>,
    /// The callers of further gates. Most programs have one gate with pages.
    more: Vec<HandedCaller>,
    /// The callers whom no layer could judge.
    pub(super) undecided: Vec<Undecided>,
}

impl Kept {
    /// Returns what is kept of a request, to add to it.
    pub(super) fn of(extensions: &mut Extensions) -> &mut Self {
        extensions.get_or_insert_default()
    }

    /// Keeps the caller of a gate, in place of an earlier one of the same gate.
    #[cfg(feature = "cookies")]
    pub(super) fn hand_on(&mut self, caller: HandedCaller) {
        if self.caller.is_none() {
            self.caller = Some(caller);
            return;
        }
        let mut known = self.caller.iter_mut().chain(&mut self.more);
        match known.find(|known| known.is_for(caller.gate())) {
            Some(known) => *known = caller,
            None => self.more.push(caller),
        }
    }

    /// Returns the caller of a gate.
    pub(super) fn caller(&self, gate: &Running) -> Option<&HandedCaller> {
        match &self.caller {
            Some(first) if first.is_for(gate) => Some(first),
            _ => self.more.iter().find(|known| known.is_for(gate)),
        }
    }
}

/// Keeps a copy of the cookies of a request, unless an outer gate did.
pub(in crate::http) fn keep_cookies(headers: &HeaderMap, extensions: &mut Extensions) {
    let kept = Kept::of(extensions);
    kept.cookies.get_or_insert_with(|| cookie_lines(headers));
}

/// Notes that a gate took its refresh cookie out of a request.
pub(in crate::http) fn note_hidden(gate: &Running, extensions: &mut Extensions) {
    Kept::of(extensions).hidden_by = Some(std::ptr::from_ref(gate).addr());
}

/// Returns whether this gate did so last.
pub(in crate::http) fn was_hidden(gate: &Running, extensions: &Extensions) -> bool {
    let kept = extensions.get::<Kept>();
    kept.is_some_and(|kept| kept.hidden_by == Some(std::ptr::from_ref(gate).addr()))
}

/// Returns headers that hold the cookies of a request, those that were hidden among them.
pub(in crate::http) fn all_cookies(parts: &Parts) -> &HeaderMap {
    cookies_of(&parts.headers, &parts.extensions)
}

/// Does the same for the headers and the extensions of a request.
pub(in crate::http) fn cookies_of<'r>(
    headers: &'r HeaderMap,
    extensions: &'r Extensions,
) -> &'r HeaderMap {
    let kept = extensions.get::<Kept>();
    kept.and_then(|kept| kept.cookies.as_ref())
        .unwrap_or(headers)
}

fn cookie_lines(headers: &HeaderMap) -> HeaderMap {
    let lines = headers.get_all(COOKIE).iter();
    lines.map(|line| (COOKIE, line.clone())).collect()
}
