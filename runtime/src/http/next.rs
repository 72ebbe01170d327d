//! Checks the path to which a page may send its visitor next: one of the same origin, and never an
//! auth route.

use crate::gate::Running;

/// The longest path, in bytes.
const MAX_LEN: usize = 2048;

/// Returns a path as it came if a redirect to it stays on this origin and outside the auth routes
/// and the login page, which are `places`, and otherwise `/`.
///
/// It begins with one slash, holds no backslash, no space and no control character, and has at most
/// 2 KiB. The same is true of the path to which a browser resolves its dot segments.
pub(super) fn safe_next<'n>(next: &'n str, places: &[&str]) -> &'n str {
    let bytes = next.as_bytes();
    let is_path = bytes.first() == Some(&b'/') && !matches!(bytes.get(1), Some(b'/' | b'\\'));
    let is_plain = |byte: &u8| *byte > 0x20 && *byte != 0x7f && *byte != b'\\';
    let stays = is_path && next.len() <= MAX_LEN && bytes.iter().all(is_plain);
    if stays && !is_astray(next, places) {
        next
    } else {
        "/"
    }
}

/// Returns where a page of a gate may send its visitor: see [`safe_next`].
pub(super) fn safe_next_of<'n>(gate: &Running, next: &'n str) -> &'n str {
    let prefix = gate.routes.prefix;
    #[cfg(feature = "cookies")]
    if let Some(login) = gate.login() {
        let path = gate.settings().cookies.path.as_deref().unwrap_or_default();
        return safe_next(next, &[prefix, path, login]);
    }
    safe_next(next, &[prefix])
}

/// Returns whether a browser that follows the path leaves this origin, or arrives at a prefix or
/// below it.
fn is_astray(next: &str, places: &[&str]) -> bool {
    let path = next.split(['?', '#']).next().unwrap_or_default();
    // A browser resolves dot segments before it asks (URL Standard, path state). To it an empty
    // segment is one that `..` removes.
    let mut asked: Vec<&str> = Vec::new();
    for segment in path.split('/').skip(1) {
        match &*decoded(segment) {
            "." => {}
            ".." => drop(asked.pop()),
            _ => asked.push(segment),
        }
    }
    // Such a path is `//host`, if something reads it as an address again.
    if matches!(asked.as_slice(), ["", _, ..]) {
        return true;
    }
    // A router compares what is decoded. A proxy in front may read more out of it: encoded slashes,
    // parameters after a semicolon, and the dot segments that come to light by that.
    let routed: Vec<String> = asked.iter().map(|segment| decoded(segment)).collect();
    let mut read: Vec<&str> = Vec::new();
    for segment in routed.iter().flat_map(|segment| segment.split(['/', '\\'])) {
        match segment.split(';').next().unwrap_or_default() {
            "." => {}
            ".." => drop(read.pop()),
            plain => read.push(plain),
        }
    }
    places.iter().any(|place| {
        is_below(routed.iter().map(String::as_str), place) || is_below(read.iter().copied(), place)
    })
}

/// Returns whether the segments of a path are those of a prefix, or of a path below it. Empty
/// segments do not count: a proxy may drop them.
fn is_below<'s>(segments: impl Iterator<Item = &'s str>, prefix: &str) -> bool {
    let mut segments = segments.filter(|segment| !segment.is_empty());
    let mut prefix = prefix
        .split('/')
        .filter(|segment| !segment.is_empty())
        .peekable();
    prefix.peek().is_some()
        && prefix.all(|known| {
            segments
                .next()
                .is_some_and(|segment| segment.eq_ignore_ascii_case(known))
        })
}

/// Returns a segment without its percent-encoding; invalid encodings stay.
fn decoded(segment: &str) -> String {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let [first, after @ ..] = rest {
        let hex = |digit: u8| {
            char::from(digit)
                .to_digit(16)
                .and_then(|d| u8::try_from(d).ok())
        };
        if let (b'%', [high, low, after @ ..]) = (first, after)
            && let (Some(high), Some(low)) = (hex(*high), hex(*low))
        {
            bytes.push(high * 16 + low);
            rest = after;
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_path_of_this_origin_outside_the_auth_routes_is_followed() {
        let long = format!("/{}", "x".repeat(MAX_LEN));
        for (next, is_safe) in [
            ("/", true),
            ("/orders/7?sort=name#last", true),
            ("/author", true),
            ("/a/auth", true),
            ("/caf\u{e9}", true),
            ("", false),
            ("orders", false),
            ("//evil.example", false),
            ("/\\evil.example", false),
            ("\\/evil.example", false),
            ("/a\\b", false),
            ("https://evil.example", false),
            ("javascript:alert(1)", false),
            (" /orders", false),
            ("/a b", false),
            ("/\t/evil.example", false),
            ("/\r\nSet-Cookie: a=b", false),
            ("/\u{7f}", false),
            ("/auth", false),
            ("/auth/", false),
            ("/auth/signout", false),
            ("/auth?x", false),
            ("/AUTH/signout", false),
            ("/a/../auth/signout", false),
            ("/./auth", false),
            ("/%61uth/signout", false),
            ("/a/%2e%2E/auth", false),
            ("/auth//../sessions", false),
            ("/auth//../signout", false),
            ("/auth///../../signout", false),
            ("/auth//.%2e/signout", false),
            ("/auth//%2E./signout?x", false),
            ("/auth//%2e%2e/signout#x", false),
            ("/a//../../auth", false),
            ("/a//../auth", true),
            ("/a//b", true),
            ("/auth/../a", true),
            ("/a/..//auth", false),
            ("//auth", false),
            ("/.//evil.example", false),
            ("/a/..//evil.example", false),
            ("/a/%2e%2e//evil.example", false),
            ("/a%2f..%2fauth", false),
            ("/a%5c..%5cauth", false),
            ("/auth/x%2f..%2f..%2fy", false),
            ("/auth;a=1/signout", false),
            ("/a/..;/auth", false),
            ("/a;b/c;d", true),
            ("/au\tth", false),
            ("/a/.\n./auth", false),
            ("/a\\..\\auth", false),
            (&long, false),
            (&long[..MAX_LEN], true),
        ] {
            let expected = if is_safe { next } else { "/" };
            assert_eq!(safe_next(next, &["/auth"]), expected, "{next:?}");
        }
        assert_eq!(safe_next("/anything", &[""]), "/anything");
        assert_eq!(safe_next("/a/b/c", &["/a/b"]), "/");
        assert_eq!(safe_next("/a/c", &["/a/b"]), "/a/c");
        assert_eq!(safe_next("/login/step", &["/auth", "/login"]), "/");
        for next in ["/login//../step?reason=refused", "/login//../fresh"] {
            assert_eq!(safe_next(next, &["/auth", "/login"]), "/", "{next}");
        }
    }
}
