//! The rules of the paths of a backend's routes.

use syn::LitStr;

use super::model::Route;
use super::parse::BackendArgs;
use crate::diag::Diag;

/// A route at its path.
struct Place<'a> {
    route: Route,
    /// The full path: with the prefix, except for the key set.
    path: String,
    /// The path without the prefix.
    shown: String,
    /// The text that says so: its own path, or that of the route that it follows.
    said: Option<&'a LitStr>,
}

/// Refuses paths that a router would not take, and two routes at one path.
pub(super) fn check_paths(args: &BackendArgs, disabled: &[Route], diag: &mut Diag) {
    let prefix = args.options.args.prefix.0.as_ref();
    if let Some(prefix) = prefix {
        check_path(prefix, "prefix", "/auth", diag);
    }
    let prefix = prefix.map_or_else(|| "/auth".to_owned(), LitStr::value);
    let said = |route| {
        let args = args.routes.iter().find(|(other, _)| *other == route);
        args.and_then(|(_, args)| args.path.0.as_ref())
    };
    let is_right = Route::ALL.map(|route| match said(route) {
        Some(path) if route == Route::EndSession => check_path_of_a_session(path, diag),
        Some(path) => check_path(path, "path", route.default_path(), diag),
        None => true,
    });
    let is_wrong = |route| {
        Route::ALL
            .iter()
            .zip(is_right)
            .any(|(r, ok)| *r == route && !ok)
    };
    let mut places: Vec<Place<'_>> = Vec::new();
    for route in Route::ALL {
        let base = route.base();
        let gone = [Some(route), base.map(|(base, _)| base)];
        if let Some(gone) = gone
            .into_iter()
            .flatten()
            .find(|gone| disabled.contains(gone))
        {
            refuse_path_of_disabled(said(route).filter(|_| !is_wrong(route)), gone, diag);
            refuse_words_of_disabled(args, route, gone, diag);
            continue;
        }
        let (said, shown) = match (said(route), base) {
            (Some(own), _) if !is_wrong(route) => (Some(own), own.value()),
            (None, Some((base, suffix))) if !is_wrong(base) && said(base).is_some() => {
                let followed = said(base);
                let start = followed.map(LitStr::value).unwrap_or_default();
                (followed, format!("{start}{suffix}"))
            }
            (None, None) => (None, route.default_path().to_owned()),
            (None, Some((base, _))) if said(base).is_none() => {
                (None, route.default_path().to_owned())
            }
            _ => continue,
        };
        let path = match route {
            Route::Jwks => shown.clone(),
            _ => format!("{prefix}{shown}"),
        };
        places.push(Place {
            route,
            path,
            shown,
            said,
        });
    }
    refuse_same_paths(&places, diag);
}

fn refuse_path_of_disabled(said: Option<&LitStr>, gone: Route, diag: &mut Diag) {
    let Some(said) = said else { return };
    let (name, text) = (gone.name(), said.value());
    diag.error(
        said,
        format_args!(
            "`{name}` is disabled, so there is no route at `{text}`: leave the path or \
             `disable({name})` out"
        ),
    );
}

/// Refuses what else is said of a route that is disabled: nothing would use it.
fn refuse_words_of_disabled(args: &BackendArgs, route: Route, gone: Route, diag: &mut Diag) {
    let name = gone.name();
    let words = args.routes.iter().find(|(other, _)| *other == route);
    let words = words.into_iter().flat_map(|(_, words)| {
        [
            (&words.summary.0, "summary"),
            (&words.description.0, "description"),
        ]
    });
    for (text, what) in words {
        let Some(text) = text else { continue };
        diag.error(
            text,
            format_args!(
                "`{name}` is disabled, so its {what} is shown nowhere: leave the {what} or \
                 `disable({name})` out"
            ),
        );
    }
    if let Some(from) = args.from.as_ref().filter(|_| route == Route::Refresh) {
        diag.error(
            from,
            format_args!(
                "`{name}` is disabled, so no claims are read from what is `{from}`: leave `{from}` \
                 or `disable({name})` out"
            ),
        );
    }
}

/// Refuses a path that meets that of another route: of one before it, or of one that no option
/// moved.
fn refuse_same_paths(places: &[Place<'_>], diag: &mut Diag) {
    for (at, place) in places.iter().enumerate() {
        let Some(said) = place.said else { continue };
        let other = places.iter().enumerate().find(|(other_at, other)| {
            *other_at != at
                && (*other_at < at || other.said.is_none())
                && overlap(&place.path, &other.path)
        });
        let Some((_, other)) = other else { continue };
        // The literal of the route that it follows meets the other one's too.
        let (name, text) = (other.route.name(), &other.shown);
        let sentence = if said.value() == place.shown {
            format!("`{name}` is at `{text}` already: choose another path")
        } else {
            format!(
                "`{name}` is at `{text}` already, where `{}` would be: choose another path, or \
                 say `{}(path = \"…\")`",
                place.route.name(),
                place.route.name(),
            )
        };
        diag.error(said, sentence);
    }
}

/// Returns whether a request can be to both paths.
fn overlap(path: &str, other: &str) -> bool {
    let (ours, theirs) = (path.split('/'), other.split('/'));
    ours.clone().count() == theirs.clone().count()
        && ours
            .zip(theirs)
            .all(|(a, b)| a == b || a == PARAMETER || b == PARAMETER)
}

/// The parameter of the path that ends a session.
const PARAMETER: &str = "{id}";

/// Returns whether a path has the id of a session as one of its segments, and is otherwise literal;
/// reports what is wrong with it.
fn check_path_of_a_session(path: &LitStr, diag: &mut Diag) -> bool {
    let text = path.value();
    let is_parameter = |segment: &&str| *segment == PARAMETER;
    let problem = match text.split('/').filter(is_parameter).count() {
        1 => {
            let segments = text.split('/');
            let segments = segments.map(|part| if part == PARAMETER { "id" } else { part });
            let rest = segments.collect::<Vec<_>>().join("/");
            let problem = if rest.contains(['{', '}', '*', ':']) {
                Some(format!(
                    "the path holds a parameter beside `{PARAMETER}`, and nothing would read it: \
                     keep `{PARAMETER}` alone"
                ))
            } else {
                problem_of(&rest, "path", "/sessions/{id}").map(|problem| {
                    let own = text.trim_end_matches('/');
                    problem.replace(rest.trim_end_matches('/'), own)
                })
            };
            match problem {
                Some(problem) => problem,
                None => return true,
            }
        }
        0 if text.contains(['{', ':', '*']) => format!(
            "the parameter of the path is the id of the session: call it `{PARAMETER}`, as in \
             `/sessions/{PARAMETER}`"
        ),
        0 if text.trim_matches('/').is_empty() => {
            String::from("the path is empty: write a name after the slash, as in `/sessions/{id}`")
        }
        0 => format!(
            "the path lacks the id of the session: write `/{}/{PARAMETER}`",
            text.trim_matches('/')
        ),
        _ => format!("the path holds `{PARAMETER}` twice: keep one"),
    };
    diag.error(path, problem);
    false
}

/// Returns whether a router takes a path literally, and reports what is wrong with it.
fn check_path(path: &LitStr, what: &str, example: &str, diag: &mut Diag) -> bool {
    let problem = problem_of(&path.value(), what, example);
    if let Some(problem) = &problem {
        diag.error(path, problem);
    }
    problem.is_none()
}

/// Returns what is wrong with a path.
fn problem_of(text: &str, what: &str, example: &str) -> Option<String> {
    Some(if text.trim_matches('/').is_empty() {
        format!("the {what} is empty: write a name after the slash, as in `{example}`")
    } else if !text.starts_with('/') {
        format!(
            "the {what} lacks its leading slash: write `/{}`",
            text.trim_end_matches('/')
        )
    } else if text.ends_with('/') {
        format!(
            "the {what} ends in a slash: write `{}`",
            text.trim_end_matches('/')
        )
    } else if text.contains(['{', '}', '*', ':']) {
        format!(
            "the {what} holds a parameter, and nothing would read it: write a fixed path, as in \
             `{example}`"
        )
    } else if text.contains("//") || text.split('/').any(|part| part == "." || part == "..") {
        format!(
            "the {what} holds an empty or relative segment: write a plain path, as in `{example}`"
        )
    } else if !text
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte))
    {
        // RFC 3986 section 2.3, unreserved characters.
        format!(
            "the {what} holds a character that would be percent-encoded: use ASCII letters, \
             digits, `-`, `.`, `_` and `~`"
        )
    } else {
        return None;
    })
}
