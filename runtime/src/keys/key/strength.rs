//! The checks of a secret from a setting before it becomes a key.

use super::form::key_form;
use crate::error::{Error, ErrorKind};
use crate::secret::Secret;

/// Refuses a secret that is too short (RFC 7518 section 3.2), too regular, or a public key.
///
/// # Errors
/// Names the setting, never the secret.
pub(crate) fn check(name: &str, secret: &Secret, min_len: usize) -> Result<(), Error> {
    let bytes = secret.expose();
    let refuse = |what: String| Err(Error::new(ErrorKind::Keys, format!("{name} {what}")));
    if let Some(form) = key_form(bytes) {
        return refuse(format!(
            "is a key or certificate in {form} form, which others may know: use random bytes"
        ));
    }
    if bytes.len() < min_len {
        return refuse(format!(
            "has {} bytes: at least {min_len} are needed",
            bytes.len()
        ));
    }
    let mut seen = [false; 256];
    for byte in bytes {
        if let Some(seen) = seen.get_mut(usize::from(*byte)) {
            *seen = true;
        }
    }
    let distinct = seen.iter().filter(|seen| **seen).count();
    if distinct < MIN_DISTINCT {
        return refuse(format!(
            "has only {distinct} different bytes: at least {MIN_DISTINCT} are needed, so use \
             random bytes"
        ));
    }
    Ok(())
}

/// The least number of different bytes in a secret: typed texts and counters have fewer (R26).
const MIN_DISTINCT: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(bytes: &[u8]) -> String {
        check("`keys.secret`", &Secret::from_bytes(bytes.to_vec()), 32)
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn random_bytes_are_a_secret() {
        for _ in 0..2000 {
            check("x", &Secret::random(32).unwrap(), 32).unwrap();
        }
    }

    #[test]
    fn r25_short_and_empty_secrets_are_refused() {
        for len in [0, 1, 31] {
            assert!(
                refusal(&(0..len).collect::<Vec<u8>>()).contains("at least 32"),
                "{len}"
            );
        }
    }

    #[test]
    fn r26_a_secret_of_few_different_bytes_is_refused() {
        assert!(refusal(&[0; 64]).contains("only 1 different"));
        assert!(
            refusal(&(0..64).map(|i| i % 15).collect::<Vec<u8>>()).contains("only 15 different")
        );
        check(
            "x",
            &Secret::from_bytes((0..64).map(|i| i % 16).collect()),
            32,
        )
        .unwrap();
    }

    /// R20, with the encodings of CVE-2026-34950 and CVE-2026-48526.
    #[test]
    fn r20_a_public_key_is_never_a_secret() {
        let pem = "-----BEGIN PUBLIC \
                   KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\\
                   n-----END PUBLIC KEY-----\n";
        let jwk =
            r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
        let set = format!("{{\"keys\":[{jwk}]}}");
        let ssh = "ssh-ed25519 \
                   AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea me@host";
        let private = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmU=\n-----END \
                       OPENSSH PRIVATE KEY-----\n";
        let body = "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
        let der = base64_simd::STANDARD.decode_to_vec(body).unwrap();
        let digits = crate::secret::hex(&der);
        for (text, form) in [
            (pem, "PEM"),
            (jwk, "JWK"),
            (&set, "JWK"),
            (ssh, "OpenSSH"),
            (private, "OpenSSH"),
            ("b3BlbnNzaC1rZXktdjEAAAAABG5vbmU=", "OpenSSH"),
            (body, "DER"),
            (&digits, "DER"),
        ] {
            let expected = format!("in {form} form");
            let once = base64_simd::STANDARD.encode_to_string(text);
            let twice = base64_simd::URL_SAFE_NO_PAD.encode_to_string(&once);
            for disguised in [
                text.to_owned(),
                format!("\"{text}\""),
                text.replace('"', "\\\""),
                crate::secret::hex(text.as_bytes()),
                format!("base64:{once}"),
                once,
                twice,
                format!("  \r\n\t{text}"),
                format!("\u{feff}{text}"),
                text.replace('\n', "\r\n"),
                text.replace('\n', ""),
                format!("{text}\n\n"),
            ] {
                assert!(
                    refusal(disguised.as_bytes()).contains(&expected),
                    "{disguised}"
                );
            }
            let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            assert!(refusal(&utf16).contains(&expected), "UTF-16 of {text}");
        }
        assert!(refusal(&der).contains("in DER form"));
    }
}
