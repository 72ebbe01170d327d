//! Public keys, of this gate and of others: parsed once, checked, and each for one algorithm.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::rsa::PublicKey as RsaDer;
use base64_simd::URL_SAFE_NO_PAD;
use jsonwebtoken::DecodingKey;

use super::form::public_block;
use super::point::Point;
use super::problem::KeyProblem;
use super::thumbprint::thumbprint;
use crate::keys::algorithm::{Algorithm, AlgorithmFamily};
use crate::keys::jwk::{Jwk, KeyParameters};

/// A key that verifies signatures of one algorithm (RFC 8725 section 3.1).
///
/// It is parsed and checked when it is made, from a JWK, a PEM text or a set; verifying does not
/// parse it again. Cheap to clone.
///
/// ```
/// use tollgate::keys::{Algorithm, PublicKey};
///
/// let jwk = r#"{"kty":"OKP","crv":"Ed25519","kid":"2026","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
/// let key = PublicKey::from_jwk(&serde_json::from_str(jwk)?, &[Algorithm::EdDSA, Algorithm::RS256])?;
/// assert_eq!((key.kid(), key.algorithm()), (Some("2026"), Algorithm::EdDSA));
/// assert!(!key.verify(b"message", b"no signature"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// To verify the token of another issuer: split it at its dots; read `alg` and `kid` of its header;
/// find the key of that `kid` in the issuer's [`PublicKeySet`](crate::keys::PublicKeySet); refuse
/// the token where the header's `alg` is not exactly [`algorithm`](Self::algorithm); then
/// [`verify`](Self::verify) the decoded signature over the bytes before the second dot.
#[derive(Clone)]
pub struct PublicKey {
    kid: Option<Arc<str>>,
    issuer: Option<Arc<str>>,
    algorithm: Algorithm,
    point: Arc<Point>,
}

impl PublicKey {
    /// Reads a public JWK (RFC 7517). The algorithm is that of its `alg`, which must be allowed;
    /// `Ed25519` (RFC 9864) means `EdDSA`. Without `alg` it is the one allowed algorithm that fits
    /// the key, never the one that a token names (R21).
    ///
    /// # Errors
    /// See [`KeyProblem`]. No key makes it panic.
    pub fn from_jwk(jwk: &Jwk, allowed: &[Algorithm]) -> Result<Self, KeyProblem> {
        if !jwk.is_for_signatures() {
            return Err(KeyProblem::NotForSignatures);
        }
        let parameters = &jwk.parameters;
        let fits = |algorithm: Algorithm| match parameters {
            KeyParameters::Rsa { .. } => algorithm.family() == AlgorithmFamily::Rsa,
            KeyParameters::Ec { crv, .. } => {
                algorithm.family() == AlgorithmFamily::Ec && algorithm.curve() == Some(crv)
            }
            KeyParameters::Okp { crv, .. } => {
                algorithm.family() == AlgorithmFamily::Ed && algorithm.curve() == Some(crv)
            }
            KeyParameters::Oct { .. } | KeyParameters::Other(_) => false,
        };
        if matches!(parameters, KeyParameters::Oct { .. }) {
            return Err(KeyProblem::Private);
        }
        let mut candidates = Algorithm::ALL
            .iter()
            .copied()
            .filter(|algorithm| allowed.contains(algorithm) && fits(*algorithm));
        let algorithm = match jwk.alg() {
            Some(named) => candidates.find(|algorithm| algorithm.is_named(named)),
            None => candidates.next(),
        };
        let algorithm = algorithm.ok_or(KeyProblem::Unsupported)?;
        if jwk.alg().is_none() && candidates.next().is_some() {
            return Err(KeyProblem::Ambiguous);
        }
        let len = algorithm.coordinate_len();
        let point = match parameters {
            KeyParameters::Rsa { n, e } => Point::rsa(algorithm, &number(n)?, &number(e)?)?,
            KeyParameters::Ec { x, y, .. } => Point::curve(
                algorithm,
                &[&[4], &*coordinate(x, len)?, &*coordinate(y, len)?].concat(),
            )?,
            KeyParameters::Okp { x, .. } => Point::ed25519(&coordinate(x, len)?)?,
            KeyParameters::Oct { .. } | KeyParameters::Other(_) => {
                return Err(KeyProblem::Unsupported);
            }
        };
        Ok(Self {
            kid: jwk.kid().map(Arc::from),
            issuer: jwk.issuer().map(Arc::from),
            algorithm,
            point: Arc::new(point),
        })
    }

    /// Reads a public key or a certificate in PEM form (RFC 7468): `PUBLIC KEY`, `RSA PUBLIC KEY`,
    /// or `CERTIFICATE`. Of a certificate only the key is used: its dates and its issuer are not
    /// checked. The key has no `kid` until [`with_kid`](Self::with_kid) gives it one.
    ///
    /// # Errors
    /// See [`KeyProblem`].
    pub fn from_pem(pem: &[u8], algorithm: Algorithm) -> Result<Self, KeyProblem> {
        let read = match algorithm.family() {
            AlgorithmFamily::Rsa => DecodingKey::from_rsa_pem,
            AlgorithmFamily::Ec => DecodingKey::from_ec_pem,
            AlgorithmFamily::Ed => DecodingKey::from_ed_pem,
            AlgorithmFamily::Hmac => return Err(KeyProblem::Unsupported),
        };
        let block = public_block(pem)?;
        let key = read(block.text().as_bytes()).map_err(|_| KeyProblem::Malformed)?;
        Self::from_bytes(
            algorithm,
            key.try_get_as_bytes().map_err(|_| KeyProblem::Malformed)?,
        )
    }

    /// Returns the same key with this `kid`.
    #[must_use]
    pub fn with_kid(self, kid: impl Into<Arc<str>>) -> Self {
        Self {
            kid: Some(kid.into()),
            ..self
        }
    }

    /// Returns the key's id, if it has one: opaque, and compared byte for byte (R34).
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// Returns the issuer that the key's JWK names in its member `issuer`, as the keys of Microsoft
    /// Entra do.
    pub(crate) fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// Returns the one algorithm of this key.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Verifies a signature over the message. ECDSA signatures are `r‖s` of fixed length (RFC 7518
    /// section 3.4); Ed25519 is strict: small-order `R` and non-canonical encodings are refused.
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match &*self.point {
            Point::Ed25519(key) => key.verify(message, signature),
            Point::Curve { parsed, .. } | Point::Rsa { parsed, .. } => {
                signature.len() == self.signature_len()
                    && parsed.verify_sig(message, signature).is_ok()
            }
        }
    }

    /// Returns how many bytes a signature has.
    #[must_use]
    pub fn signature_len(&self) -> usize {
        match &*self.point {
            Point::Ed25519(_) => 64,
            Point::Curve { bytes, .. } => bytes.len() - 1,
            Point::Rsa { modulus, .. } => modulus.len(),
        }
    }

    /// Returns the key as a JWK, with `use`, `alg` and, if it has one, `kid`. It has no private
    /// member.
    #[must_use]
    pub fn jwk(&self) -> Jwk {
        Jwk::for_signatures(self.algorithm.as_str(), self.kid(), self.parameters())
    }

    /// Returns the RFC 7638 thumbprint: SHA-256 over the required members, base64url.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        match self.parameters() {
            KeyParameters::Rsa { n, e } => thumbprint(&[("e", &e), ("kty", "RSA"), ("n", &n)]),
            KeyParameters::Ec { crv, x, y } => {
                thumbprint(&[("crv", &crv), ("kty", "EC"), ("x", &x), ("y", &y)])
            }
            KeyParameters::Okp { crv, x } => {
                thumbprint(&[("crv", &crv), ("kty", "OKP"), ("x", &x)])
            }
            KeyParameters::Oct { .. } | KeyParameters::Other(_) => String::new(),
        }
    }

    /// Reads the public bytes of a key pair: 32 bytes, a point, or an RSA key in DER (RFC 8017
    /// appendix A.1.1).
    pub(in crate::keys) fn from_bytes(
        algorithm: Algorithm,
        bytes: &[u8],
    ) -> Result<Self, KeyProblem> {
        let point = match algorithm.family() {
            AlgorithmFamily::Ed => Point::ed25519(bytes)?,
            AlgorithmFamily::Ec => Point::curve(algorithm, bytes)?,
            AlgorithmFamily::Rsa => {
                let key = RsaDer::from_der(bytes).map_err(|_| KeyProblem::Malformed)?;
                let part = |number: aws_lc_rs::io::Positive<'_>| {
                    number.big_endian_without_leading_zero().to_vec()
                };
                Point::rsa(algorithm, &part(key.modulus()), &part(key.exponent()))?
            }
            AlgorithmFamily::Hmac => return Err(KeyProblem::Unsupported),
        };
        Ok(Self {
            kid: None,
            issuer: None,
            algorithm,
            point: Arc::new(point),
        })
    }

    /// Returns whether both have the same numbers, whatever their names and algorithms are.
    pub(in crate::keys) fn is_same_key(&self, other: &Self) -> bool {
        match (&*self.point, &*other.point) {
            (Point::Ed25519(a), Point::Ed25519(b)) => a.bytes() == b.bytes(),
            (Point::Curve { bytes: a, .. }, Point::Curve { bytes: b, .. })
            | (Point::Rsa { modulus: a, .. }, Point::Rsa { modulus: b, .. }) => a == b,
            _ => false,
        }
    }

    fn parameters(&self) -> KeyParameters {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode_to_string(bytes);
        let crv = || self.algorithm.curve().unwrap_or_default().to_owned();
        match &*self.point {
            Point::Ed25519(key) => KeyParameters::Okp {
                crv: crv(),
                x: text(key.bytes()),
            },
            Point::Curve { bytes, .. } => {
                let (x, y) = bytes.get(1..).unwrap_or_default().split_at(bytes.len() / 2);
                KeyParameters::Ec {
                    crv: crv(),
                    x: text(x),
                    y: text(y),
                }
            }
            Point::Rsa {
                modulus, exponent, ..
            } => KeyParameters::Rsa {
                n: text(modulus),
                e: text(exponent),
            },
        }
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({:?}, {:?})", self.kid, self.algorithm)
    }
}

/// Decodes a number of a JWK, without its leading zeros, which are forbidden but often there (RFC
/// 7518 section 6.3.1.1).
fn number(text: &str) -> Result<Vec<u8>, KeyProblem> {
    let bytes = URL_SAFE_NO_PAD
        .decode_to_vec(text)
        .map_err(|_| KeyProblem::Malformed)?;
    Ok(bytes.into_iter().skip_while(|byte| *byte == 0).collect())
}

/// Decodes a coordinate of a JWK, which is exactly as long as the curve's field (RFC 7518 section
/// 6.2.1.2).
fn coordinate(text: &str, len: usize) -> Result<Vec<u8>, KeyProblem> {
    URL_SAFE_NO_PAD
        .decode_to_vec(text)
        .ok()
        .filter(|bytes| bytes.len() == len)
        .ok_or(KeyProblem::Malformed)
}

#[cfg(test)]
mod tests;
