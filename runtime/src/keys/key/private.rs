//! Private keys as they come in a configuration: PEM texts and JWKs with their private members.

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeyPairComponents, PublicKeyComponents};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
};
use base64_simd::URL_SAFE_NO_PAD;
use jsonwebtoken::EncodingKey;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::form::private_block;
use super::problem::KeyProblem;
use crate::keys::algorithm::{Algorithm, AlgorithmFamily};
use crate::secret::Secret;

/// The private members of a JWK (RFC 7518 section 6, RFC 8037 section 2).
#[derive(Deserialize)]
pub(in crate::keys) struct PrivateJwk {
    pub(in crate::keys) kty: String,
    pub(in crate::keys) alg: Option<Algorithm>,
    pub(in crate::keys) kid: Option<String>,
    crv: Option<String>,
    k: Option<Zeroizing<String>>,
    d: Option<Zeroizing<String>>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
    p: Option<Zeroizing<String>>,
    q: Option<Zeroizing<String>>,
    dp: Option<Zeroizing<String>>,
    dq: Option<Zeroizing<String>>,
    qi: Option<Zeroizing<String>>,
}

impl PrivateJwk {
    /// Returns whether the key has a private part.
    pub(in crate::keys) fn is_private(&self) -> bool {
        self.k.is_some() || self.d.is_some()
    }

    /// Returns the secret bytes, in the form that `LiveKey::new` reads. The public members must
    /// belong to the private ones.
    pub(in crate::keys) fn secret(&self, algorithm: Algorithm) -> Result<Secret, KeyProblem> {
        let family = algorithm.family();
        let kty = match family {
            AlgorithmFamily::Hmac => "oct",
            AlgorithmFamily::Rsa => "RSA",
            AlgorithmFamily::Ec => "EC",
            AlgorithmFamily::Ed => "OKP",
        };
        if self.kty != kty {
            return Err(KeyProblem::Unsupported);
        }
        let d = || part(self.d.as_deref().map(String::as_str));
        match family {
            AlgorithmFamily::Hmac => part(self.k.as_deref().map(String::as_str))
                .map(|bytes| Secret::from_bytes(bytes.to_vec())),
            AlgorithmFamily::Ed => {
                let seed = d()?;
                Ed25519KeyPair::from_seed_and_public_key(&seed, &part(self.x.as_deref())?)
                    .map_err(|_| KeyProblem::Malformed)?;
                if self.crv.as_deref() != Some("Ed25519") {
                    return Err(KeyProblem::Unsupported);
                }
                Ok(Secret::from_bytes(seed.to_vec()))
            }
            AlgorithmFamily::Ec => {
                let (curve, signing) = if algorithm == Algorithm::ES256 {
                    ("P-256", &ECDSA_P256_SHA256_FIXED_SIGNING)
                } else {
                    ("P-384", &ECDSA_P384_SHA384_FIXED_SIGNING)
                };
                if self.crv.as_deref() != Some(curve) {
                    return Err(KeyProblem::Unsupported);
                }
                let point = [
                    &[4],
                    &**part(self.x.as_deref())?,
                    &**part(self.y.as_deref())?,
                ]
                .concat();
                let pair = EcdsaKeyPair::from_private_key_and_public_key(signing, &d()?, &point);
                let der = pair
                    .map_err(|_| KeyProblem::Malformed)?
                    .to_pkcs8v1()
                    .map_err(|_| KeyProblem::Malformed)?;
                Ok(Secret::from_bytes(der.as_ref().to_vec()))
            }
            AlgorithmFamily::Rsa => {
                let public = |text: &Option<String>| {
                    part(text.as_deref()).map(|bytes| {
                        bytes
                            .iter()
                            .copied()
                            .skip_while(|byte| *byte == 0)
                            .collect::<Vec<u8>>()
                    })
                };
                let private =
                    |text: &Option<Zeroizing<String>>| part(text.as_deref().map(String::as_str));
                let components = KeyPairComponents::<Vec<u8>, Zeroizing<Vec<u8>>> {
                    public_key: PublicKeyComponents {
                        n: public(&self.n)?,
                        e: public(&self.e)?,
                    },
                    d: d()?,
                    p: private(&self.p)?,
                    q: private(&self.q)?,
                    dP: private(&self.dp)?,
                    dQ: private(&self.dq)?,
                    qInv: private(&self.qi)?,
                };
                pkcs8(&RsaKeyPair::from_components(&components).map_err(|_| KeyProblem::Malformed)?)
            }
        }
    }
}

/// Reads the secret bytes of a private key in PEM form: PKCS #8 (`PRIVATE KEY`), for RSA also PKCS
/// #1 (`RSA PRIVATE KEY`), for ECDSA also SEC 1 (`EC PRIVATE KEY`).
pub(in crate::keys) fn from_pem(pem: &[u8], algorithm: Algorithm) -> Result<Secret, KeyProblem> {
    let malformed = |_| KeyProblem::Malformed;
    let block = private_block(pem).map_err(KeyProblem::Form)?;
    let family = match block.label.as_str() {
        "RSA PRIVATE KEY" => Some(AlgorithmFamily::Rsa),
        "EC PRIVATE KEY" => Some(AlgorithmFamily::Ec),
        _ => None,
    };
    if family.is_some_and(|family| family != algorithm.family()) {
        return Err(KeyProblem::Unsupported);
    }
    let text = block.text();
    let pem = text.as_bytes();
    match algorithm.family() {
        AlgorithmFamily::Rsa => {
            let key = EncodingKey::from_rsa_pem(pem).map_err(malformed)?;
            pkcs8(&RsaKeyPair::from_der(key.as_bytes()).map_err(|_| KeyProblem::Malformed)?)
        }
        AlgorithmFamily::Ec if family.is_some() => {
            let signing = if algorithm == Algorithm::ES256 {
                &ECDSA_P256_SHA256_FIXED_SIGNING
            } else {
                &ECDSA_P384_SHA384_FIXED_SIGNING
            };
            let der = block.der().ok_or(KeyProblem::Malformed)?;
            let pair = EcdsaKeyPair::from_private_key_der(signing, &der)
                .map_err(|_| KeyProblem::Malformed)?;
            let der = pair.to_pkcs8v1().map_err(|_| KeyProblem::Malformed)?;
            Ok(Secret::from_bytes(der.as_ref().to_vec()))
        }
        AlgorithmFamily::Ec => {
            let key = EncodingKey::from_ec_pem(pem).map_err(malformed)?;
            Ok(Secret::from_bytes(key.as_bytes().to_vec()))
        }
        AlgorithmFamily::Ed => {
            let key = EncodingKey::from_ed_pem(pem).map_err(malformed)?;
            let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(key.as_bytes())
                .map_err(|_| KeyProblem::Malformed)?;
            let seed = pair.seed().map_err(|_| KeyProblem::Malformed)?;
            let bytes = aws_lc_rs::encoding::AsBigEndian::as_be_bytes(&seed)
                .map_err(|_| KeyProblem::Malformed)?;
            Ok(Secret::from_bytes(bytes.as_ref().to_vec()))
        }
        AlgorithmFamily::Hmac => Err(KeyProblem::Unsupported),
    }
}

fn pkcs8(pair: &RsaKeyPair) -> Result<Secret, KeyProblem> {
    let der: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| KeyProblem::Malformed)?;
    Ok(Secret::from_bytes(der.as_ref().to_vec()))
}

/// Decodes a member from base64url.
fn part(text: Option<&str>) -> Result<Zeroizing<Vec<u8>>, KeyProblem> {
    URL_SAFE_NO_PAD
        .decode_to_vec(text.ok_or(KeyProblem::Malformed)?)
        .map(Zeroizing::new)
        .map_err(|_| KeyProblem::Malformed)
}
