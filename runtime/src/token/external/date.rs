//! Times of other issuers' tokens.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, Visitor};

/// A time as other issuers write it: seconds since 1970, which may have decimals (RFC 7519 section
/// 2). It is rounded so that no token is valid longer than it says.
#[derive(Clone, Copy)]
pub(super) enum NumericDate {
    /// `exp`, `iat`, `auth_time`.
    RoundedDown,
    /// `nbf`.
    RoundedUp,
}

impl<'de> DeserializeSeed<'de> for NumericDate {
    type Value = u64;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<u64, D::Error> {
        deserializer.deserialize_f64(self)
    }
}

impl Visitor<'_> for NumericDate {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("seconds since 1970")
    }

    fn visit_u64<E: Error>(self, seconds: u64) -> Result<u64, E> {
        if seconds < END {
            Ok(seconds)
        } else {
            Err(E::custom("too large for a time"))
        }
    }

    fn visit_f64<E: Error>(self, seconds: f64) -> Result<u64, E> {
        // NaN is in no range.
        #[allow(clippy::cast_precision_loss, reason = "it is a power of two")]
        if !(0.0..END as f64).contains(&seconds) {
            return Err(E::custom("not a time"));
        }
        let whole = match self {
            Self::RoundedDown => seconds.floor(),
            Self::RoundedUp => seconds.ceil(),
        };
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is whole, and in the range"
        )]
        Ok(whole as u64)
    }
}

/// The first number that is not accepted as a time: below it a float can represent every whole
/// number.
const END: u64 = 1 << 53;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(date: NumericDate, text: &str) -> Option<u64> {
        let mut reader = serde_json::Deserializer::from_str(text);
        date.deserialize(&mut reader).ok()
    }

    /// R41.
    #[test]
    fn r41_decimals_are_rounded_so_that_no_token_counts_longer() {
        for (text, down, up) in [
            ("0", 0, 0),
            ("1700000000", 1_700_000_000, 1_700_000_000),
            ("1700000000.0", 1_700_000_000, 1_700_000_000),
            ("1700000000.5", 1_700_000_000, 1_700_000_001),
            ("1700000000.001", 1_700_000_000, 1_700_000_001),
            ("1.7e9", 1_700_000_000, 1_700_000_000),
            ("17E8", 1_700_000_000, 1_700_000_000),
            ("1e-9", 0, 1),
            ("-0.0", 0, 0),
            ("9007199254740991", END - 1, END - 1),
        ] {
            assert_eq!(read(NumericDate::RoundedDown, text), Some(down), "{text}");
            assert_eq!(read(NumericDate::RoundedUp, text), Some(up), "{text}");
        }
        for text in [
            "-1",
            "-0.5",
            "-1e300",
            "1e400",
            "1e300",
            "9007199254740992",
            "9007199254740992.0",
            "18446744073709551615",
            "18446744073709551616",
            "\"1700000000\"",
            "null",
            "true",
            "[1700000000]",
            "{}",
            "NaN",
            "Infinity",
        ] {
            assert_eq!(read(NumericDate::RoundedDown, text), None, "{text}");
            assert_eq!(read(NumericDate::RoundedUp, text), None, "{text}");
        }
    }
}
