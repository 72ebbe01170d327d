//! The table that says which requests of a browser renew its tokens (docs/reference/pages.md).

use http::header::{ACCEPT, HeaderName, UPGRADE};
use http::{HeaderMap, HeaderValue, Method, Uri};

use super::super::cookie::{Origin, origin_of};

/// The access cookie beside the refresh cookie of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Brought {
    /// The access cookie is valid.
    Live,
    /// There is no valid access cookie.
    Renewable,
}

/// The rows of the table, in its order, from the third one on: the layer ignores a request with a
/// credential in a header (1), and cannot renew without a refresh cookie (2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Row {
    /// 3: there is nothing to renew.
    Live,
    /// 4: it may change something, and does not prove that a page of this origin sent it.
    Unproven,
    /// 5: the browser prefetches a page that its user may never open.
    Prefetch,
    /// 6: no page waits for the answer.
    NoPage,
    /// 7: the browser does not say what it wants, and it does not look like a page.
    Unsaid,
    /// 8: another site wants something else than a page.
    Foreign,
    /// 9: a page.
    Page,
    /// 10: a frame of a page of this origin.
    Frame,
    /// 11: a page of this origin changes something.
    Change,
    /// 12: a page of this origin gets something.
    Part,
    /// 13: anything else.
    Other,
}

/// The treatment of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plan {
    /// Nothing is renewed.
    Leave,
    /// The browser gets its tokens, and sends the request again.
    Redirect,
    /// The request continues with new tokens.
    InPlace,
}

impl Row {
    pub(super) const fn plan(self) -> Plan {
        match self {
            Self::Page => Plan::Redirect,
            Self::Frame | Self::Change | Self::Part => Plan::InPlace,
            Self::Live
            | Self::Unproven
            | Self::Prefetch
            | Self::NoPage
            | Self::Unsaid
            | Self::Foreign
            | Self::Other => Plan::Leave,
        }
    }
}

/// Returns the first row that fits a request.
pub(super) fn row(
    (method, uri, headers): (&Method, &Uri, &HeaderMap),
    listed: &[String],
    brought: Brought,
) -> Row {
    if brought == Brought::Live {
        return Row::Live;
    }
    let is_safe = method.is_safe();
    let origin = origin_of(uri, headers, listed).unwrap_or(Origin::Elsewhere);
    if !is_safe && !matches!(origin, Origin::Here | Origin::Listed) {
        return Row::Unproven;
    }
    if is_prefetch(headers) {
        return Row::Prefetch;
    }
    let Ok(fetch) = Fetch::of(headers) else {
        return Row::Other;
    };
    if headers.contains_key(UPGRADE)
        || matches!(*method, Method::HEAD | Method::OPTIONS | Method::TRACE)
        || is(headers, "service-worker", "script")
        || fetch.dest.is_some_and(|dest| NO_PAGE.contains(&dest))
    {
        return Row::NoPage;
    }
    let is_get = method == Method::GET;
    if fetch == Fetch::default() {
        return match origin {
            Origin::Here | Origin::Unsaid if is_get && accepts_html(headers) => Row::Page,
            Origin::Here if !is_safe => Row::Change,
            _ => Row::Unsaid,
        };
    }
    let is_page = is_get && fetch.mode == Some("navigate") && fetch.dest == Some("document");
    let is_here = fetch.site == Some("same-origin");
    if is_page {
        return Row::Page;
    }
    if !is_here {
        return Row::Foreign;
    }
    match fetch.dest {
        Some("iframe" | "frame") if is_get => Row::Frame,
        _ if !is_safe => Row::Change,
        _ if is_get => Row::Part,
        _ => Row::Other,
    }
}

/// The headers in which a browser describes a request (Fetch Metadata).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Fetch<'r> {
    site: Option<&'r str>,
    mode: Option<&'r str>,
    dest: Option<&'r str>,
}

impl<'r> Fetch<'r> {
    /// Reads the headers. A header that comes twice, or is not text, is ignored.
    fn of(headers: &'r HeaderMap) -> Result<Self, ()> {
        let said = |name: HeaderName| {
            let mut values = headers.get_all(name).iter();
            match (values.next(), values.next()) {
                (None, _) => Ok(None),
                (Some(value), None) => value.to_str().map(Some).map_err(|_| ()),
                _ => Err(()),
            }
        };
        Ok(Self {
            site: said(SITE)?,
            mode: said(MODE)?,
            dest: said(DEST)?,
        })
    }
}

/// Returns whether a browser prefetches (`Sec-Purpose`, and its former names).
fn is_prefetch(headers: &HeaderMap) -> bool {
    ["sec-purpose", "purpose", "x-moz"]
        .into_iter()
        .flat_map(|name| headers.get_all(name))
        .any(announces_prefetch)
}

/// Returns whether the value of one of these headers says that a browser prefetches.
pub(super) fn announces_prefetch(value: &HeaderValue) -> bool {
    value
        .as_bytes()
        .split(|byte| b";, ".contains(byte))
        .any(|word| {
            word.eq_ignore_ascii_case(b"prefetch") || word.eq_ignore_ascii_case(b"prerender")
        })
}

/// Returns whether a request accepts HTML.
pub(super) fn accepts_html(headers: &HeaderMap) -> bool {
    headers
        .get_all(ACCEPT)
        .iter()
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b','))
        .filter_map(|item| item.split(|byte| *byte == b';').next())
        .any(|media| media.trim_ascii().eq_ignore_ascii_case(b"text/html"))
}

/// Returns whether a header has this value.
fn is(headers: &HeaderMap, name: &str, value: &str) -> bool {
    headers
        .get(name)
        .is_some_and(|said| said.as_bytes().eq_ignore_ascii_case(value.as_bytes()))
}

/// The destinations of requests that no page waits for, or that cannot follow a redirection.
const NO_PAGE: [&str; 5] = [
    "worker",
    "sharedworker",
    "serviceworker",
    "manifest",
    "report",
];
const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: (&str, &str) = ("host", "app.example");
    const ORIGIN: (&str, &str) = ("origin", "https://app.example");
    const LISTED: (&str, &str) = ("origin", "https://partner.example");
    const ELSEWHERE: (&str, &str) = ("origin", "https://evil.example");
    const HTML: (&str, &str) = ("accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8");

    fn found(method: &Method, said: &[(&'static str, &str)]) -> Row {
        of(method, said, Brought::Renewable)
    }

    fn of(method: &Method, said: &[(&'static str, &str)], brought: Brought) -> Row {
        let mut headers = HeaderMap::new();
        for (name, value) in said.iter().chain([&HOST]) {
            headers.append(HeaderName::from_static(name), value.parse().unwrap());
        }
        let listed = ["https://partner.example".to_owned()];
        row(
            (method, &Uri::from_static("/x"), &headers),
            &listed,
            brought,
        )
    }

    /// Returns the headers in which a browser describes a request.
    fn fetch(
        site: &'static str,
        mode: &'static str,
        dest: &'static str,
    ) -> [(&'static str, &'static str); 3] {
        [
            ("sec-fetch-site", site),
            ("sec-fetch-mode", mode),
            ("sec-fetch-dest", dest),
        ]
    }

    const SITES: [&str; 4] = ["same-origin", "same-site", "cross-site", "none"];

    #[test]
    fn row_3_a_live_token_is_left_alone() {
        let page = fetch("same-origin", "navigate", "document");
        assert_eq!(of(&Method::GET, &page, Brought::Live), Row::Live);
        assert_eq!(of(&Method::POST, &[], Brought::Live), Row::Live);
        assert_eq!(Row::Live.plan(), Plan::Leave);
    }

    #[test]
    fn row_4_what_may_change_something_proves_its_origin() {
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
            for site in ["same-site", "cross-site", "none", "", "Same-Origin"] {
                let said = fetch(site, "navigate", "document");
                assert_eq!(found(&method, &said), Row::Unproven, "{site}");
                let [site, mode, dest] = said;
                // The two contradict each other: no browser says so.
                let both = found(&method, &[site, mode, dest, ORIGIN]);
                assert_eq!(both, Row::Unproven, "{site:?}");
            }
            assert_eq!(found(&method, &[]), Row::Unproven);
            assert_eq!(found(&method, &[HTML]), Row::Unproven);
            assert_eq!(found(&method, &[ELSEWHERE]), Row::Unproven);
            assert_eq!(found(&method, &[("origin", "null")]), Row::Unproven);
            assert_eq!(found(&method, &[ORIGIN, ELSEWHERE]), Row::Unproven);
        }
        assert_eq!(Row::Unproven.plan(), Plan::Leave);
    }

    #[test]
    fn row_5_what_is_fetched_ahead_renews_nothing() {
        let [site, mode, dest] = fetch("same-origin", "navigate", "document");
        for ahead in [
            ("sec-purpose", "prefetch"),
            ("sec-purpose", "prefetch;prerender"),
            ("sec-purpose", "prefetch; anonymous-client-ip"),
            ("purpose", "prefetch"),
            ("purpose", "Prerender"),
            ("x-moz", "prefetch"),
        ] {
            assert_eq!(
                found(&Method::GET, &[site, mode, dest, ahead]),
                Row::Prefetch,
                "{ahead:?}"
            );
        }
        let other = found(&Method::GET, &[site, mode, dest, ("purpose", "preview")]);
        assert_eq!(other, Row::Page);
        assert_eq!(Row::Prefetch.plan(), Plan::Leave);
    }

    #[test]
    fn row_6_what_no_page_waits_for_renews_nothing() {
        let page = fetch("same-origin", "navigate", "document");
        for method in [Method::HEAD, Method::OPTIONS, Method::TRACE] {
            assert_eq!(found(&method, &page), Row::NoPage);
            assert_eq!(found(&method, &[HTML]), Row::NoPage);
        }
        let [site, mode, dest] = page;
        for more in [("upgrade", "websocket"), ("service-worker", "script")] {
            assert_eq!(
                found(&Method::GET, &[site, mode, dest, more]),
                Row::NoPage,
                "{more:?}"
            );
        }
        for dest in NO_PAGE {
            let said = fetch("same-origin", "same-origin", dest);
            assert_eq!(found(&Method::GET, &said), Row::NoPage, "{dest}");
        }
        assert_eq!(Row::NoPage.plan(), Plan::Leave);
    }

    #[test]
    fn row_7_a_browser_that_says_nothing_is_judged_by_what_it_takes() {
        for (method, said, row) in [
            (Method::GET, &[HTML][..], Row::Page),
            (Method::GET, &[HTML, ORIGIN], Row::Page),
            (Method::GET, &[HTML, ELSEWHERE], Row::Unsaid),
            (Method::GET, &[HTML, LISTED], Row::Unsaid),
            (Method::GET, &[("accept", "*/*")], Row::Unsaid),
            (Method::GET, &[], Row::Unsaid),
            (Method::POST, &[ORIGIN], Row::Change),
            (Method::DELETE, &[HTML, ORIGIN], Row::Change),
            (Method::POST, &[LISTED], Row::Unsaid),
        ] {
            assert_eq!(found(&method, said), row, "{method} {said:?}");
        }
        assert_eq!(Row::Unsaid.plan(), Plan::Leave);
    }

    #[test]
    fn row_8_another_site_gets_nothing_but_pages() {
        for site in ["same-site", "cross-site", "none"] {
            for (mode, dest) in [
                ("navigate", "iframe"),
                ("navigate", "frame"),
                ("navigate", "embed"),
                ("no-cors", "image"),
                ("no-cors", "script"),
                ("cors", "empty"),
                ("same-origin", "document"),
            ] {
                let said = fetch(site, mode, dest);
                assert_eq!(found(&Method::GET, &said), Row::Foreign, "{said:?}");
            }
            let [site, mode, dest] = fetch(site, "navigate", "document");
            let post = found(&Method::POST, &[site, mode, dest, LISTED]);
            assert_eq!(post, Row::Foreign, "{site:?}");
        }
        assert_eq!(Row::Foreign.plan(), Plan::Leave);
    }

    #[test]
    fn row_9_a_page_is_redirected_from_any_site() {
        for site in SITES {
            let said = fetch(site, "navigate", "document");
            assert_eq!(found(&Method::GET, &said), Row::Page, "{site}");
        }
        assert_eq!(Row::Page.plan(), Plan::Redirect);
    }

    #[test]
    fn rows_10_to_12_what_a_page_of_this_origin_asks_for_is_renewed_in_place() {
        for (method, mode, dest, row) in [
            (Method::GET, "navigate", "iframe", Row::Frame),
            (Method::GET, "navigate", "frame", Row::Frame),
            (Method::POST, "navigate", "document", Row::Change),
            (Method::POST, "navigate", "iframe", Row::Change),
            (Method::POST, "cors", "empty", Row::Change),
            (Method::DELETE, "same-origin", "empty", Row::Change),
            (Method::GET, "cors", "empty", Row::Part),
            (Method::GET, "same-origin", "empty", Row::Part),
            (Method::GET, "no-cors", "image", Row::Part),
            (Method::GET, "no-cors", "script", Row::Part),
            (Method::GET, "no-cors", "style", Row::Part),
        ] {
            let said = fetch("same-origin", mode, dest);
            assert_eq!(found(&method, &said), row, "{method} {said:?}");
            assert_eq!(row.plan(), Plan::InPlace);
        }
    }

    #[test]
    fn row_13_anything_else_renews_nothing() {
        let [site, mode, dest] = fetch("same-origin", "cors", "empty");
        let twice = found(
            &Method::GET,
            &[site, mode, dest, ("sec-fetch-mode", "cors")],
        );
        assert_eq!(twice, Row::Other);
        assert_eq!(Row::Other.plan(), Plan::Leave);
    }
}
