//! Tokens in cookies (feature `cookies`): how they are found, set and cleared, and which requests
//! may use them.

mod device;
mod origin;

pub(crate) use device::DeviceCookie;
pub(crate) use origin::check;

use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue};

use crate::error::{Code, Refusal};
use crate::gate::CookieNames;
use crate::session::Issued;
use crate::settings::CookieSettings;

/// The cookie of the refresh token. The other prefix would not let it have a path of its own.
pub(crate) const REFRESH: &str = "__Secure-tollgate-refresh";

/// The value of a cookie. One that comes twice is refused (R104): nobody can tell which of them a
/// browser set for us.
pub(crate) fn find<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Refusal> {
    let mut found = None;
    // By bytes: the cookies of others need not even be text.
    for pair in headers
        .get_all(COOKIE)
        .iter()
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b';'))
    {
        let value = pair
            .trim_ascii()
            .strip_prefix(name.as_bytes())
            .and_then(|rest| rest.strip_prefix(b"="));
        if value.is_some() && found.replace(value).is_some() {
            return Err(Code::InvalidRequest.into());
        }
    }
    found
        .flatten()
        .map(|value| std::str::from_utf8(value).map_err(|_| Code::InvalidToken.into()))
        .transpose()
}

/// Sets the cookies of both tokens; that of the refresh token only where it is another one
/// (ROTATION 3, row 5).
pub(crate) fn set(
    headers: &mut HeaderMap,
    issued: &Issued,
    settings: &CookieSettings,
    names: &CookieNames,
) {
    set_access(
        headers,
        &issued.access_token,
        issued.expires_in(),
        settings,
        names,
    );
    if issued.is_fresh {
        put(
            headers,
            REFRESH,
            issued.refresh_token.expose(),
            issued.refresh_expires_in(),
            settings,
        );
    }
}

/// Sets the cookie of the access token.
pub(crate) fn set_access(
    headers: &mut HeaderMap,
    token: &str,
    seconds: u64,
    settings: &CookieSettings,
    names: &CookieNames,
) {
    put(headers, &names.access, token, seconds, settings);
}

/// Sets the cookie by which the device is known again.
pub(crate) fn set_device(
    headers: &mut HeaderMap,
    device: &DeviceCookie,
    settings: &CookieSettings,
    names: &CookieNames,
) {
    let seconds = DeviceCookie::MAX_AGE.as_secs();
    put(headers, &names.device, device.value(), seconds, settings);
}

/// Clears both. Only signing out does: a refusal of an old token must not wipe the cookie of a new
/// one (R81, R82).
pub(crate) fn clear(headers: &mut HeaderMap, settings: &CookieSettings, names: &CookieNames) {
    put(headers, &names.access, "", 0, settings);
    put(headers, REFRESH, "", 0, settings);
}

fn put(headers: &mut HeaderMap, name: &str, value: &str, seconds: u64, settings: &CookieSettings) {
    if let Some(mut line) =
        line(name, value, seconds, settings).and_then(|text| HeaderValue::try_from(text).ok())
    {
        line.set_sensitive(true);
        headers.append(SET_COOKIE, line);
    }
}

/// A cookie as `Set-Cookie` has it (RFC 6265 section 4.1).
#[cfg(feature = "cookies")]
fn line(name: &str, value: &str, seconds: u64, settings: &CookieSettings) -> Option<String> {
    use cookie::{Cookie, SameSite, time::Duration};

    let (path, same_site) = match (name, settings.same_site) {
        (REFRESH, _) => (settings.path.as_deref()?, SameSite::Strict),
        // A sign-in is a page's own request.
        (name, _) if name.ends_with("-device") => ("/", SameSite::Strict),
        (_, crate::settings::SameSite::Strict) => ("/", SameSite::Strict),
        (_, crate::settings::SameSite::Lax) => ("/", SameSite::Lax),
    };
    let age = Duration::seconds(i64::try_from(seconds).unwrap_or(i64::MAX));
    let cookie = Cookie::build((name, value))
        .path(path)
        .secure(true)
        .http_only(true)
        .same_site(same_site)
        .max_age(age);
    Some(cookie.build().to_string())
}

/// Without the feature no settings turn cookies on.
#[cfg(not(feature = "cookies"))]
fn line(_: &str, _: &str, _: u64, _: &CookieSettings) -> Option<String> {
    None
}
