//! Names that a claim cannot have, and names of times.

use super::secret_names::words;

/// The claims that the gate itself sets, or to which a standard gives another meaning (RFC 7519,
/// 7800, 8693, 9068, OpenID Connect Core).
const RESERVED: [&str; 29] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "sid",
    "gen",
    "uep",
    "rlm",
    "auth_time",
    "acr",
    "bnd",
    "amr",
    "azp",
    "client_id",
    "cnf",
    "act",
    "may_act",
    "typ",
    "nonce",
    "alg",
    "kid",
    "at_hash",
    "c_hash",
    "events",
    "txn",
    "token_introspection",
];

/// The claims that the verifier itself reads of a token that others issue.
const READ: [&str; 13] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "auth_time",
    "acr",
    "azp",
    "client_id",
    "nonce",
    "cnf",
];

/// Returns whether a claim of this name in a token of others is read by the verifier itself.
pub(crate) fn is_read(wire: &str) -> bool {
    READ.contains(&wire)
}

/// Returns whether a claim of this name is not the user's to set.
pub(crate) fn is_reserved(wire: &str) -> bool {
    RESERVED.contains(&wire)
}

/// Returns whether a name ends in what says that it is a time.
pub(crate) fn is_time(name: &str) -> bool {
    const TIMES: [&str; 11] = [
        "at",
        "time",
        "timestamp",
        "date",
        "until",
        "since",
        "exp",
        "expires",
        "expiry",
        "deadline",
        "birthday",
    ];
    words(name)
        .last()
        .is_some_and(|last| TIMES.contains(&last.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_by_their_last_word() {
        assert!(
            is_time("created_at")
                && is_time("valid_until")
                && is_time("exp")
                && is_time("birthDate")
        );
        assert!(!is_time("at_home") && !is_time("expert"));
    }
}
