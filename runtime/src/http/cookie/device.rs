//! The cookie by which a device is known again after a sign-in.

use std::time::Duration;

use base64_simd::URL_SAFE_NO_PAD;
use http::HeaderMap;
use zeroize::Zeroizing;

use crate::device::mark_of_cookie;
use crate::error::Refusal;
use crate::secret::fill_random;

use super::find;

/// The value of a device cookie: 256 random bits in base64url. It does not describe the device, and
/// grants no access: it gives a device that signed in before a budget of attempts of its own.
pub(crate) struct DeviceCookie(Zeroizing<String>);

impl DeviceCookie {
    /// The time for which a browser keeps the cookie: the longest that it keeps any (RFC 6265bis
    /// section 5.5).
    pub(crate) const MAX_AGE: Duration = Duration::from_secs(400 * 24 * 60 * 60);

    /// Returns the cookie of a request; `None` if it has another form or occurs more than once.
    pub(crate) fn in_request(headers: &HeaderMap, name: &str) -> Option<Self> {
        let value = find(headers, name).ok()??;
        let bytes = URL_SAFE_NO_PAD.decode_to_vec(value).ok()?;
        (bytes.len() == LEN).then(|| Self(Zeroizing::new(value.to_owned())))
    }

    /// Makes a cookie for a device that has none.
    pub(crate) fn random() -> Result<Self, Refusal> {
        let mut bytes = Zeroizing::new([0; LEN]);
        fill_random(&mut *bytes).map_err(Refusal::unavailable)?;
        let value = URL_SAFE_NO_PAD.encode_to_string(*bytes);
        Ok(Self(Zeroizing::new(value)))
    }

    /// Returns the value.
    pub(crate) fn value(&self) -> &str {
        &self.0
    }

    /// Returns the mark by which the device is known: a hash of the value.
    pub(crate) fn mark(&self) -> [u8; 32] {
        mark_of_cookie(&self.0)
    }
}

/// The random bytes of a value.
const LEN: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use http::header::COOKIE;

    #[test]
    fn only_what_a_gate_could_have_set_is_a_device_cookie() {
        let made = DeviceCookie::random().unwrap_or_else(|_| panic!("no random bytes"));
        let other = DeviceCookie::random().unwrap_or_else(|_| panic!("no random bytes"));
        assert_ne!(made.value(), other.value());
        assert_eq!(made.value().len(), 43);
        let read = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(COOKIE, format!("d={value}").parse().unwrap());
            DeviceCookie::in_request(&headers, "d").map(|cookie| cookie.mark())
        };
        assert_eq!(read(made.value()), Some(made.mark()));
        let short = &made.value()[..42];
        let twice = format!("{}; d={}", made.value(), other.value());
        for bad in ["", "x", short, &format!("{}x", made.value()), &twice] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
