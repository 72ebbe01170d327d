//! Takes cookies out of a request before the handlers of the application see it.

use http::header::{COOKIE, Entry};
use http::{HeaderMap, HeaderValue};

use super::{has_any, pairs, value_of};

/// Removes the cookies of these names from the headers, and leaves every other one as it came.
pub(crate) fn hide(headers: &mut HeaderMap, names: &[&str]) {
    let is_hidden = |pair: &[u8]| names.iter().any(|name| value_of(pair, name).is_some());
    if !has_any(headers, names) {
        return;
    }
    let Entry::Occupied(lines) = headers.entry(COOKIE) else {
        return;
    };
    let (_, lines) = lines.remove_entry_mult();
    let kept: Vec<HeaderValue> = lines
        .filter_map(|line| {
            let others = pairs(line.as_bytes());
            let others: Vec<&[u8]> = others.filter(|pair| !is_hidden(pair)).collect();
            let mut others = HeaderValue::from_bytes(others.join(&b';').trim_ascii()).ok()?;
            others.set_sensitive(line.is_sensitive());
            (!others.is_empty()).then_some(others)
        })
        .collect();
    for line in kept {
        headers.append(COOKIE, line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_named_cookies_are_taken_out() {
        for (came, left) in [
            (&["a=1; r=x; b=2"][..], &["a=1; b=2"][..]),
            (&["r=x; a=1"], &["a=1"]),
            (&["a=1;r=x"], &["a=1"]),
            (&["r=x"], &[]),
            (&["r=x; r=y", "a=1; old=z", "b=2"], &["a=1", "b=2"]),
            (&["rr=x; r =y; xr=z; r"], &["rr=x; r =y; xr=z; r"]),
            (&["R=x", ""], &["R=x", ""]),
        ] {
            let mut headers = HeaderMap::new();
            for line in came {
                headers.append(COOKIE, HeaderValue::from_static(line));
            }
            hide(&mut headers, &["r", "old"]);
            let found: Vec<&HeaderValue> = headers.get_all(COOKIE).iter().collect();
            assert_eq!(found, left, "{came:?}");
        }
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_bytes(b"a=\xff; r=x").unwrap());
        hide(&mut headers, &["r"]);
        assert_eq!(headers[COOKIE].as_bytes(), b"a=\xff");
    }
}
