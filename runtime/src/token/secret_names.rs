//! Names that look like a secret. The page of `JwtClaims` lists the words.
//!
//! The macros look at the fields of the user's struct, the gate at those of the structs inside of
//! its claims: each has this file, and a test of the repository holds the two equal.

/// Words of a name that hint at a secret. A word that holds `_` is one that may also be written
/// together.
const SECRET: [&str; 130] = [
    "password",
    "pass_word",
    "passwd",
    "passphrase",
    "pass_phrase",
    "passcode",
    "pass_code",
    "pass",
    "pw",
    "pwd",
    "secret",
    "hash",
    "pw_hash",
    "password_hash",
    "pass_hash",
    "pwd_hash",
    "hashed",
    "digest",
    "argon2",
    "argon2id",
    "bcrypt",
    "scrypt",
    "pbkdf2",
    "salt",
    "pepper",
    "token",
    "access_token",
    "refresh_token",
    "id_token",
    "auth_token",
    "api_token",
    "csrf",
    "xsrf",
    "jwt",
    "bearer",
    "cookie",
    "session_id",
    "authorization",
    "client_assertion",
    "magic_link",
    "magic_url",
    "reset_link",
    "reset_url",
    "login_link",
    "signin_link",
    "activation_link",
    "verification_link",
    "confirmation_link",
    "connection_string",
    "session_key",
    "api_key",
    "private_key",
    "priv_key",
    "secret_key",
    "signing_key",
    "sign_key",
    "encryption_key",
    "access_key",
    "master_key",
    "ssh_key",
    "pgp_key",
    "auth_key",
    "pass_key",
    "app_key",
    "client_key",
    "user_key",
    "server_key",
    "service_key",
    "host_key",
    "account_key",
    "storage_key",
    "device_key",
    "key_pair",
    "key_store",
    "private_jwk",
    "pem",
    "pfx",
    "pkcs12",
    "code_verifier",
    "srp_verifier",
    "credential",
    "cred",
    "otp",
    "totp",
    "hotp",
    "mfa_seed",
    "mfa_code",
    "seed",
    "mnemonic",
    "recovery_code",
    "backup_code",
    "recovery_phrase",
    "security_answer",
    "secret_answer",
    "pin",
    "pin_code",
    "otpauth",
    "verification_code",
    "verify_code",
    "confirmation_code",
    "activation_code",
    "reset_code",
    "unlock_code",
    "login_code",
    "signin_code",
    "sms_code",
    "email_code",
    "auth_code",
    "authorization_code",
    "authentication_code",
    "access_code",
    "security_code",
    "device_code",
    "pairing_code",
    "one_time_code",
    "scratch_code",
    "emergency_code",
    "seed_phrase",
    "puk",
    "cvv",
    "cvc",
    "cvv2",
    "iban",
    "card_number",
    "credit_card",
    "account_number",
    "ssn",
    "social_security",
    "tax_id",
    "passport_number",
];

/// Words that hint at a secret also at the end of a longer word, as in `clientsecret`.
const ENDS: [&str; 19] = [
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "pwd",
    "pw",
    "secret",
    "token",
    "credential",
    "apikey",
    "privatekey",
    "privkey",
    "secretkey",
    "accesskey",
    "passwordhash",
    "otp",
    "jwt",
    "cookie",
    "keypair",
];

/// The word that hints at a secret also at the beginning of a longer word, as in `hashedpw`.
const BEGIN: &str = "hashed";

/// Words that make a name which ends in `key` harmless, such as `public_key`.
const HARMLESS_KEYS: [&str; 18] = [
    "avatar",
    "image",
    "photo",
    "content",
    "file",
    "object",
    "public",
    "primary",
    "foreign",
    "sort",
    "partition",
    "cache",
    "idempotency",
    "locale",
    "i18n",
    "group",
    "routing",
    "tenant",
];

/// Ends of names that tell about a secret without being one.
const HARMLESS: [&str; 63] = [
    "at",
    "on",
    "date",
    "time",
    "count",
    "total",
    "used",
    "left",
    "remaining",
    "balance",
    "quota",
    "usage",
    "version",
    "enabled",
    "disabled",
    "required",
    "allowed",
    "supported",
    "present",
    "changed",
    "updated",
    "rotated",
    "expires",
    "expired",
    "expiry",
    "expiration",
    "validity",
    "lifetime",
    "age",
    "length",
    "type",
    "types",
    "kind",
    "method",
    "methods",
    "mode",
    "status",
    "policy",
    "provider",
    "algorithm",
    "format",
    "name",
    "label",
    "hint",
    "verified",
    "confirmed",
    "level",
    "strength",
    "score",
    "generation",
    "epoch",
    "attempts",
    "retries",
    "failures",
    "rounds",
    "limit",
    "ttl",
    "seconds",
    "minutes",
    "hours",
    "days",
    "size",
    "bits",
];

/// Ends of names that are secrets themselves after a word in the plural, as in
/// `backup_codes_remaining`, unless the type is that of a number.
const SOME_OF_THEM: [&str; 7] = [
    "total",
    "used",
    "left",
    "remaining",
    "allowed",
    "supported",
    "present",
];

/// Beginnings of names that tell about a secret without being one.
const ASKING: [&str; 6] = ["has", "is", "needs", "requires", "uses", "must"];

/// Words that say only how something was changed or written, not what.
const OF_ANYTHING: [&str; 4] = ["hash", "hashed", "digest", "pem"];

/// Words beside these that name something which everybody may read.
const PUBLIC: [&str; 12] = [
    "avatar",
    "image",
    "photo",
    "content",
    "file",
    "commit",
    "git",
    "email",
    "etag",
    "cert",
    "certificate",
    "public",
];

/// Returns the word of a name that looks like a secret; its type may tell too little for one.
pub(crate) fn word(name: &str, exempt: Exempt) -> Option<&'static str> {
    let words = words(name);
    let (first, last) = (words.first()?.as_str(), words.last()?.as_str());
    let before = words.iter().rev().nth(1);
    let are_some = exempt == Exempt::Nothing
        && SOME_OF_THEM.contains(&last)
        && before.is_some_and(|word| word.ends_with('s'));
    let tells =
        words.len() > 1 && (HARMLESS.contains(&last) && !are_some || ASKING.contains(&first));
    if tells || exempt == Exempt::Flag {
        return None;
    }
    let found = SECRET.into_iter().find(|secret| {
        let secret: Vec<&str> = secret.split('_').collect();
        let is_run = words.windows(secret.len()).any(|run| {
            let (last, before) = (run.last(), run.split_last().map(|(_, before)| before));
            before.is_some_and(|before| before.iter().zip(&secret).all(|(word, part)| word == part))
                && last
                    .zip(secret.last())
                    .is_some_and(|(word, part)| same(word, part))
        });
        is_run || words.iter().any(|word| same(word, &secret.concat()))
    });
    let key = || {
        let at = words.iter().rposition(|word| same(word, "key"))?;
        let before = words.get(at.checked_sub(1)?)?;
        (at + 1 == words.len() && !HARMLESS_KEYS.contains(&before.as_str())).then_some("key")
    };
    let part = || {
        let end = |end: &&str| words.iter().any(|word| ends_with(word, end));
        let begin = words.iter().any(|word| word.starts_with(BEGIN));
        ENDS.into_iter().find(end).or(begin.then_some(BEGIN))
    };
    let found = found.or_else(key).or_else(part)?;
    let is_of_public = words.iter().any(|word| PUBLIC.contains(&word.as_str()));
    if is_of_public && OF_ANYTHING.contains(&found) {
        return None;
    }
    // A number may be a PIN, which is a secret, or a count, as `tokens: u64` is, which is not.
    let many = words
        .iter()
        .any(|word| word.ends_with('s') && ends_with(word, found));
    if exempt == Exempt::Number && many {
        return None;
    }
    let number = [
        "pin", "puk", "passcode", "otp", "totp", "hotp", "cvv", "cvc",
    ];
    let long = [
        "ssn",
        "social_security",
        "credit_card",
        "passport_number",
        "card_number",
        "account_number",
        "tax_id",
        "seed",
        "secret",
        "token",
    ];
    let is_number = number.contains(&found) || long.contains(&found) || found.ends_with("_code");
    (exempt == Exempt::Nothing || is_number).then_some(found)
}

/// Returns the words of a name in snake case or with humps, in lower case. Numbers belong to the
/// word before them, and `APIKey` is two words.
pub(crate) fn words(name: &str) -> Vec<String> {
    let letters: Vec<char> = name.chars().collect();
    let mut words = vec![String::new()];
    for (at, letter) in letters.iter().enumerate() {
        if !letter.is_alphanumeric() {
            words.push(String::new());
            continue;
        }
        let before = at.checked_sub(1).and_then(|at| letters.get(at));
        let after = letters.get(at + 1);
        let begins = letter.is_uppercase()
            && (before.is_some_and(|c| c.is_lowercase() || c.is_ascii_digit())
                || before.is_some_and(|c| c.is_uppercase())
                    && after.is_some_and(|c| c.is_lowercase()));
        if begins {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.extend(letter.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The degree to which a type rules out that its field holds a secret.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exempt {
    /// A `bool` says only that there is one, and a date when it was made.
    Flag,
    /// A number may count or stamp.
    Number,
    /// It may be the secret itself.
    Nothing,
}

/// Returns whether a word ends in this one, or in its plural.
fn ends_with(word: &str, end: &str) -> bool {
    let rest = word.rfind(end).and_then(|at| word.get(at..));
    rest.is_some_and(|rest| same(rest, end))
}

/// Returns whether a word is this one, or its plural.
fn same(word: &str, secret: &str) -> bool {
    word.strip_prefix(secret).is_some_and(|rest| {
        matches!(
            rest.trim_end_matches(|c: char| c.is_ascii_digit()),
            "" | "s" | "es"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(name: &str) -> Option<&'static str> {
        word(name, Exempt::Nothing)
    }

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
            "pass",
            "pw",
            "passcode",
            "apikey",
            "privkey",
            "mfa_seed",
            "recovery_codes",
            "security_answer",
            "session_key",
            "signing_key",
            "access_key",
            "bearer",
            "cookie",
            "digest",
            "argon2",
            "bcrypt",
            "pwhash",
            "passwordhash",
            "hashed_pw",
            "cvc",
            "iban",
            "card_number",
            "tax_id",
            "stripe_key",
            "sshKey",
            "clientsecret",
            "userpassword",
            "sessiontoken",
            "sessiontokens",
            "authkey",
            "hashedpw",
            "passkey",
            "stripeapikey",
            "smsotp2",
            "my_clientsecret",
            "git_token",
            "email_password",
            "email_otp",
            "file_encryption_key",
            "photo_password_hash",
            "verification_code",
            "sms_codes",
            "otpauth_url",
            "keypair",
            "ssh_key_pair",
            "rsakeypair",
            "privatePem",
            "code_verifier",
            "magicLink",
            "authorization",
            "client_assertion",
            "seed_phrase",
            "token_set",
            "password_set",
        ] {
            assert!(secret(name).is_some(), "{name}");
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
            "public_key",
            "avatar_key",
            "email_hash",
            "content_digest",
            "sort_key",
            "passenger",
            "compass",
            "keyboard",
            "seedling",
            "bearing",
            "cookies_policy_version",
            "monkey",
            "secretary",
            "passwordless",
            "tokenized",
            "cupcake",
            "rehashed",
            "country_code",
            "zip_code",
            "link",
            "verifier",
            "public_pem",
            "certificate_pem",
            "authorization_level",
        ] {
            assert_eq!(secret(name), None, "{name}");
        }
    }

    #[test]
    fn what_tells_about_a_secret_is_none() {
        for name in [
            "password_changed_at",
            "token_count",
            "otp_left",
            "pin_left",
            "token_version",
            "has_password",
            "otp_enabled",
            "avatar_hash",
            "password_expires",
            "is_pin_set",
            "token_balance",
            "password_changed",
            "otp_method",
            "cookie_name",
            "secret_rotated",
        ] {
            assert_eq!(secret(name), None, "{name}");
        }
        assert_eq!(secret("count_token"), Some("token"));
    }

    #[test]
    fn a_type_may_tell_too_little_for_a_secret() {
        assert_eq!(word("password", Exempt::Flag), None);
        assert_eq!(word("password_strikes", Exempt::Number), None);
        assert_eq!(word("pin", Exempt::Flag), None);
        assert_eq!(word("pin", Exempt::Number), Some("pin"));
        assert_eq!(word("token", Exempt::Number), Some("token"));
        assert_eq!(word("reset_token", Exempt::Number), Some("token"));
        assert_eq!(word("sms_code", Exempt::Number), Some("sms_code"));
        assert_eq!(word("authorization", Exempt::Number), None);
        assert_eq!(word("password_set", Exempt::Flag), None);
        assert_eq!(word("tokens", Exempt::Number), None);
        assert_eq!(word("tokens_this_month", Exempt::Number), None);
        assert_eq!(word("access_tokens", Exempt::Number), None);
        assert!(word("tokens", Exempt::Nothing).is_some());
        assert_eq!(word("tokens_used", Exempt::Number), None);
        assert!(word("tokens_used", Exempt::Nothing).is_some());
        assert!(word("backup_codes_remaining", Exempt::Nothing).is_some());
        assert!(word("api_keys_allowed", Exempt::Nothing).is_some());
        assert_eq!(word("password_allowed", Exempt::Nothing), None);
    }
}
