//! `%20` and the like in URLs.

/// Decodes `%` with two hexadecimal digits (RFC 3986 section 2.1), and leaves incomplete ones as
/// they are; `None` if the bytes are not UTF-8.
pub(in crate::store) fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = (*first == b'%')
            .then(|| after.split_at_checked(2))
            .flatten()
            .and_then(|(digits, after)| {
                let digits = std::str::from_utf8(digits).ok()?;
                let byte = crate::secret::unhex(digits)?.first().copied()?;
                Some((byte, after))
            });
        let (byte, after) = escaped.unwrap_or((*first, after));
        bytes.push(byte);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_decoded_and_what_is_none_stays() {
        for (text, plain) in [
            ("a%20b", Some("a b")),
            ("%C3%A4", Some("ä")),
            ("%2e%2F", Some("./")),
            ("100%", Some("100%")),
            ("%2", Some("%2")),
            ("%zz%+1", Some("%zz%+1")),
            ("%25%32%30", Some("%20")),
            ("%ff", None),
        ] {
            assert_eq!(decoded(text).as_deref(), plain, "{text}");
        }
    }
}
