//! The reasons why a token of another issuer is refused: each can be counted, and has a sentence
//! for the log.

use std::fmt;

/// The reason why a token of another issuer was refused, as events, the log and
/// [`GuardHealth`](crate::guard::GuardHealth) tell operators. Clients are told
/// [`Code::InvalidToken`](crate::error::Code::InvalidToken) or
/// [`Code::TokenExpired`](crate::error::Code::TokenExpired).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum TokenFault {
    /// It is not a JWS in its canonical form, or its header or payload is not strict JSON.
    Malformed,
    /// It has more bytes or members than the guard reads.
    TooLarge,
    /// No guard is for its issuer, or only another guard than the one that was asked.
    Issuer,
    /// It is of another realm of its issuer.
    Realm,
    /// It is of a tenant that the guard does not accept, or its key is of another tenant.
    Tenant,
    /// It is signed with an algorithm that the guard does not accept.
    Algorithm,
    /// It is of another kind, or has the marks of two kinds.
    Kind,
    /// The issuer has no suitable key.
    Key,
    /// Its signature was not made by the issuer's key.
    Signature,
    /// It is for another audience, or names none.
    Audience,
    /// It is an ID token that was issued to another client.
    Party,
    /// It is not valid yet.
    NotYet,
    /// Its lifetime is longer than the guard accepts.
    Lifetime,
    /// It has expired.
    Expired,
    /// A claim is missing, or has another type.
    Claims,
    /// It is not for the action that was asked for, or was used for it before.
    Action,
    /// The guard's own check refused it.
    Custom,
}

impl TokenFault {
    /// Every reason.
    pub const ALL: [Self; 17] = [
        Self::Malformed,
        Self::TooLarge,
        Self::Issuer,
        Self::Realm,
        Self::Tenant,
        Self::Algorithm,
        Self::Kind,
        Self::Key,
        Self::Signature,
        Self::Audience,
        Self::Party,
        Self::NotYet,
        Self::Lifetime,
        Self::Expired,
        Self::Claims,
        Self::Action,
        Self::Custom,
    ];

    /// Returns the name in logs: `audience`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::TooLarge => "too_large",
            Self::Issuer => "issuer",
            Self::Realm => "realm",
            Self::Tenant => "tenant",
            Self::Algorithm => "algorithm",
            Self::Kind => "kind",
            Self::Key => "key",
            Self::Signature => "signature",
            Self::Audience => "audience",
            Self::Party => "party",
            Self::NotYet => "not_yet",
            Self::Lifetime => "lifetime",
            Self::Expired => "expired",
            Self::Claims => "claims",
            Self::Action => "action",
            Self::Custom => "custom",
        }
    }
}

impl fmt::Display for TokenFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A refused token: the reason, and a sentence for the log in which every text of the token is
/// quoted by [`quoted`].
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) reason: TokenFault,
    pub(crate) detail: Box<str>,
}

impl Fault {
    pub(crate) fn new(reason: TokenFault, detail: impl Into<Box<str>>) -> Self {
        Self {
            reason,
            detail: detail.into(),
        }
    }
}

/// Returns a text of a token for the log: in quotes, escaped, and at most 128 bytes long.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        // Only visible ASCII stays: other letters may reverse the line or be invisible in it.
        let escaped = letter.escape_default();
        if quoted.len() + escaped.len() > QUOTED_LEN - "…\"".len() {
            quoted.push('…');
            break;
        }
        quoted.extend(escaped);
    }
    quoted.push('"');
    quoted
}

/// The longest quoted text, in bytes.
const QUOTED_LEN: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_text_is_escaped_and_bounded() {
        assert_eq!(quoted("https://a.example"), "\"https://a.example\"");
        assert_eq!(
            quoted("a\r\nb\u{202e}\"\u{1b}"),
            "\"a\\r\\nb\\u{202e}\\\"\\u{1b}\""
        );
        for letter in ["a", "\n", "\u{202e}", "é", "\"", "\u{10ffff}"] {
            for count in [1, 60, 121, 122, 123, 124, 125, 126, 128, 10_000] {
                let quoted = quoted(&letter.repeat(count));
                assert!(quoted.len() <= QUOTED_LEN, "{quoted}");
                assert!(quoted.starts_with('"') && quoted.ends_with('"'));
                let inside = quoted.trim_matches('"').trim_end_matches('…');
                assert!(inside.bytes().all(|byte| (0x20..0x7f).contains(&byte)));
            }
        }
    }

    #[test]
    fn every_reason_has_its_own_name() {
        let mut names: Vec<_> = TokenFault::ALL.iter().map(|fault| fault.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), TokenFault::ALL.len());
        for (at, fault) in TokenFault::ALL.into_iter().enumerate() {
            assert_eq!(fault as usize, at);
        }
    }
}
