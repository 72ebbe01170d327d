//! Public keys, of ours and of others: parsed once, checked, and each for one algorithm.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::rsa::{PublicKey as RsaDer, PublicKeyComponents};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512,
    VerificationAlgorithm,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{
    AlgorithmParameters, CommonParameters, EllipticCurve, EllipticCurveKeyParameters, EllipticCurveKeyType, Jwk, KeyOperations,
    OctetKeyPairParameters, OctetKeyPairType, PublicKeyUse, RSAKeyParameters, RSAKeyType,
};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey};

use super::ed25519::Ed25519Public;
use super::rsa;
use super::thumbprint::thumbprint;

/// A key that verifies signatures, with the one algorithm that it is good for (RFC 8725 section 3.1).
///
/// It is parsed and checked when it is made, from a JWK, a PEM text or a set; verifying parses nothing again. Cheap to clone.
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
/// A token of somebody else's is verified so: split it at its dots; read `alg` and `kid` of its header; find the key of that
/// `kid` in the issuer's [`PublicKeySet`](super::PublicKeySet); refuse where the header's `alg` is not [`algorithm`](Self::algorithm), to the
/// letter; then [`verify`](Self::verify) the bytes before the second dot by the decoded signature.
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

/// Why a key cannot be used. In a set the key is left out and the others serve (RFC 7517 section 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyProblem {
    /// Its type, curve or algorithm is none that is known here, or none that is allowed.
    Unsupported,
    /// It names no algorithm, and several that are allowed would fit.
    Ambiguous,
    /// It is for something else than verifying signatures: `use` or `key_ops` says so (RFC 7517 sections 4.2 and 4.3).
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
            Self::Unsupported => f.write_str("the key's type, curve or algorithm is not one that is allowed"),
            Self::Ambiguous => f.write_str("the key names no `alg`, and several of the allowed ones would fit"),
            Self::NotForSignatures => f.write_str("the key's `use` or `key_ops` is not that of a key which verifies signatures"),
            Self::Private => f.write_str("the key is a private one"),
            Self::Malformed => f.write_str("the key is malformed, or no point of its curve"),
            Self::RsaSize(bits) => write!(f, "the RSA key has {bits} bits: 2048 to 8192 are needed"),
            Self::RsaExponent => {
                f.write_str("the RSA key has a weak exponent: an odd one of at least 3 and at most 32 bits is needed")
            }
            Self::Roca => f.write_str("the RSA key was made by a broken generator (ROCA): make another one"),
            Self::SecondAlgorithm => f.write_str("the key is there already, for another algorithm: one key, one algorithm"),
        }
    }
}

impl std::error::Error for KeyProblem {}

impl PublicKey {
    /// Reads a public JWK (RFC 7517). The algorithm is that of its `alg`, which must be allowed; without one it is the one
    /// allowed algorithm that fits the key, never what a token says (R21).
    ///
    /// # Errors
    /// See [`KeyProblem`]; none of them is a panic, whatever the key says.
    pub fn from_jwk(jwk: &Jwk, allowed: &[Algorithm]) -> Result<Self, KeyProblem> {
        let Jwk { common, algorithm: parameters } = jwk;
        let for_signatures = common.public_key_use.as_ref().is_none_or(|of| *of == PublicKeyUse::Signature)
            && common.key_operations.as_ref().is_none_or(|operations| operations.contains(&KeyOperations::Verify));
        if !for_signatures {
            return Err(KeyProblem::NotForSignatures);
        }
        let fitting: &[Algorithm] = match parameters {
            AlgorithmParameters::RSA(_) => RSA,
            AlgorithmParameters::EllipticCurve(EllipticCurveKeyParameters { curve: EllipticCurve::P256, .. }) => {
                &[Algorithm::ES256]
            }
            AlgorithmParameters::EllipticCurve(EllipticCurveKeyParameters { curve: EllipticCurve::P384, .. }) => {
                &[Algorithm::ES384]
            }
            AlgorithmParameters::OctetKeyPair(OctetKeyPairParameters { curve: EllipticCurve::Ed25519, .. }) => {
                &[Algorithm::EdDSA]
            }
            AlgorithmParameters::OctetKey(_) => return Err(KeyProblem::Private),
            _ => return Err(KeyProblem::Unsupported),
        };
        let mut candidates = fitting.iter().copied().filter(|algorithm| allowed.contains(algorithm));
        let algorithm = match common.key_algorithm {
            Some(named) => candidates.find(|algorithm| Algorithm::try_from(named).is_ok_and(|named| named == *algorithm)),
            None => candidates.next(),
        };
        let algorithm = algorithm.ok_or(KeyProblem::Unsupported)?;
        if common.key_algorithm.is_none() && candidates.next().is_some() {
            return Err(KeyProblem::Ambiguous);
        }
        let point = match parameters {
            AlgorithmParameters::RSA(key) => Point::rsa(algorithm, &number(&key.n)?, &number(&key.e)?)?,
            AlgorithmParameters::EllipticCurve(key) => {
                let len = if algorithm == Algorithm::ES256 { 32 } else { 48 };
                Point::curve(algorithm, &[&[4], &*coordinate(&key.x, len)?, &*coordinate(&key.y, len)?].concat())?
            }
            AlgorithmParameters::OctetKeyPair(key) => Point::ed25519(&coordinate(&key.x, 32)?)?,
            _ => return Err(KeyProblem::Unsupported),
        };
        Ok(Self { kid: common.key_id.as_deref().map(Arc::from), algorithm, point: Arc::new(point) })
    }

    /// Reads a public key or a certificate in PEM form (RFC 7468): `PUBLIC KEY`, `RSA PUBLIC KEY`, or `CERTIFICATE`, of which
    /// only the key is taken: neither its dates nor its issuer are looked at. The key has no `kid` until
    /// [`with_kid`](Self::with_kid) gives it one.
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
        Self::from_bytes(algorithm, key.try_get_as_bytes().map_err(|_| KeyProblem::Malformed)?)
    }

    /// The same key by this `kid`.
    #[must_use]
    pub fn with_kid(self, kid: impl Into<Arc<str>>) -> Self {
        Self { kid: Some(kid.into()), ..self }
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

    /// Whether the signature over the message is this key's. ECDSA signatures are `r‖s` of fixed length (RFC 7518 section
    /// 3.4); Ed25519 is strict: small-order `R` and non-canonical encodings are refused.
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match &*self.point {
            Point::Ed25519(key) => key.verify(message, signature),
            Point::Curve { parsed, .. } | Point::Rsa { parsed, .. } => {
                signature.len() == self.signature_len() && parsed.verify_sig(message, signature).is_ok()
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

    /// The key as a JWK, with `use`, `alg` and, where it has one, `kid`. It has no private member, for there is none in here.
    #[must_use]
    pub fn jwk(&self) -> Jwk {
        let common = CommonParameters {
            public_key_use: Some(PublicKeyUse::Signature),
            key_algorithm: Some(self.algorithm.into()),
            key_id: self.kid.as_deref().map(str::to_owned),
            ..CommonParameters::default()
        };
        Jwk { common, algorithm: self.parameters() }
    }

    /// The RFC 7638 thumbprint: SHA-256 over the required members, base64url.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        match self.parameters() {
            AlgorithmParameters::RSA(key) => thumbprint(&[("e", &key.e), ("kty", "RSA"), ("n", &key.n)]),
            AlgorithmParameters::EllipticCurve(key) => {
                let curve = if self.algorithm == Algorithm::ES256 { "P-256" } else { "P-384" };
                thumbprint(&[("crv", curve), ("kty", "EC"), ("x", &key.x), ("y", &key.y)])
            }
            AlgorithmParameters::OctetKeyPair(key) => thumbprint(&[("crv", "Ed25519"), ("kty", "OKP"), ("x", &key.x)]),
            _ => String::new(),
        }
    }

    /// Reads what a key pair gives out: 32 bytes, a point, or an RSA key in DER (RFC 8017 appendix A.1.1).
    pub(super) fn from_bytes(algorithm: Algorithm, bytes: &[u8]) -> Result<Self, KeyProblem> {
        let point = match algorithm.family() {
            AlgorithmFamily::Ed => Point::ed25519(bytes)?,
            AlgorithmFamily::Ec => Point::curve(algorithm, bytes)?,
            AlgorithmFamily::Rsa => {
                let key = RsaDer::from_der(bytes).map_err(|_| KeyProblem::Malformed)?;
                let part = |number: aws_lc_rs::io::Positive<'_>| number.big_endian_without_leading_zero().to_vec();
                Point::rsa(algorithm, &part(key.modulus()), &part(key.exponent()))?
            }
            AlgorithmFamily::Hmac => return Err(KeyProblem::Unsupported),
        };
        Ok(Self { kid: None, algorithm, point: Arc::new(point) })
    }

    /// Whether both are the same numbers, whatever they are called and used for.
    pub(super) fn is_same_key(&self, other: &Self) -> bool {
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
                    curve: if self.algorithm == Algorithm::ES256 { EllipticCurve::P256 } else { EllipticCurve::P384 },
                    x: text(x),
                    y: text(y),
                })
            }
            Point::Rsa { modulus, exponent, .. } => {
                AlgorithmParameters::RSA(RSAKeyParameters { key_type: RSAKeyType::RSA, n: text(modulus), e: text(exponent) })
            }
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
        Ed25519Public::new(bytes).map(Self::Ed25519).ok_or(KeyProblem::Malformed)
    }

    /// An uncompressed point, and nothing else that the parser would take too.
    fn curve(algorithm: Algorithm, bytes: &[u8]) -> Result<Self, KeyProblem> {
        let len = if algorithm == Algorithm::ES256 { 65 } else { 97 };
        if bytes.len() != len || bytes.first() != Some(&4) {
            return Err(KeyProblem::Malformed);
        }
        // Whether it is on the curve is found out here (R29).
        let parsed = ParsedPublicKey::new(verification(algorithm)?, bytes).map_err(|_| KeyProblem::Malformed)?;
        Ok(Self::Curve { parsed, bytes: bytes.into() })
    }

    fn rsa(algorithm: Algorithm, modulus: &[u8], exponent: &[u8]) -> Result<Self, KeyProblem> {
        rsa::check(modulus, exponent)?;
        // By way of DER, for only that way looks at the key as a whole.
        let der: PublicKeyX509Der<'_> =
            PublicKeyComponents { n: modulus, e: exponent }.as_der().map_err(|_| KeyProblem::Malformed)?;
        let parsed = ParsedPublicKey::new(verification(algorithm)?, der.as_ref()).map_err(|_| KeyProblem::Malformed)?;
        Ok(Self::Rsa { parsed, modulus: modulus.into(), exponent: exponent.into() })
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
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| KeyProblem::Malformed)?;
    Ok(bytes.into_iter().skip_while(|byte| *byte == 0).collect())
}

/// A coordinate of a JWK: exactly as long as the curve's field (RFC 7518 section 6.2.1.2).
fn coordinate(text: &str, len: usize) -> Result<Vec<u8>, KeyProblem> {
    URL_SAFE_NO_PAD.decode(text).ok().filter(|bytes| bytes.len() == len).ok_or(KeyProblem::Malformed)
}

const RSA: &[Algorithm] =
    &[Algorithm::RS256, Algorithm::RS384, Algorithm::RS512, Algorithm::PS256, Algorithm::PS384, Algorithm::PS512];
const PRIVATE: &[u8] = b"PRIVATE KEY";

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::keys::PublicKeySet;
    use crate::keys::signing::{LiveKey, generate};

    const ALL: &[Algorithm] = &[
        Algorithm::RS256,
        Algorithm::RS384,
        Algorithm::RS512,
        Algorithm::PS256,
        Algorithm::PS384,
        Algorithm::PS512,
        Algorithm::ES256,
        Algorithm::ES384,
        Algorithm::EdDSA,
    ];

    fn fresh(algorithm: Algorithm) -> (LiveKey, PublicKey) {
        let key = LiveKey::new(algorithm, &generate(algorithm).unwrap()).unwrap();
        let public = key.public().unwrap().clone().with_kid("it");
        (key, public)
    }

    fn read(jwk: &Value, allowed: &[Algorithm]) -> Result<PublicKey, KeyProblem> {
        PublicKey::from_jwk(&serde_json::from_value(jwk.clone()).unwrap(), allowed)
    }

    #[test]
    fn a_jwk_and_a_pem_are_the_key_they_were_made_from() {
        for &algorithm in ALL {
            let (key, public) = fresh(algorithm);
            let jwk = serde_json::to_value(public.jwk()).unwrap();
            assert_eq!((&jwk["use"], &jwk["kid"], &jwk["alg"]), (&json!("sig"), &json!("it"), &json!(format!("{algorithm:?}"))));
            assert!(["d", "p", "q", "dp", "dq", "qi", "k"].iter().all(|name| jwk.get(name).is_none()), "R38: {jwk}");
            let again = read(&jwk, ALL).unwrap();
            let signature = key.sign(b"message").unwrap();
            assert!(again.verify(b"message", signature.as_slice()) && !again.verify(b"massage", signature.as_slice()));
            assert_eq!((again.algorithm(), again.kid(), again.thumbprint()), (algorithm, Some("it"), public.thumbprint()));

            let der: PublicKeyX509Der<'_> = match &*public.point {
                Point::Ed25519(key) => {
                    ParsedPublicKey::new(&aws_lc_rs::signature::ED25519, key.bytes()).unwrap().as_der().unwrap()
                }
                Point::Curve { parsed, .. } | Point::Rsa { parsed, .. } => parsed.as_der().unwrap(),
            };
            let body = base64::engine::general_purpose::STANDARD.encode(der.as_ref());
            let pem = format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n");
            let from_pem = PublicKey::from_pem(pem.as_bytes(), algorithm).unwrap();
            assert!(from_pem.verify(b"message", signature.as_slice()), "{algorithm:?}");
            assert_eq!((from_pem.kid(), from_pem.thumbprint()), (None, public.thumbprint()));
            let private = pem.replace("PUBLIC", "PRIVATE");
            assert_eq!(PublicKey::from_pem(private.as_bytes(), algorithm).unwrap_err(), KeyProblem::Private);
            for &other in ALL.iter().filter(|other| other.family() != algorithm.family()) {
                assert_eq!(
                    PublicKey::from_pem(pem.as_bytes(), other).unwrap_err(),
                    KeyProblem::Malformed,
                    "{algorithm:?} {other:?}"
                );
            }
        }
    }

    /// R21: what a token says is not even asked.
    #[test]
    fn r21_without_alg_the_configuration_says_which() {
        let (_, public) = fresh(Algorithm::RS256);
        let mut jwk = serde_json::to_value(public.jwk()).unwrap();
        jwk.as_object_mut().unwrap().remove("alg");
        assert_eq!(read(&jwk, &[Algorithm::PS384, Algorithm::ES256]).unwrap().algorithm(), Algorithm::PS384);
        assert_eq!(read(&jwk, &[Algorithm::RS256, Algorithm::PS256]).unwrap_err(), KeyProblem::Ambiguous);
        assert_eq!(read(&jwk, &[Algorithm::ES256]).unwrap_err(), KeyProblem::Unsupported);
        assert_eq!(read(&jwk, &[]).unwrap_err(), KeyProblem::Unsupported);
        jwk["alg"] = json!("RS512");
        assert_eq!(read(&jwk, &[Algorithm::RS256]).unwrap_err(), KeyProblem::Unsupported, "R18");
    }

    /// R22, R29, R30, R33: each is a value, none a panic.
    #[test]
    fn bad_jwks_are_refused_one_by_one() {
        let jwk = |algorithm| serde_json::to_value(fresh(algorithm).1.jwk()).unwrap();
        let (rsa, es256, es384, ed) =
            (jwk(Algorithm::RS256), jwk(Algorithm::ES256), jwk(Algorithm::ES384), jwk(Algorithm::EdDSA));
        let but = |jwk: &Value, name: &str, value: Value| {
            let mut jwk = jwk.clone();
            jwk[name] = value;
            jwk
        };
        let long = |len: usize| json!(URL_SAFE_NO_PAD.encode(vec![9; len]));
        for (jwk, problem) in [
            (but(&rsa, "use", json!("enc")), KeyProblem::NotForSignatures),
            (but(&rsa, "key_ops", json!(["sign"])), KeyProblem::NotForSignatures),
            (but(&rsa, "key_ops", json!([])), KeyProblem::NotForSignatures),
            (but(&rsa, "e", json!("AQ")), KeyProblem::RsaExponent),
            (but(&rsa, "e", json!("AAAA")), KeyProblem::RsaExponent),
            (but(&rsa, "e", json!("")), KeyProblem::RsaExponent),
            (but(&rsa, "e", json!("AQ=B")), KeyProblem::Malformed),
            (but(&rsa, "n", json!("")), KeyProblem::Malformed),
            (but(&rsa, "n", long(255)), KeyProblem::RsaSize(2036)),
            (but(&rsa, "alg", json!("ES256")), KeyProblem::Unsupported),
            (but(&rsa, "alg", json!("RSA-OAEP")), KeyProblem::Unsupported),
            (but(&es256, "alg", json!("ES384")), KeyProblem::Unsupported),
            (but(&es256, "alg", json!("ES521")), KeyProblem::Unsupported),
            (but(&es256, "crv", json!("secp256k1")), KeyProblem::Unsupported),
            (but(&es256, "crv", json!("Ed25519")), KeyProblem::Unsupported),
            (but(&es256, "x", es256["y"].clone()), KeyProblem::Malformed),
            (but(&es256, "x", long(32)), KeyProblem::Malformed),
            (but(&es256, "x", long(31)), KeyProblem::Malformed),
            (but(&es256, "x", long(33)), KeyProblem::Malformed),
            (but(&es256, "y", json!("")), KeyProblem::Malformed),
            (but(&es384, "x", long(32)), KeyProblem::Malformed),
            (but(&ed, "crv", json!("Ed448")), KeyProblem::Unsupported),
            (but(&ed, "crv", json!("X25519")), KeyProblem::Unsupported),
            (but(&ed, "x", long(31)), KeyProblem::Malformed),
            (but(&ed, "x", json!(URL_SAFE_NO_PAD.encode([0; 32]))), KeyProblem::Malformed),
            (but(&ed, "kty", json!("AKP")), KeyProblem::Unsupported),
            (json!({"kty": "oct", "k": "AAAA"}), KeyProblem::Private),
            (json!({}), KeyProblem::Unsupported),
        ] {
            assert_eq!(read(&jwk, ALL).err(), Some(problem), "{jwk}");
        }
        assert!(read(&but(&rsa, "n", json!(format!("AA{}", rsa["n"].as_str().unwrap()))), ALL).is_err());
        let zeros = [&[0; 3][..], &URL_SAFE_NO_PAD.decode(rsa["n"].as_str().unwrap()).unwrap()].concat();
        assert!(read(&but(&rsa, "n", json!(URL_SAFE_NO_PAD.encode(zeros))), ALL).is_ok(), "leading zeros");
    }

    /// R19, R24, R32, R33.
    #[test]
    fn one_bad_key_is_skipped_and_a_bad_set_refused() {
        let jwk = |algorithm, kid: &str| {
            let mut jwk = serde_json::to_value(fresh(algorithm).1.jwk()).unwrap();
            jwk["kid"] = json!(kid);
            jwk
        };
        let set = |keys: &[Value]| PublicKeySet::from_json(json!({"keys": keys}).to_string().as_bytes(), ALL);
        let (one, two) = (jwk(Algorithm::ES256, "one"), jwk(Algorithm::EdDSA, "two"));
        let (mut private, mut second) = (two.clone(), jwk(Algorithm::RS256, "rs"));
        private["kid"] = json!("given away");
        private["d"] = json!("AAAA");
        let first = second.clone();
        second["alg"] = json!("PS256");
        second["kid"] = json!("ps");
        let read = set(&[
            json!({"kty": "unheard of", "kid": "x"}),
            json!({"kty": "EC", "crv": "P-256", "x": 5, "kid": "y"}),
            json!("no key at all"),
            json!({"kty": "RSA", "kid": "z", "n": "AQAB", "e": "AQAB", "x5c": 7}),
            one.clone(),
            private,
            first,
            second,
            two.clone(),
        ])
        .unwrap();
        assert_eq!(read.keys().iter().map(|key| key.kid().unwrap()).collect::<Vec<_>>(), ["one", "rs", "two"]);
        assert_eq!(read.skipped().len(), 6);
        assert!(read.skipped().contains(&(Some("ps".into()), KeyProblem::SecondAlgorithm)));
        assert!(read.skipped().contains(&(Some("given away".into()), KeyProblem::Private)));
        assert!(read.find("one").is_some() && read.find("One").is_none() && read.find("").is_none());

        let twice = set(&[one.clone(), jwk(Algorithm::ES256, "one")]).unwrap_err();
        assert!(twice.to_string().contains("two keys by the `kid` \"one\""), "{twice}");
        assert!(set(&[one.clone(), jwk(Algorithm::EdDSA, "one")]).is_ok(), "of two types");
        assert!(set(&[one.clone(), json!({"kty": "oct", "k": "AAAA"})]).unwrap_err().to_string().contains("secret keys"));
        assert!(set(&[]).unwrap().keys().is_empty());
        assert!(set(&vec![json!({}); 65]).unwrap_err().to_string().contains("more than 64"));
        for text in ["", "[]", "{}", "null", r#"{"keys": {}}"#] {
            assert!(PublicKeySet::from_json(text.as_bytes(), ALL).is_err(), "{text}");
        }
    }
}
