//! Names of keys: RFC 7638 thumbprints of public keys, check values of secret ones.

use base64_simd::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::secret::sha256;

/// Returns the RFC 7638 thumbprint of a JWK whose required members are given in lexicographic order
/// (section 3.2). Names and values hold nothing that JSON would escape.
pub(crate) fn thumbprint(members: &[(&str, &str)]) -> String {
    let mut json = String::from("{");
    for (i, (name, value)) in members.iter().enumerate() {
        let comma = if i == 0 { "" } else { "," };
        json.extend([comma, "\"", name, "\":\"", value, "\""]);
    }
    json.push('}');
    URL_SAFE_NO_PAD.encode_to_string(sha256(json.as_bytes()))
}

/// Returns the name of a secret key, which its tokens show to everyone.
///
/// It is not the thumbprint of RFC 7638: that is a plain hash of the key, with which a weak secret
/// can be guessed offline faster than with a token's MAC. With this name a guess costs at least as
/// much as with the MAC of a token.
pub(crate) fn secret_name(key: &[u8], label: &str) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(label.as_bytes());
    let digest = sha256(&mac.finalize().into_bytes());
    Some(URL_SAFE_NO_PAD.encode_to_string(digest.get(..16)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// R35.
    #[test]
    fn rfc_7638_section_3_1_holds() {
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        let print = thumbprint(&[("e", "AQAB"), ("kty", "RSA"), ("n", n)]);
        assert_eq!(print, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    }

    /// R35.
    #[test]
    fn rfc_8037_appendix_a_3_holds() {
        let print = thumbprint(&[
            ("crv", "Ed25519"),
            ("kty", "OKP"),
            ("x", "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"),
        ]);
        assert_eq!(print, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }

    #[test]
    fn the_name_of_a_secret_is_not_its_thumbprint() {
        let key = [7; 32];
        let name = secret_name(&key, "tollgate/kid/1").unwrap();
        assert_eq!(name.len(), 22);
        let oct = thumbprint(&[
            ("k", &URL_SAFE_NO_PAD.encode_to_string(key)),
            ("kty", "oct"),
        ]);
        assert!(
            !oct.starts_with(&name)
                && !URL_SAFE_NO_PAD
                    .encode_to_string(sha256(&key))
                    .starts_with(&name)
        );
        assert_ne!(secret_name(&key, "tollgate/check/1").unwrap(), name);
    }
}
