//! Sets and clears the cookies of a gate.

use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderValue};

use crate::gate::Running;
use crate::session::Issued;
use crate::settings::SameSite;

use super::DeviceCookie;

/// Sets the cookies of both tokens; that of the refresh token only if it changed (rotation.md
/// section 3, row 5), or where it moves to the name that this gate writes. The other name is
/// cleared in the same answer: a browser that kept both would present a token that was replaced.
pub(crate) fn set(headers: &mut HeaderMap, issued: &Issued, moves: bool, gate: &Running) {
    let age = |seconds| (!issued.is_brief).then_some(seconds);
    set_access(
        headers,
        &issued.access_token,
        age(issued.expires_in()),
        gate,
    );
    set_refresh(headers, issued, moves, gate);
}

/// Sets the cookie of the refresh token alone, where there is a new one, or where it moves.
pub(crate) fn set_refresh(headers: &mut HeaderMap, issued: &Issued, moves: bool, gate: &Running) {
    if issued.is_fresh || moves {
        let names = refresh_names(gate);
        let age = (!issued.is_brief).then(|| issued.refresh_expires_in());
        put(headers, names.written, issued.refresh_token.expose(), age);
        if let Some(other) = names.other {
            put(headers, other, "", Some(0));
        }
    }
}

/// Sets the cookie of the access token; one without an age ends when the browser is closed.
pub(crate) fn set_access(headers: &mut HeaderMap, token: &str, age: Option<u64>, gate: &Running) {
    put(headers, access(gate), token, age);
}

/// Sets the cookie of a sign-in that needs a further step, or clears it (no seconds).
#[cfg(feature = "cookies")]
pub(crate) fn set_step(headers: &mut HeaderMap, value: &str, seconds: u64, gate: &Running) {
    let cookie = Attributes::strict(&gate.cookies.step);
    put(headers, cookie, value, Some(seconds));
}

/// Sets the cookie that marks a renewal or a sign-out of the last seconds. Its value differs each
/// time: Chromium discards the pages that it keeps for its back button when an `HttpOnly` cookie is
/// set, but not always when cookies are only cleared.
pub(crate) fn set_renewed(headers: &mut HeaderMap, gate: &Running) {
    let cookie = Attributes {
        same_site: SameSite::Lax,
        ..Attributes::strict(&gate.cookies.renewed)
    };
    let now = gate.admission().now().as_millis().to_string();
    put(headers, cookie, &now, Some(10));
}

/// Sets the cookie by which the device is known again.
pub(crate) fn set_device(headers: &mut HeaderMap, device: &DeviceCookie, gate: &Running) {
    let cookie = Attributes::strict(&gate.cookies.device);
    put(
        headers,
        cookie,
        device.value(),
        Some(DeviceCookie::MAX_AGE.as_secs()),
    );
}

/// Clears every cookie that signs the user in. Only signing out does so: a refusal of an old token
/// must not clear the cookie of a new one (R81, R82). The cookie of the device stays.
pub(crate) fn clear(headers: &mut HeaderMap, gate: &Running) {
    let names = refresh_names(gate);
    let step = Attributes::strict(&gate.cookies.step);
    let cookies = [
        Some(access(gate)),
        Some(names.written),
        names.other,
        Some(step),
    ];
    for cookie in cookies.into_iter().flatten() {
        put(headers, cookie, "", Some(0));
    }
}

/// Clears every cookie of a gate, including that of the device, except the marker of a renewal: it
/// says nothing about the user, and expires after ten seconds.
pub(crate) fn clear_all(headers: &mut HeaderMap, gate: &Running) {
    clear(headers, gate);
    put(
        headers,
        Attributes::strict(&gate.cookies.device),
        "",
        Some(0),
    );
    set_state(headers, "", 0, gate);
}

/// Sets the cookie of a browser that leaves for another service. When the service sends the browser
/// back, the navigation starts on the service's site, and the cookie must come with it.
pub(crate) fn set_state(headers: &mut HeaderMap, value: &str, seconds: u64, gate: &Running) {
    let cookie = Attributes {
        same_site: SameSite::Lax,
        ..Attributes::strict(&gate.cookies.state)
    };
    put(headers, cookie, value, Some(seconds));
}

/// The name of a cookie, and the requests that carry it.
#[derive(Clone, Copy)]
#[cfg_attr(
    not(feature = "cookies"),
    allow(dead_code, reason = "only a cookie that is written has them")
)]
struct Attributes<'g> {
    name: &'g str,
    path: &'g str,
    same_site: SameSite,
}

impl<'g> Attributes<'g> {
    /// Makes a cookie of the whole host, which only requests of its own pages carry.
    fn strict(name: &'g str) -> Self {
        Self {
            name,
            path: "/",
            same_site: SameSite::Strict,
        }
    }
}

/// The refresh cookie under both of its names.
struct RefreshNames<'g> {
    written: Attributes<'g>,
    other: Option<Attributes<'g>>,
}

fn access(gate: &Running) -> Attributes<'_> {
    Attributes {
        same_site: gate.settings().cookies.same_site,
        ..Attributes::strict(&gate.cookies.access)
    }
}

fn refresh_names(gate: &Running) -> RefreshNames<'_> {
    let host = Attributes {
        // A link from another site leads to a page that is to be renewed.
        same_site: if gate.has_pages() {
            SameSite::Lax
        } else {
            SameSite::Strict
        },
        ..Attributes::strict(&gate.cookies.refresh)
    };
    let former = gate.refresh_cookie().former().map(|name| Attributes {
        path: gate.settings().cookies.path.as_deref().unwrap_or("/"),
        ..Attributes::strict(name)
    });
    match former {
        Some(former) if gate.refresh_cookie().writes_former() => RefreshNames {
            written: former,
            other: Some(host),
        },
        other => RefreshNames {
            written: host,
            other,
        },
    }
}

/// Sets a cookie; one without an age ends when the browser is closed.
fn put(headers: &mut HeaderMap, cookie: Attributes<'_>, value: &str, age: Option<u64>) {
    let line = line(cookie, value, age).and_then(|text| HeaderValue::try_from(text).ok());
    if let Some(mut line) = line {
        line.set_sensitive(true);
        headers.append(SET_COOKIE, line);
    }
}

/// Returns a cookie in the form of `Set-Cookie` (RFC 6265 section 4.1).
#[cfg(feature = "cookies")]
fn line(attributes: Attributes<'_>, value: &str, age: Option<u64>) -> Option<String> {
    use cookie::{Cookie, time::Duration};

    let age = age.map(|seconds| Duration::seconds(i64::try_from(seconds).unwrap_or(i64::MAX)));
    let mut cookie = Cookie::build((attributes.name, value))
        .path(attributes.path)
        .secure(true)
        .http_only(true)
        .same_site(match attributes.same_site {
            SameSite::Strict => cookie::SameSite::Strict,
            SameSite::Lax => cookie::SameSite::Lax,
        })
        .build();
    cookie.set_max_age(age);
    Some(cookie.to_string())
}

/// Returns nothing: without the feature no setting turns cookies on.
#[cfg(not(feature = "cookies"))]
fn line(_: Attributes<'_>, _: &str, _: Option<u64>) -> Option<String> {
    None
}
