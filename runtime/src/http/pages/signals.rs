//! The headers that decide how the layer treats a request, read in one pass: each page of a
//! signed-in visitor takes that way.

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};

use super::table::{accepts_html, announces_prefetch};

/// What the headers of a request say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Signals {
    /// `true` if a header may have a token: the header of tokens is there, or a web socket's.
    pub(super) may_have_token: bool,
    /// `true` if the browser shows the answer as a page or in a frame.
    pub(super) is_navigation: bool,
    /// `true` if the browser prefetches.
    pub(super) is_prefetch: bool,
    /// `true` if a script of htmx sent the request.
    pub(super) is_htmx: bool,
}

impl Signals {
    /// Reads the headers. `token` is the name of the header for tokens.
    pub(super) fn of(headers: &HeaderMap, token: &str) -> Self {
        let is_usual = token == AUTHORIZATION.as_str();
        let mut signals = Self::default();
        let (mut site, mut mode, mut dest) = (Once::Absent, Once::Absent, Once::Absent);
        let mut htmx = None;
        for (name, value) in headers {
            let name = name.as_str();
            match name {
                "authorization" => signals.may_have_token |= is_usual,
                // A web socket may have its token in a protocol.
                "upgrade" => signals.may_have_token = true,
                "sec-fetch-site" => site.add(value),
                "sec-fetch-mode" => mode.add(value),
                "sec-fetch-dest" => dest.add(value),
                "hx-request" => {
                    htmx.get_or_insert_with(|| value.as_bytes().eq_ignore_ascii_case(b"true"));
                }
                "sec-purpose" | "purpose" | "x-moz" => {
                    signals.is_prefetch |= announces_prefetch(value);
                }
                _ => {}
            }
            if !is_usual && name.eq_ignore_ascii_case(token) {
                signals.may_have_token = true;
            }
        }
        signals.is_htmx = htmx.unwrap_or_default();
        signals.is_navigation = match (site, mode, dest) {
            (Once::Absent, Once::Absent, Once::Absent) => accepts_html(headers),
            (Once::Unfit, ..) | (_, Once::Unfit, _) | (.., Once::Unfit) => false,
            (_, mode, _) => matches!(mode, Once::Value(b"navigate")),
        };
        signals
    }
}

/// A header that may come once.
#[derive(Clone, Copy)]
enum Once<'r> {
    Absent,
    Value(&'r [u8]),
    /// It comes twice, or is not text.
    Unfit,
}

impl<'r> Once<'r> {
    fn add(&mut self, value: &'r HeaderValue) {
        *self = match self {
            // A value has no control characters in any case.
            Self::Absent if value.as_bytes().is_ascii() => Self::Value(value.as_bytes()),
            _ => Self::Unfit,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderName;

    fn signals(headers: &[(&'static str, &str)], token: &str) -> Signals {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
            map.append(HeaderName::from_static(name), value);
        }
        Signals::of(&map, token)
    }

    #[test]
    fn a_header_that_may_have_a_token_is_noticed() {
        let of = |headers: &[(&'static str, &str)], token| signals(headers, token).may_have_token;
        let basic = [("authorization", "Basic x")];
        assert!(of(&basic, "authorization") && !of(&basic, "x-token"));
        let own = [("accept", "*/*"), ("x-token", "Bearer x")];
        assert!(of(&own, "X-Token") && !of(&own, "authorization"));
        let socket = [("upgrade", "websocket")];
        assert!(of(&socket, "authorization") && of(&socket, "x-token"));
        assert!(!of(&[("cookie", "a=b")], "authorization"));
    }

    #[test]
    fn a_navigation_is_known_by_its_mode_or_by_what_it_accepts() {
        let html = ("accept", "text/html,*/*;q=0.8");
        for (headers, is_navigation) in [
            (&[][..], false),
            (&[html], true),
            (&[("accept", "application/json")], false),
            (&[("sec-fetch-mode", "navigate")], true),
            (&[("sec-fetch-mode", "cors"), html], false),
            (&[("sec-fetch-site", "none"), html], false),
            (&[("sec-fetch-dest", "document"), html], false),
            (&[("sec-fetch-mode", "Navigate")], false),
            (
                &[("sec-fetch-mode", "navigate"), ("sec-fetch-mode", "cors")],
                false,
            ),
            (
                &[
                    ("sec-fetch-site", "none"),
                    ("sec-fetch-site", "none"),
                    ("sec-fetch-mode", "navigate"),
                ],
                false,
            ),
            (
                &[("sec-fetch-dest", "\u{e9}"), ("sec-fetch-mode", "navigate")],
                false,
            ),
            (
                &[("sec-fetch-user", "?1"), ("sec-fetch-mode", "navigate")],
                true,
            ),
        ] {
            let signals = signals(headers, "authorization");
            assert_eq!(signals.is_navigation, is_navigation, "{headers:?}");
        }
    }

    #[test]
    fn a_prefetch_and_a_script_of_htmx_say_so() {
        for (headers, is_prefetch) in [
            (&[("sec-purpose", "prefetch;prerender")][..], true),
            (&[("purpose", "Prefetch")], true),
            (&[("x-moz", "prefetch")], true),
            (
                &[("purpose", "preview"), ("sec-purpose", "prerender")],
                true,
            ),
            (&[("x-purpose", "prefetch"), ("from", "prefetch")], false),
            (&[("purpose", "prefetched")], false),
        ] {
            let signals = signals(headers, "authorization");
            assert_eq!(signals.is_prefetch, is_prefetch, "{headers:?}");
        }
        for (headers, is_htmx) in [
            (&[("hx-request", "true")][..], true),
            (&[("hx-request", "True")], true),
            (&[("hx-request", "false")], false),
            (&[("hx-request", "false"), ("hx-request", "true")], false),
            (&[("hx-boosted", "true")], false),
        ] {
            let signals = signals(headers, "authorization");
            assert_eq!(signals.is_htmx, is_htmx, "{headers:?}");
        }
    }
}
