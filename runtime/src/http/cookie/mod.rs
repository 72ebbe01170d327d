//! Tokens in cookies (feature `cookies`): finds, sets and clears them, and decides which requests
//! may use them.

mod device;
mod hide;
mod origin;
mod write;

pub(crate) use device::DeviceCookie;
pub(crate) use hide::hide;
pub(crate) use origin::check;
#[cfg(feature = "cookies")]
pub(crate) use origin::{Origin, origin_of};
pub(crate) use write::{clear, clear_all, set, set_access, set_device, set_renewed, set_state};
#[cfg(feature = "cookies")]
pub(crate) use write::{set_refresh, set_step};

use http::HeaderMap;
use http::header::COOKIE;

use crate::error::{Code, Malformed, Refusal};

/// Returns the value of a cookie. A cookie that occurs twice is refused (R104), since only one of
/// them can be the gate's.
pub(crate) fn find<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Refusal> {
    let mut values = values(headers, name);
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => Ok(Some(text(value)?)),
        (Some(_), Some(_)) => Err(Malformed::TwoCredentials.into()),
    }
}

/// Returns the value of a cookie that may occur several times with the same value.
pub(crate) fn find_same<'a>(
    headers: &'a HeaderMap,
    name: &str,
) -> Result<Option<&'a str>, Refusal> {
    let mut values = values(headers, name);
    let Some(first) = values.next() else {
        return Ok(None);
    };
    if values.any(|other| other != first) {
        return Err(Malformed::TwoCredentials.into());
    }
    Ok(Some(text(first)?))
}

/// Returns every value of a cookie, each once. Values that are not text are left out.
pub(crate) fn find_all<'a>(headers: &'a HeaderMap, name: &str) -> Vec<&'a str> {
    let mut found = Vec::new();
    for value in values(headers, name).filter_map(|value| text(value).ok()) {
        if !found.contains(&value) {
            found.push(value);
        }
    }
    found
}

/// Returns whether a request brings a cookie.
pub(crate) fn has(headers: &HeaderMap, name: &str) -> bool {
    values(headers, name).next().is_some()
}

/// Returns whether a request brings one of these cookies.
pub(crate) fn has_any(headers: &HeaderMap, names: &[&str]) -> bool {
    let is_one = |pair: &[u8]| names.iter().any(|name| value_of(pair, name).is_some());
    let mut lines = headers.get_all(COOKIE).iter();
    lines.any(|line| pairs(line.as_bytes()).any(is_one))
}

/// Returns the values of a cookie as they come, in bytes: the cookies of other programs need not be
/// text.
fn values<'a>(headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = &'a [u8]> {
    headers
        .get_all(COOKIE)
        .iter()
        .flat_map(|line| pairs(line.as_bytes()))
        .filter_map(move |pair| value_of(pair, name))
}

/// Returns the pairs of a line, as they come.
fn pairs(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(line);
    std::iter::from_fn(move || {
        let line = rest.take()?;
        let Some(end) = semicolon(line) else {
            return Some(line);
        };
        rest = line.get(end + 1..);
        line.get(..end)
    })
}

/// Returns the place of the first semicolon. It compares 32 bytes at a time, because the tokens in
/// cookies are long, and a request is searched for several names.
fn semicolon(line: &[u8]) -> Option<usize> {
    let (chunks, _) = line.as_chunks::<32>();
    let has_none = |chunk: &&[u8; 32]| !chunk.iter().fold(false, |has, byte| has | (*byte == b';'));
    let skipped = chunks.iter().take_while(has_none).count() * 32;
    let found = line.iter().skip(skipped).position(|byte| *byte == b';')?;
    Some(skipped + found)
}

/// Returns the value of a pair, where it has this name.
fn value_of<'a>(pair: &'a [u8], name: &str) -> Option<&'a [u8]> {
    pair.trim_ascii()
        .strip_prefix(name.as_bytes())
        .and_then(|rest| rest.strip_prefix(b"="))
}

fn text(value: &[u8]) -> Result<&str, Refusal> {
    std::str::from_utf8(value).map_err(|_| Code::InvalidToken.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_split_at_every_semicolon() {
        for len in 0..200 {
            for places in [
                &[][..],
                &[0],
                &[31],
                &[32],
                &[33, 34],
                &[63, 64, 128],
                &[len],
            ] {
                let mut line = vec![b'x'; len];
                for place in places {
                    if let Some(byte) = line.get_mut(*place) {
                        *byte = b';';
                    }
                }
                let expected: Vec<&[u8]> = line.split(|byte| *byte == b';').collect();
                assert_eq!(
                    pairs(&line).collect::<Vec<_>>(),
                    expected,
                    "{len} {places:?}"
                );
            }
        }
    }
}
