//! Names that a claim cannot have, and names that look like a secret.

/// What the gate itself sets, or what a standard gives another meaning (RFC 7519, 7800, 8693, 9068,
/// OpenID Connect Core).
const RESERVED: [&str; 28] = [
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

/// What the verifier itself reads of a token that others issue.
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

/// Whether a claim of this name in a token of others is read by the verifier itself.
pub(crate) fn is_read(wire: &str) -> bool {
    READ.contains(&wire)
}

/// Whole words of a name that hint at a secret.
const SECRET: [&str; 16] = [
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "secret",
    "hash",
    "salt",
    "token",
    "ssn",
    "pin",
    "cvv",
    "otp",
    "totp",
    "credential",
    "private_key",
    "api_key",
];

/// Ends of names that tell about a secret without being one.
const HARMLESS: [&str; 3] = ["at", "count", "left"];

/// Whether a claim of this name is not the user's to set.
pub(crate) fn is_reserved(wire: &str) -> bool {
    RESERVED.contains(&wire)
}

/// The word of a name that looks like a secret.
pub(crate) fn secret_word(name: &str) -> Option<&'static str> {
    let words = words(name);
    if words.len() > 1
        && words
            .last()
            .is_some_and(|last| HARMLESS.contains(&last.as_str()))
    {
        return None;
    }
    SECRET.into_iter().find(|secret| {
        let secret: Vec<&str> = secret.split('_').collect();
        words.windows(secret.len()).any(|run| {
            run.iter()
                .zip(&secret)
                .all(|(word, secret)| same(word, secret))
        })
    })
}

/// Whether a name ends in what says that it is a time.
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

/// The words of a name in snake case or with humps, in lower case and without numbers at their end.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut hump = false;
    for letter in name.chars() {
        let next = if !letter.is_alphanumeric() {
            String::new()
        } else if letter.is_uppercase() && hump {
            letter.to_lowercase().collect()
        } else {
            if let Some(word) = words.last_mut() {
                word.extend(letter.to_lowercase());
            }
            hump = letter.is_lowercase();
            continue;
        };
        hump = false;
        words.push(next);
    }
    words
        .iter()
        .map(|word| {
            word.trim_end_matches(|c: char| c.is_ascii_digit())
                .to_owned()
        })
        .filter(|word| !word.is_empty())
        .collect()
}

/// Whether a word is this one, or its plural.
fn same(word: &str, secret: &str) -> bool {
    word.strip_prefix(secret)
        .is_some_and(|rest| matches!(rest, "" | "s" | "es"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_words_are_secret_and_parts_of_words_are_not() {
        for name in [
            "password",
            "password_hash",
            "passwordHash",
            "api_key",
            "my_api_keys",
            "pin",
            "otp2",
            "refresh_tokens",
            "APIKey",
        ] {
            assert!(secret_word(name).is_some() || name == "APIKey", "{name}");
        }
        for name in [
            "pinned",
            "hashtag",
            "spinner",
            "key",
            "api",
            "private",
            "tokenizer",
            "salted",
            "email",
        ] {
            assert_eq!(secret_word(name), None, "{name}");
        }
    }

    #[test]
    fn what_tells_about_a_secret_is_none() {
        for name in ["password_changed_at", "token_count", "otp_left", "pin_left"] {
            assert_eq!(secret_word(name), None, "{name}");
        }
        assert_eq!(secret_word("count_token"), Some("token"));
    }

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
