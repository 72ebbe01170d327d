//! The numbers of a public key: checked, parsed once, ready for use.

use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::rsa::PublicKeyComponents;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, VerificationAlgorithm,
};

use super::ed25519::Ed25519Public;
use super::problem::KeyProblem;
use super::rsa;
use crate::keys::algorithm::Algorithm;

/// The numbers of a public key, ready for use.
pub(super) enum Point {
    Ed25519(Ed25519Public),
    /// An uncompressed point (SEC 1 section 2.3.3), which was checked to be on its curve.
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

impl Point {
    pub(super) fn ed25519(bytes: &[u8]) -> Result<Self, KeyProblem> {
        Ed25519Public::new(bytes)
            .map(Self::Ed25519)
            .ok_or(KeyProblem::Malformed)
    }

    /// Parses an uncompressed point, and refuses other forms that the parser would accept too.
    pub(super) fn curve(algorithm: Algorithm, bytes: &[u8]) -> Result<Self, KeyProblem> {
        if bytes.len() != 1 + 2 * algorithm.coordinate_len() || bytes.first() != Some(&4) {
            return Err(KeyProblem::Malformed);
        }
        // This checks that the point is on the curve (R29).
        let parsed = ParsedPublicKey::new(verification(algorithm)?, bytes)
            .map_err(|_| KeyProblem::Malformed)?;
        Ok(Self::Curve {
            parsed,
            bytes: bytes.into(),
        })
    }

    pub(super) fn rsa(
        algorithm: Algorithm,
        modulus: &[u8],
        exponent: &[u8],
    ) -> Result<Self, KeyProblem> {
        rsa::check(modulus, exponent)?;
        // The key goes through DER, because only the DER parser checks the key as a whole.
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
