//! JSON Web Keys as they are written (RFC 7517): nothing about them is checked here.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A JSON Web Key (RFC 7517 section 4), read or to be written; [`PublicKey`](super::PublicKey) is
/// the checked form.
///
/// Of RSA, elliptic curve and Edwards curve keys only the public members are kept. `Debug` shows
/// the type and the names, never the key. With the feature `jsonwebtoken` it converts to and from
/// that crate's type.
///
/// ```
/// use tollgate::keys::Jwk;
///
/// let jwk: Jwk = serde_json::from_str(
///     r#"{"kty":"OKP","crv":"Ed25519","kid":"2026","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
/// )?;
/// assert_eq!((jwk.kid(), jwk.kty(), jwk.alg()), (Some("2026"), Some("OKP"), None));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwk {
    #[serde(rename = "use", default, skip_serializing_if = "Option::is_none")]
    pub(super) key_use: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) key_ops: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) alg: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) kid: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    x5u: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    x5c: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    x5t: Option<String>,
    #[serde(rename = "x5t#S256", default, skip_serializing_if = "Option::is_none")]
    x5t_s256: Option<String>,
    /// The issuer whose tokens the key signs, as Microsoft Entra writes it; other issuers may use
    /// the member for anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    issuer: Option<Value>,
    #[serde(flatten)]
    pub(super) parameters: KeyParameters,
}

/// The members that depend on the type of the key (RFC 7518 section 6, RFC 8037 section 2), in
/// base64url as they are written.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kty")]
pub(super) enum KeyParameters {
    #[serde(rename = "EC")]
    Ec { crv: String, x: String, y: String },
    #[serde(rename = "RSA")]
    Rsa { n: String, e: String },
    #[serde(rename = "OKP")]
    Okp { crv: String, x: String },
    #[serde(rename = "oct")]
    Oct { k: String },
    /// A key of another type, or without a member that its type needs.
    #[serde(untagged)]
    Other(BTreeMap<String, Value>),
}

impl Jwk {
    /// Returns a public key of these members, for verifying signatures.
    pub(super) fn for_signatures(
        alg: &'static str,
        kid: Option<&str>,
        parameters: KeyParameters,
    ) -> Self {
        Self {
            key_use: Some(SIGNATURE.to_owned()),
            key_ops: None,
            alg: Some(alg.to_owned()),
            kid: kid.map(str::to_owned),
            x5u: None,
            x5c: None,
            x5t: None,
            x5t_s256: None,
            issuer: None,
            parameters,
        }
    }

    /// Returns whether `use` and `key_ops` allow verifying signatures (RFC 7517 sections 4.2 and
    /// 4.3).
    pub(super) fn is_for_signatures(&self) -> bool {
        let has_verify = |ops: &Vec<String>| ops.iter().any(|op| op == VERIFY);
        self.key_use
            .as_deref()
            .is_none_or(|usage| usage == SIGNATURE)
            && self.key_ops.as_ref().is_none_or(has_verify)
    }

    /// Returns the key's id, if it has one.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// Returns the algorithm that the key names, if it names one.
    #[must_use]
    pub fn alg(&self) -> Option<&str> {
        self.alg.as_deref()
    }

    /// Returns the issuer that the key names, if it names one. It is empty if the member is
    /// not text, which is no issuer's name.
    pub(super) fn issuer(&self) -> Option<&str> {
        let issuer = self.issuer.as_ref()?;
        Some(issuer.as_str().unwrap_or_default())
    }

    /// Returns the type of the key: `RSA`, `EC`, `OKP`, `oct`.
    #[must_use]
    pub fn kty(&self) -> Option<&str> {
        match &self.parameters {
            KeyParameters::Ec { .. } => Some("EC"),
            KeyParameters::Rsa { .. } => Some("RSA"),
            KeyParameters::Okp { .. } => Some("OKP"),
            KeyParameters::Oct { .. } => Some("oct"),
            KeyParameters::Other(members) => members.get("kty").and_then(Value::as_str),
        }
    }
}

impl fmt::Debug for Jwk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jwk")
            .field("kty", &self.kty())
            .field("alg", &self.alg)
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}

/// A JWK set (RFC 7517 section 5). With the feature `jsonwebtoken` it converts to and from that
/// crate's type.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct JwkSet {
    /// The keys, in their order.
    pub keys: Vec<Jwk>,
}

impl JwkSet {
    /// Returns the first key of this id, which is compared byte for byte.
    #[must_use]
    pub fn find(&self, kid: &str) -> Option<&Jwk> {
        self.keys.iter().find(|key| key.kid() == Some(kid))
    }
}

impl FromIterator<Jwk> for JwkSet {
    fn from_iter<T: IntoIterator<Item = Jwk>>(keys: T) -> Self {
        Self {
            keys: keys.into_iter().collect(),
        }
    }
}

/// `use` of keys for signatures (RFC 7517 section 4.2).
const SIGNATURE: &str = "sig";
/// The member of `key_ops` that verifying needs (RFC 7517 section 4.3).
const VERIFY: &str = "verify";

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_read_is_written_again() {
        let certificates =
            json!({"x5u": "https://a.example", "x5c": ["MII"], "x5t": "a", "x5t#S256": "b"});
        for mut jwk in [
            json!({"kty": "RSA", "n": "AQAB", "e": "AQAB", "alg": "RSA-OAEP", "use": "enc"}),
            json!({"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA", "kid": "k"}),
            json!({"kty": "OKP", "crv": "X25519", "x": "AA", "key_ops": ["verify", "other"]}),
            json!({"kty": "oct", "k": "AA"}),
            json!({"kty": "AKP", "pub": "AA", "seed": [1, {"a": null}]}),
            json!({"kty": "EC", "crv": "P-256", "x": "AA"}),
            json!({"kty": 5}),
            json!({}),
        ] {
            for members in [json!({}), certificates.clone()] {
                let members = members.as_object().unwrap().clone();
                jwk.as_object_mut().unwrap().extend(members);
                let read: Jwk = serde_json::from_value(jwk.clone()).unwrap();
                assert_eq!(serde_json::to_value(&read).unwrap(), jwk);
            }
        }
    }

    #[test]
    fn private_members_of_known_types_are_dropped_and_no_key_is_shown() {
        let jwk: Jwk = serde_json::from_value(
            json!({"kty": "OKP", "crv": "Ed25519", "x": "AA", "d": "secret"}),
        )
        .unwrap();
        assert!(!serde_json::to_string(&jwk).unwrap().contains("secret"));
        let jwk: Jwk = serde_json::from_value(json!({"kty": "oct", "k": "secret"})).unwrap();
        assert!(!format!("{jwk:?}").contains("secret"));
    }

    #[test]
    fn members_of_another_type_are_refused() {
        for jwk in [
            json!({"kty": "RSA", "n": "AA", "e": "AA", "alg": 5}),
            json!({"kty": "RSA", "n": "AA", "e": "AA", "kid": []}),
            json!({"kty": "RSA", "n": "AA", "e": "AA", "key_ops": "verify"}),
            json!({"kty": "RSA", "n": "AA", "e": "AA", "x5c": "MII"}),
            json!([]),
            json!("RSA"),
        ] {
            assert!(serde_json::from_value::<Jwk>(jwk.clone()).is_err(), "{jwk}");
        }
    }
}
