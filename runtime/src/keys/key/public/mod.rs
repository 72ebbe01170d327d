//! Public keys, of ours and of others: parsed once, checked, and each for one algorithm.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::rsa::{PublicKey as RsaDer, PublicKeyComponents};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, VerificationAlgorithm,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{
    AlgorithmParameters, CommonParameters, EllipticCurve, EllipticCurveKeyParameters,
    EllipticCurveKeyType, Jwk, KeyOperations, OctetKeyPairParameters, OctetKeyPairType,
    PublicKeyUse, RSAKeyParameters, RSAKeyType,
};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey};

use super::ed25519::Ed25519Public;
use super::rsa;
use super::thumbprint::thumbprint;

/// A key that verifies signatures, with the one algorithm that it is good for (RFC 8725 section
/// 3.1).
///
/// It is parsed and checked when it is made, from a JWK, a PEM text or a set; verifying parses
/// nothing again. Cheap to clone.
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
/// A token of somebody else's is verified so: split it at its dots; read `alg` and `kid` of its
/// header; find the key of that `kid` in the issuer's [`PublicKeySet`](crate::keys::PublicKeySet); refuse
/// where the header's `alg` is not [`algorithm`](Self::algorithm), to the letter; then
/// [`verify`](Self::verify) the bytes before the second dot by the decoded signature.
#[derive(Clone)]
pub struct PublicKey {
    kid: Option<Arc<str>>,
    algorithm: Algorithm,
    point: Arc<Point>,
}

/// The numbers that a public key consists of, ready to use.
enum Point {
    Ed25519(Ed25519Public),
    /// An uncompressed point (SEC 1 section 2.3.3), which was found to be on its curve.
    Curve {
        parsed: ParsedPublicKey,
        bytes: Box<[u8]>,
    },
    /// Modulus and exponent, big-endian without leading zeros.
    Rsa {
        parsed: ParsedPublicKey,
        modulus: Box<[u8]>,
        exponent: Box<[u8]>,
    },
}

/// Why a key cannot be used. In a set the key is left out and the others serve (RFC 7517 section
/// 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyProblem {
    /// Its type, curve or algorithm is none that is known here, or none that is allowed.
    Unsupported,
    /// It names no algorithm, and several that are allowed would fit.
    Ambiguous,
    /// It is for something else than verifying signatures: `use` or `key_ops` says so (RFC 7517
    /// sections 4.2 and 4.3).
    NotForSignatures,
    /// It is a private or secret key, which does not belong among public ones.
    Private,
    /// A member is missing or of a wrong form, or the point is not on its curve, or of small order.
    Malformed,
    /// An RSA modulus of so many bits: 2048 to 8192 are needed.
    RsaSize(usize),
    /// An RSA exponent that is even, less than 3, or has more than 32 bits.
    RsaExponent,
    /// An RSA modulus of the generator whose keys can be factored (ROCA, CVE-2017-15361).
    Roca,
    /// The same key stands in the set already, for another algorithm.
    SecondAlgorithm,
}

impl fmt::Display for KeyProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsupported => {
                f.write_str("the key's type, curve or algorithm is not one that is allowed")
            }
            Self::Ambiguous => {
                f.write_str("the key names no `alg`, and several of the allowed ones would fit")
            }
            Self::NotForSignatures => f.write_str(
                "the key's `use` or `key_ops` is not that of a key which verifies signatures",
            ),
            Self::Private => f.write_str("the key is a private one"),
            Self::Malformed => f.write_str("the key is malformed, or no point of its curve"),
            Self::RsaSize(bits) => {
                write!(f, "the RSA key has {bits} bits: 2048 to 8192 are needed")
            }
            Self::RsaExponent => f.write_str(
                "the RSA key has a weak exponent: an odd one of at least 3 and at most 32 bits is \
                 needed",
            ),
            Self::Roca => {
                f.write_str("the RSA key was made by a broken generator (ROCA): make another one")
            }
            Self::SecondAlgorithm => f.write_str(
                "the key is there already, for another algorithm: one key, one algorithm",
            ),
        }
    }
}

impl std::error::Error for KeyProblem {}

impl PublicKey {
    /// Reads a public JWK (RFC 7517). The algorithm is that of its `alg`, which must be allowed;
    /// without one it is the one allowed algorithm that fits the key, never what a token says
    /// (R21).
    ///
    /// # Errors
    /// See [`KeyProblem`]; none of them is a panic, whatever the key says.
    pub fn from_jwk(jwk: &Jwk, allowed: &[Algorithm]) -> Result<Self, KeyProblem> {
        let Jwk {
            common,
            algorithm: parameters,
        } = jwk;
        let for_signatures = common
            .public_key_use
            .as_ref()
            .is_none_or(|of| *of == PublicKeyUse::Signature)
            && common
                .key_operations
                .as_ref()
                .is_none_or(|operations| operations.contains(&KeyOperations::Verify));
        if !for_signatures {
            return Err(KeyProblem::NotForSignatures);
        }
        let fitting: &[Algorithm] = match parameters {
            AlgorithmParameters::RSA(_) => RSA,
            AlgorithmParameters::EllipticCurve(EllipticCurveKeyParameters {
                curve: EllipticCurve::P256,
                ..
            }) => &[Algorithm::ES256],
            AlgorithmParameters::EllipticCurve(EllipticCurveKeyParameters {
                curve: EllipticCurve::P384,
                ..
            }) => &[Algorithm::ES384],
            AlgorithmParameters::OctetKeyPair(OctetKeyPairParameters {
                curve: EllipticCurve::Ed25519,
                ..
            }) => &[Algorithm::EdDSA],
            AlgorithmParameters::OctetKey(_) => return Err(KeyProblem::Private),
            _ => return Err(KeyProblem::Unsupported),
        };
        let mut candidates = fitting
            .iter()
            .copied()
            .filter(|algorithm| allowed.contains(algorithm));
        let algorithm = match common.key_algorithm {
            Some(named) => candidates.find(|algorithm| {
                Algorithm::try_from(named).is_ok_and(|named| named == *algorithm)
            }),
            None => candidates.next(),
        };
        let algorithm = algorithm.ok_or(KeyProblem::Unsupported)?;
        if common.key_algorithm.is_none() && candidates.next().is_some() {
            return Err(KeyProblem::Ambiguous);
        }
        let point = match parameters {
            AlgorithmParameters::RSA(key) => {
                Point::rsa(algorithm, &number(&key.n)?, &number(&key.e)?)?
            }
            AlgorithmParameters::EllipticCurve(key) => {
                let len = if algorithm == Algorithm::ES256 {
                    32
                } else {
                    48
                };
                Point::curve(
                    algorithm,
                    &[&[4], &*coordinate(&key.x, len)?, &*coordinate(&key.y, len)?].concat(),
                )?
            }
            AlgorithmParameters::OctetKeyPair(key) => Point::ed25519(&coordinate(&key.x, 32)?)?,
            _ => return Err(KeyProblem::Unsupported),
        };
        Ok(Self {
            kid: common.key_id.as_deref().map(Arc::from),
            algorithm,
            point: Arc::new(point),
        })
    }

    /// Reads a public key or a certificate in PEM form (RFC 7468): `PUBLIC KEY`, `RSA PUBLIC KEY`,
    /// or `CERTIFICATE`, of which only the key is taken: neither its dates nor its issuer are
    /// looked at. The key has no `kid` until [`with_kid`](Self::with_kid) gives it one.
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
        if pem.windows(PRIVATE.len()).any(|window| window == PRIVATE) {
            return Err(KeyProblem::Private);
        }
        let key = read(pem).map_err(|_| KeyProblem::Malformed)?;
        Self::from_bytes(
            algorithm,
            key.try_get_as_bytes().map_err(|_| KeyProblem::Malformed)?,
        )
    }

    /// The same key by this `kid`.
    #[must_use]
    pub fn with_kid(self, kid: impl Into<Arc<str>>) -> Self {
        Self {
            kid: Some(kid.into()),
            ..self
        }
    }

    /// The key's id, where it has one: opaque, and compared byte for byte (R34).
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The one algorithm of this key.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Whether the signature over the message is this key's. ECDSA signatures are `r‖s` of fixed
    /// length (RFC 7518 section 3.4); Ed25519 is strict: small-order `R` and non-canonical
    /// encodings are refused.
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

    /// How many bytes a signature has.
    #[must_use]
    pub fn signature_len(&self) -> usize {
        match &*self.point {
            Point::Ed25519(_) => 64,
            Point::Curve { bytes, .. } => bytes.len() - 1,
            Point::Rsa { modulus, .. } => modulus.len(),
        }
    }

    /// The key as a JWK, with `use`, `alg` and, where it has one, `kid`. It has no private member,
    /// for there is none in here.
    #[must_use]
    pub fn jwk(&self) -> Jwk {
        let common = CommonParameters {
            public_key_use: Some(PublicKeyUse::Signature),
            key_algorithm: Some(self.algorithm.into()),
            key_id: self.kid.as_deref().map(str::to_owned),
            ..CommonParameters::default()
        };
        Jwk {
            common,
            algorithm: self.parameters(),
        }
    }

    /// The RFC 7638 thumbprint: SHA-256 over the required members, base64url.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        match self.parameters() {
            AlgorithmParameters::RSA(key) => {
                thumbprint(&[("e", &key.e), ("kty", "RSA"), ("n", &key.n)])
            }
            AlgorithmParameters::EllipticCurve(key) => {
                let curve = if self.algorithm == Algorithm::ES256 {
                    "P-256"
                } else {
                    "P-384"
                };
                thumbprint(&[("crv", curve), ("kty", "EC"), ("x", &key.x), ("y", &key.y)])
            }
            AlgorithmParameters::OctetKeyPair(key) => {
                thumbprint(&[("crv", "Ed25519"), ("kty", "OKP"), ("x", &key.x)])
            }
            _ => String::new(),
        }
    }

    /// Reads what a key pair gives out: 32 bytes, a point, or an RSA key in DER (RFC 8017 appendix
    /// A.1.1).
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
            algorithm,
            point: Arc::new(point),
        })
    }

    /// Whether both are the same numbers, whatever they are called and used for.
    pub(in crate::keys) fn is_same_key(&self, other: &Self) -> bool {
        match (&*self.point, &*other.point) {
            (Point::Ed25519(a), Point::Ed25519(b)) => a.bytes() == b.bytes(),
            (Point::Curve { bytes: a, .. }, Point::Curve { bytes: b, .. })
            | (Point::Rsa { modulus: a, .. }, Point::Rsa { modulus: b, .. }) => a == b,
            _ => false,
        }
    }

    fn parameters(&self) -> AlgorithmParameters {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match &*self.point {
            Point::Ed25519(key) => AlgorithmParameters::OctetKeyPair(OctetKeyPairParameters {
                key_type: OctetKeyPairType::OctetKeyPair,
                curve: EllipticCurve::Ed25519,
                x: text(key.bytes()),
            }),
            Point::Curve { bytes, .. } => {
                let (x, y) = bytes.get(1..).unwrap_or_default().split_at(bytes.len() / 2);
                AlgorithmParameters::EllipticCurve(EllipticCurveKeyParameters {
                    key_type: EllipticCurveKeyType::EC,
                    curve: if self.algorithm == Algorithm::ES256 {
                        EllipticCurve::P256
                    } else {
                        EllipticCurve::P384
                    },
                    x: text(x),
                    y: text(y),
                })
            }
            Point::Rsa {
                modulus, exponent, ..
            } => AlgorithmParameters::RSA(RSAKeyParameters {
                key_type: RSAKeyType::RSA,
                n: text(modulus),
                e: text(exponent),
            }),
        }
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({:?}, {:?})", self.kid, self.algorithm)
    }
}

impl Point {
    fn ed25519(bytes: &[u8]) -> Result<Self, KeyProblem> {
        Ed25519Public::new(bytes)
            .map(Self::Ed25519)
            .ok_or(KeyProblem::Malformed)
    }

    /// An uncompressed point, and nothing else that the parser would take too.
    fn curve(algorithm: Algorithm, bytes: &[u8]) -> Result<Self, KeyProblem> {
        let len = if algorithm == Algorithm::ES256 {
            65
        } else {
            97
        };
        if bytes.len() != len || bytes.first() != Some(&4) {
            return Err(KeyProblem::Malformed);
        }
        // Whether it is on the curve is found out here (R29).
        let parsed = ParsedPublicKey::new(verification(algorithm)?, bytes)
            .map_err(|_| KeyProblem::Malformed)?;
        Ok(Self::Curve {
            parsed,
            bytes: bytes.into(),
        })
    }

    fn rsa(algorithm: Algorithm, modulus: &[u8], exponent: &[u8]) -> Result<Self, KeyProblem> {
        rsa::check(modulus, exponent)?;
        // By way of DER, for only that way looks at the key as a whole.
        let der: PublicKeyX509Der<'_> = PublicKeyComponents {
            n: modulus,
            e: exponent,
        }
        .as_der()
        .map_err(|_| KeyProblem::Malformed)?;
        let parsed = ParsedPublicKey::new(verification(algorithm)?, der.as_ref())
            .map_err(|_| KeyProblem::Malformed)?;
        Ok(Self::Rsa {
            parsed,
            modulus: modulus.into(),
            exponent: exponent.into(),
        })
    }
}

fn verification(algorithm: Algorithm) -> Result<&'static dyn VerificationAlgorithm, KeyProblem> {
    Ok(match algorithm {
        Algorithm::ES256 => &ECDSA_P256_SHA256_FIXED,
        Algorithm::ES384 => &ECDSA_P384_SHA384_FIXED,
        Algorithm::RS256 => &RSA_PKCS1_2048_8192_SHA256,
        Algorithm::RS384 => &RSA_PKCS1_2048_8192_SHA384,
        Algorithm::RS512 => &RSA_PKCS1_2048_8192_SHA512,
        Algorithm::PS256 => &RSA_PSS_2048_8192_SHA256,
        Algorithm::PS384 => &RSA_PSS_2048_8192_SHA384,
        Algorithm::PS512 => &RSA_PSS_2048_8192_SHA512,
        _ => return Err(KeyProblem::Unsupported),
    })
}

/// A number of a JWK. Leading zeros should not be there and often are (RFC 7518 section 6.3.1.1).
fn number(text: &str) -> Result<Vec<u8>, KeyProblem> {
    let bytes = URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| KeyProblem::Malformed)?;
    Ok(bytes.into_iter().skip_while(|byte| *byte == 0).collect())
}

/// A coordinate of a JWK: exactly as long as the curve's field (RFC 7518 section 6.2.1.2).
fn coordinate(text: &str, len: usize) -> Result<Vec<u8>, KeyProblem> {
    URL_SAFE_NO_PAD
        .decode(text)
        .ok()
        .filter(|bytes| bytes.len() == len)
        .ok_or(KeyProblem::Malformed)
}

const RSA: &[Algorithm] = &[
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
];
const PRIVATE: &[u8] = b"PRIVATE KEY";

#[cfg(test)]
mod tests;
