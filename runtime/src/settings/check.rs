//! The check of settings as a whole: every problem is reported at once, and nothing is corrected
//! silently.

use std::time::Duration;

use super::problem::{Problems, SettingProblem, refuse};
use super::{
    Allowance, Consistency, OnLimit, OnRefresh, OnStale, RefreshCookie, RefreshPolicy,
    SessionSettings, Settings, StoreUrl, ThrottleSettings,
};
#[cfg(feature = "cookies")]
use super::{BindingMode, SameSite};
use crate::error::Error;
use crate::realm::RealmName;

impl Settings {
    /// Checks the settings as a whole. `build()` does so.
    ///
    /// # Errors
    /// [`ErrorKind::Settings`](crate::error::ErrorKind::Settings), with one line for each setting
    /// that is missing, out of its bounds or in conflict with another, and the source of its value.
    pub fn validate(&self) -> Result<(), Error> {
        let problems: Vec<String> = problems(self)
            .iter()
            .map(|problem| problem.line(self))
            .collect();
        if problems.is_empty() {
            Ok(())
        } else {
            Err(refuse(&problems))
        }
    }
}

#[cfg(feature = "cookies")]
impl Settings {
    /// Checks that pages can be renewed with these settings.
    ///
    /// # Errors
    /// [`ErrorKind::Settings`](crate::error::ErrorKind::Settings), with one line for each setting
    /// that stands against it.
    pub(crate) fn validate_pages(&self) -> Result<(), Error> {
        let Self {
            cookies,
            refresh,
            binding,
            ..
        } = self;
        let mut found = Problems::default();
        found.unless(cookies.path.is_some(), "cookies.path", || {
            "must be set for `gate.pages`: pages have their tokens in cookies".into()
        });
        let is_strict = cookies.same_site == SameSite::Strict;
        found.unless(!is_strict, "cookies.same_site", || {
            "cannot be `strict` with `gate.pages`: a visitor who follows a link from another site \
             would seem to be signed out"
                .into()
        });
        let is_former = cookies.refresh == Some(RefreshCookie::Path);
        found.unless(!is_former, "cookies.refresh", || {
            "cannot be `path` with `gate.pages`: browsers send that cookie to the auth routes alone"
                .into()
        });
        let forgives = !matches!(
            refresh.policy,
            RefreshPolicy::Strict | RefreshPolicy::Window
        );
        found.unless(forgives, "refresh.policy", || {
            "cannot be `strict` or `window` with `gate.pages`: a browser that loses one answer \
             would be signed out"
                .into()
        });
        found.unless(!refresh.window.is_zero(), "refresh.window", || {
            "cannot be zero with `gate.pages`: two tabs refresh at the same time".into()
        });
        let names_device = binding.access_device == BindingMode::Enforce;
        found.unless(!names_device, "binding.access_device", || {
            "cannot be `enforce` with `gate.pages`: a browser that opens a page sends no header \
             with the id of its device"
                .into()
        });
        let problems: Vec<String> = found
            .into_vec()
            .iter()
            .map(|problem| problem.line(self))
            .collect();
        if problems.is_empty() {
            Ok(())
        } else {
            Err(refuse(&problems))
        }
    }
}

/// Returns further problems where some settings could not be read: problems of those settings, and
/// of missing ones, are left out.
pub(super) fn problems_beside(settings: &Settings, unread: &[&str]) -> Vec<String> {
    let is_independent = |problem: &SettingProblem| {
        !problem.missing && !problem.names().any(|name| unread.contains(&name))
    };
    problems(settings)
        .iter()
        .filter(|problem| is_independent(problem))
        .map(|problem| problem.line(settings))
        .collect()
}

/// Runs the flat list of checks.
fn problems(settings: &Settings) -> Vec<SettingProblem> {
    let Settings {
        issuer,
        audience,
        realm,
        replaces,
        client_id,
        public_url,
        leeway,
        access,
        refresh,
        session,
        revocation,
        introspection,
        throttle,
        openapi,
        ..
    } = settings;
    let Settings {
        keys: _,
        client: _,
        cookies,
        binding,
        store,
        origins: _,
        ..
    } = settings;
    let mut found = Problems::default();

    found.required("issuer", issuer.as_deref());
    found.required("audience", audience.as_deref());
    for (name, text) in [
        ("issuer", issuer.as_deref()),
        ("audience", audience.as_deref()),
        ("replaces.issuer", replaces.issuer.as_deref()),
        ("replaces.audience", replaces.audience.as_deref()),
        (
            "client_id",
            Some(client_id.as_str()).filter(|text| !text.contains(char::is_control)),
        ),
        ("store.url", store.url.as_ref().map(StoreUrl::expose)),
        ("store.deployment", store.deployment.as_deref()),
    ] {
        if let Some(around) = text.and_then(pasted) {
            found.unless(false, name, || {
                format!("has {around}, which would be part of the value: remove them")
            });
        }
    }
    if let Some(Err(error)) = realm.as_deref().map(RealmName::parse) {
        found.unless(false, "realm", || error.to_string());
    }
    if let Some(url) = public_url {
        found.unless(is_base_url(url), "public_url", || {
            "must be `https://` (or `http://` for a test) with a host and a plain path, without a \
             slash at its end, a query or a fragment"
                .into()
        });
        let issuer = issuer.as_deref().unwrap_or_default();
        found.unless(
            is_base_url(issuer.trim_end_matches('/')),
            "public_url",
            || {
                "needs an `issuer` that is a URL too, because the metadata is served below it (RFC \
                 8414 section 3)"
                    .into()
            },
        );
    }
    let names = introspection.services.iter().map(super::Service::name);
    let twice = names
        .clone()
        .enumerate()
        .any(|(at, one)| names.clone().skip(at + 1).any(|two| one == two));
    found.unless(!twice, "introspection.services", || {
        "names a service twice".into()
    });
    for (name, path, example) in [
        ("openapi.path", &openapi.path, "/openapi.json"),
        ("openapi.swagger_ui", &openapi.swagger_ui, "/docs/swagger"),
    ] {
        found.unless(path.is_empty() || is_plain_path(path), name, || {
            format!(
                "must be a plain path that begins with a slash and does not end with one, such as \
                 `{example}`, or empty"
            )
        });
    }
    // The page has files below its path.
    let (page, document) = (&openapi.swagger_ui, &openapi.path);
    let is_apart = page.is_empty()
        || document
            .strip_prefix(page.as_str())
            .is_none_or(|rest| !rest.is_empty() && !rest.starts_with('/'));
    found.unless(is_apart, "openapi.swagger_ui", || {
        "must be neither the path of the document, `openapi.path`, nor a path above it".into()
    });
    let printable =
        !client_id.is_empty() && client_id.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    found.unless(printable, "client_id", || {
        "must be printable ASCII, and not empty (RFC 6749 appendix A.1)".into()
    });
    found.at_most("leeway", *leeway, MINUTE * 2);
    found.whole_seconds("leeway", *leeway);

    found.not_zero("access.ttl", access.ttl);
    found.whole_seconds("access.ttl", access.ttl);
    if let Some(max_ttl) = access.max_ttl {
        found.whole_seconds("access.max_ttl", max_ttl);
        found.not_shorter(("access.max_ttl", max_ttl), ("access.ttl", access.ttl));
    }
    found.unless(is_token(&access.header), "access.header", || {
        "must be the name of a header (RFC 9110 section 5.1)".into()
    });
    let schemes = &access.schemes;
    found.unless(!schemes.is_empty(), "access.schemes", || {
        "must name at least one scheme".into()
    });
    let schemes_are_tokens = schemes.iter().all(|scheme| is_token(scheme));
    found.unless(schemes_are_tokens, "access.schemes", || {
        "must be names of schemes (RFC 9110 section 11.1)".into()
    });
    let twice = schemes.iter().enumerate().any(|(at, one)| {
        schemes
            .iter()
            .skip(at + 1)
            .any(|two| one.eq_ignore_ascii_case(two))
    });
    found.unless(!twice, "access.schemes", || "names a scheme twice".into());

    found.at_most("refresh.window", refresh.window, MINUTE);
    let lost = ("refresh.lost_response_window", refresh.lost_response_window);
    found.not_longer(lost, ("session.idle", session.idle));
    let is_fixed = refresh.policy == RefreshPolicy::Fixed;
    let ends_tokens = is_fixed && access.on_refresh == OnRefresh::Revoke;
    found.conflict(ends_tokens, "access.on_refresh", "refresh.policy", || {
        "cannot be `revoke` if the policy is `fixed`: earlier access tokens are recognised by the \
         generation of the refresh token, which `fixed` never changes"
            .into()
    });
    let has_no_token = !is_fixed && !refresh.answer_token;
    found.conflict(has_no_token, "refresh.answer_token", "refresh.policy", || {
        "cannot be `false` unless the policy is `fixed`: with every other policy a client needs \
         the new refresh token"
            .into()
    });

    found.not_zero("session.idle", session.idle);
    found.at_most("session.idle", session.idle, DAY * 90);
    found.not_zero("session.absolute", session.absolute);
    found.at_most("session.absolute", session.absolute, DAY * 400);
    found.not_longer(
        ("session.idle", session.idle),
        ("session.absolute", session.absolute),
    );
    found.not_zero("session.brief_idle", session.brief_idle);
    found.not_zero("session.brief_absolute", session.brief_absolute);
    found.not_longer(
        ("session.brief_idle", session.brief_idle),
        ("session.brief_absolute", session.brief_absolute),
    );
    found.unless(
        session.device_limit != Some(0),
        "session.device_limit",
        || "must be at least 1".into(),
    );
    let most = SessionSettings::MAX_HISTORY;
    found.unless(session.history <= most, "session.history", || {
        format!("must be at most {most}")
    });
    let denies_without_limit = session.on_limit == OnLimit::Deny && session.device_limit.is_none();
    found.conflict(
        denies_without_limit,
        "session.on_limit",
        "session.device_limit",
        || "has no effect unless `session.device_limit` is set".into(),
    );

    found.unless(store.connections != Some(0), "store.connections", || {
        "must be at least 1".into()
    });
    for (name, timeout) in [
        ("store.connect_timeout", store.connect_timeout),
        ("store.lock_timeout", store.lock_timeout),
        ("store.statement_timeout", store.statement_timeout),
    ] {
        found.not_zero(name, timeout.unwrap_or(MINUTE));
    }

    for (name, other, is_alone) in [
        (
            "store.client_certificate",
            "store.client_key",
            store.client_certificate.is_some() && store.client_key.is_none(),
        ),
        (
            "store.client_key",
            "store.client_certificate",
            store.client_key.is_some() && store.client_certificate.is_none(),
        ),
    ] {
        found.conflict(is_alone, name, other, || format!("needs `{other}` too"));
    }

    found.not_zero("revocation.stale_limit", revocation.stale_limit);
    if let Consistency::Bounded(bound) = revocation.consistency {
        found.not_zero("revocation.consistency", bound);
        found.not_longer(
            ("revocation.consistency", bound),
            ("revocation.stale_limit", revocation.stale_limit),
        );
    }
    let serves_against_bound =
        revocation.on_stale == OnStale::Serve && revocation.consistency != Consistency::Eventual;
    found.conflict(
        serves_against_bound,
        "revocation.on_stale",
        "revocation.consistency",
        || {
            "`serve` goes on with a stale view, which only `revocation.consistency = \"eventual\"` \
             allows"
                .into()
        },
    );

    if let Some(path) = &cookies.path {
        found.unless(cfg!(feature = "cookies"), "cookies.path", || {
            "needs the feature `cookies`".into()
        });
        found.unless(is_cookie_path(path), "cookies.path", || {
            "must begin with a slash and have only characters of a path (RFC 6265 section 4.1.1), \
             such as `/auth`"
                .into()
        });
    }
    let without_cookies = !cookies.origins.is_empty() && cookies.path.is_none();
    found.conflict(without_cookies, "cookies.origins", "cookies.path", || {
        "has no effect unless `cookies.path` is set".into()
    });
    for (name, is_set) in [
        ("cookies.refresh", cookies.refresh.is_some()),
        ("cookies.legacy_until", cookies.legacy_until.is_some()),
    ] {
        let without_cookies = is_set && cookies.path.is_none();
        found.conflict(without_cookies, name, "cookies.path", || {
            "has no effect unless `cookies.path` is set".into()
        });
    }
    let is_shared = settings.realm.is_some() && cookies.refresh == Some(RefreshCookie::Path);
    found.conflict(is_shared, "cookies.refresh", "realm", || {
        "must be `host` in a named realm: the cookie name of earlier releases names no realm".into()
    });
    found.unless(
        cookies.origins.iter().all(|origin| is_origin(origin)),
        "cookies.origins",
        || {
            "must be origins as browsers write them: scheme, host in lower case, a port that is \
             not the scheme's own"
                .into()
        },
    );
    let header = &binding.device_header;
    found.unless(is_token(header), "binding.device_header", || {
        "must be the name of a header (RFC 9110 section 5.1)".into()
    });
    check_throttle(throttle, &mut found);
    found.into_vec()
}

fn check_throttle(throttle: &ThrottleSettings, found: &mut Problems) {
    let ThrottleSettings {
        client,
        identifier,
        identifier_long,
        known,
        known_long,
        step,
        step_long,
        action,
        refresh,
        verify,
        ..
    } = throttle;
    let is_kept = |other: ThrottleSettings| {
        let with_its_steps = ThrottleSettings {
            step: throttle.step,
            step_long: throttle.step_long,
            known_for: throttle.known_for,
            keys: throttle.keys,
            ..other
        };
        with_its_steps == *throttle
    };
    let is_there = cfg!(feature = "rate-limit")
        || is_kept(ThrottleSettings::default())
        || is_kept(ThrottleSettings::off());
    found.unless(is_there, "throttle.client", || {
        "and the other limits of `throttle` need the feature `rate-limit`; without it only \
         `throttle.step`, `throttle.step_long`, `throttle.known_for` and `throttle.keys` have an \
         effect"
            .into()
    });
    for (name, allowance) in [
        ("throttle.client", client),
        ("throttle.identifier", identifier),
        ("throttle.identifier_long", identifier_long),
        ("throttle.known", known),
        ("throttle.known_long", known_long),
        ("throttle.step", step),
        ("throttle.step_long", step_long),
        ("throttle.action", action),
        ("throttle.refresh", refresh),
        ("throttle.verify", verify),
    ] {
        if let Allowance::Attempts { burst, period } = *allowance {
            found.unless(burst > 0, name, || {
                "must allow at least 1 attempt, or be `off`".into()
            });
            found.not_zero(name, period);
            found.at_most(name, period, DAY * 400);
        }
    }
    found.not_zero("throttle.known_for", throttle.known_for);
    found.at_most("throttle.known_for", throttle.known_for, DAY * 400);
    found.unless(throttle.keys > 0, "throttle.keys", || {
        "must be at least 1".into()
    });
}

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Returns whether a cookie may carry the text as its `Path`. A slash at the end would leave out
/// the path without it (RFC 6265 section 5.1.4).
fn is_cookie_path(path: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_graphic() && !b";,?#%\"\\".contains(&byte);
    path.starts_with('/') && path.bytes().all(allowed) && (path == "/" || !path.ends_with('/'))
}

/// Returns whether a browser could write the text as `Origin` (RFC 6454 section 6.2).
fn is_origin(text: &str) -> bool {
    let own = |scheme| if scheme == "https" { ":443" } else { ":80" };
    text.split_once("://").is_some_and(|(scheme, host)| {
        let allowed = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-:[]".contains(&byte)
        };
        matches!(scheme, "http" | "https")
            && !host.is_empty()
            && host.bytes().all(allowed)
            && !host.ends_with(own(scheme))
    })
}

/// Returns whether the text is a `token` (RFC 9110 section 5.6.2).
fn is_token(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(allowed)
}

/// Returns whether a text is a path of letters, digits and `-._~`, which a router takes literally.
fn is_plain_path(text: &str) -> bool {
    text.strip_prefix('/').is_some_and(|rest| {
        rest.split('/').all(|part| {
            !matches!(part, "" | "." | "..")
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
        })
    })
}

/// Returns the traces of pasting in a text: quotes around it, blanks around it, or line ends and
/// other control characters. An empty text has none.
fn pasted(text: &str) -> Option<&'static str> {
    let invisible =
        |c: char| c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}'..='\u{200d}');
    let trimmed = text.trim_matches(|c: char| invisible(c) || c.is_control());
    let quote = |c: char| {
        matches!(
            c,
            '"' | '\'' | '`' | '“' | '”' | '‘' | '’' | '„' | '«' | '»'
        )
    };
    if text.contains(char::is_control) {
        Some("line ends or other control characters")
    } else if trimmed.starts_with(quote) || trimmed.ends_with(quote) {
        Some("quotes around it")
    } else {
        (trimmed.len() != text.len() && !trimmed.is_empty()).then_some("blanks around it")
    }
}

/// Returns whether a text is an address to which paths can be appended.
fn is_base_url(text: &str) -> bool {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        let plain = rest
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~:/[]%".contains(&byte));
        plain
            && !rest.is_empty()
            && !rest.starts_with('/')
            && !rest.ends_with('/')
            && !rest.contains("//")
    })
}
