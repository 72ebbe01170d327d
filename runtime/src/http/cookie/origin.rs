//! Decides whether a request comes from a page that may use its cookies, by the browser's headers
//! about that page (R108).
//!
//! The rules are those of tower-http's `csrf` and of Go's `CrossOriginProtection`. They are
//! repeated here because the extractor applies them to one request, so that a route is safe without
//! a layer.

use http::header::{HOST, HeaderName, ORIGIN, UPGRADE};
use http::{HeaderMap, HeaderValue, Method, Uri};

use crate::error::{Code, Refusal};

/// Refuses a request that could change something and that a page of another origin sent, unless
/// that origin is in `trusted`.
///
/// A request with neither header did not come from a browser: browsers name the origin of every
/// request that could change something, at least when another site sends it. The handshake of a web
/// socket is a `GET`, and is treated as a request that changes something.
pub(crate) fn check(
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    trusted: &[String],
) -> Result<(), Refusal> {
    let is_safe = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
        && !headers.contains_key(UPGRADE);
    if is_safe || comes_from_here(uri, headers, trusted)? {
        Ok(())
    } else {
        Err(Code::Csrf.into())
    }
}

/// The origin that a request states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A page of this origin: the browser says so.
    Here,
    /// A page of an origin in `cookies.origins`.
    Listed,
    /// No page: the browser's own surface, such as a bookmark or the address bar.
    NoPage,
    /// The request does not say.
    Unsaid,
    /// A page of another origin.
    Elsewhere,
}

fn comes_from_here(uri: &Uri, headers: &HeaderMap, trusted: &[String]) -> Result<bool, Refusal> {
    Ok(origin_of(uri, headers, trusted)? != Origin::Elsewhere)
}

/// Returns where a request says that it comes from.
pub(crate) fn origin_of(
    uri: &Uri,
    headers: &HeaderMap,
    trusted: &[String],
) -> Result<Origin, Refusal> {
    let (origin, site) = (one(headers, ORIGIN)?, one(headers, SEC_FETCH_SITE)?);
    let is_listed = || {
        let is = |origin: &HeaderValue| trusted.iter().any(|t| t.as_bytes() == origin.as_bytes());
        origin.is_some_and(is)
    };
    Ok(match (site.map(HeaderValue::as_bytes), origin) {
        (Some(b"same-origin"), _) => Origin::Here,
        (None, Some(origin)) if is_host(origin, uri, headers)? => Origin::Here,
        _ if is_listed() => Origin::Listed,
        (Some(b"none"), _) => Origin::NoPage,
        (None, None) => Origin::Unsaid,
        _ => Origin::Elsewhere,
    })
}

/// Returns whether an origin is that of the request's own host.
fn is_host(origin: &HeaderValue, uri: &Uri, headers: &HeaderMap) -> Result<bool, Refusal> {
    let host = match uri.authority() {
        Some(authority) => Some(authority.as_str().as_bytes()),
        None => one(headers, HOST)?.map(HeaderValue::as_bytes),
    };
    let from = origin
        .to_str()
        .ok()
        .and_then(|text| text.split_once("://"))
        .map(|(_, host)| host.as_bytes());
    Ok(from.is_some() && from == host)
}

/// Returns the value of a header; refuses a header that occurs twice.
fn one(headers: &HeaderMap, name: HeaderName) -> Result<Option<&HeaderValue>, Refusal> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        _ => Err(Code::Csrf.into()),
    }
}

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(method: &Method, said: &[(&str, &str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in said {
            headers.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        }
        let trusted = ["https://app.example.com".to_owned()];
        check(method, &Uri::from_static("/x"), &headers, &trusted).is_ok()
    }

    /// R108.
    #[test]
    fn what_changes_something_must_come_from_here() {
        for (said, passes) in [
            (&[][..], true),
            (&[("sec-fetch-site", "same-origin")], true),
            (&[("sec-fetch-site", "none")], true),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("sec-fetch-site", "cross-site")], false),
            (&[("sec-fetch-site", "Same-Origin")], false),
            (&[("sec-fetch-site", "")], false),
            (
                &[
                    ("sec-fetch-site", "same-origin"),
                    ("sec-fetch-site", "cross-site"),
                ],
                false,
            ),
            (
                &[
                    ("sec-fetch-site", "cross-site"),
                    ("origin", "https://app.example.com"),
                ],
                true,
            ),
            (
                &[
                    ("sec-fetch-site", "same-site"),
                    ("origin", "https://app.example.com.evil.example"),
                ],
                false,
            ),
            (
                &[
                    ("sec-fetch-site", "cross-site"),
                    ("origin", "https://a.example"),
                    ("host", "a.example"),
                ],
                false,
            ),
            (
                &[("origin", "https://a.example"), ("host", "a.example")],
                true,
            ),
            (
                &[
                    ("origin", "https://a.example:8443"),
                    ("host", "a.example:8443"),
                ],
                true,
            ),
            (
                &[("origin", "https://b.example"), ("host", "a.example")],
                false,
            ),
            (
                &[
                    ("origin", "https://a.example.evil.example"),
                    ("host", "a.example"),
                ],
                false,
            ),
            (&[("origin", "null"), ("host", "a.example")], false),
            (&[("origin", "null"), ("host", "null")], false),
            (&[("origin", "https://a.example")], false),
            (
                &[
                    ("origin", "https://a.example"),
                    ("origin", "https://b.example"),
                    ("host", "a.example"),
                ],
                false,
            ),
            (
                &[
                    ("origin", "https://a.example"),
                    ("host", "a.example"),
                    ("host", "b.example"),
                ],
                false,
            ),
        ] {
            assert_eq!(asked(&Method::POST, said), passes, "{said:?}");
            assert_eq!(asked(&Method::DELETE, said), passes, "{said:?}");
            assert!(asked(&Method::GET, said), "{said:?}");
        }
        assert!(!asked(
            &Method::GET,
            &[("upgrade", "websocket"), ("sec-fetch-site", "cross-site")]
        ));
        assert!(!asked(&Method::TRACE, &[("sec-fetch-site", "cross-site")]));
    }
}
