//! Keys in memory: parsed once, then only used. One key, one algorithm.

use std::sync::Arc;

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384,
    RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512, RsaEncoding,
};

use super::keyed::{Keyed256, Keyed384, Keyed512};
use super::public::PublicKey;
use super::thumbprint::secret_name;
use crate::error::{Error, ErrorKind};
use crate::keys::algorithm::{Algorithm, AlgorithmFamily};
use crate::secret::{Secret, same};

/// A key that signs, or, without its private part, one that verifies.
///
/// An HMAC key keeps its states after the key block, so that a use costs neither key schedule nor
/// parsing.
#[derive(Clone)]
pub(crate) enum LiveKey {
    /// Signs by RFC 8032, and verifies.
    Ed25519(Arc<Ed25519KeyPair>, PublicKey),
    /// Signs by FIPS 186-5 with a hedged nonce, made of the key, the message and fresh random bytes
    /// (R31).
    Ecdsa(Arc<EcdsaKeyPair>, PublicKey),
    /// Signs by RFC 8017, and verifies.
    Rsa(Arc<RsaKeyPair>, &'static dyn RsaEncoding, PublicKey),
    /// Only verifies.
    Public(PublicKey),
    /// HMAC with SHA-256 (RFC 7518 section 3.2).
    Hs256(Box<Keyed256>),
    /// HMAC with SHA-384.
    Hs384(Box<Keyed384>),
    /// HMAC with SHA-512.
    Hs512(Box<Keyed512>),
}

/// A signature of one of the supported algorithms: short ones need no allocation.
pub(crate) enum Signature {
    Short([u8; 96], usize),
    /// A signature of RSA.
    Long(Vec<u8>),
}

impl Signature {
    pub(crate) fn new(from: &[u8]) -> Self {
        let mut bytes = [0; 96];
        match bytes.get_mut(..from.len()) {
            Some(prefix) => {
                prefix.copy_from_slice(from);
                Self::Short(bytes, from.len())
            }
            None => Self::Long(from.to_vec()),
        }
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        match self {
            Self::Short(bytes, len) => bytes.get(..*len).unwrap_or_default(),
            Self::Long(bytes) => bytes,
        }
    }
}

impl LiveKey {
    /// Makes the key of `algorithm` from its secret bytes: a seed of 32 bytes (EdDSA), PKCS #8 (RSA
    /// and ECDSA), or an HMAC key of any length.
    pub(crate) fn new(algorithm: Algorithm, secret: &Secret) -> Result<Self, Error> {
        let bytes = secret.expose();
        let unusable = || {
            Error::new(
                ErrorKind::Keys,
                format!("a key of {} bytes is no key for {algorithm}", bytes.len()),
            )
        };
        let public = |bytes: &[u8]| {
            PublicKey::from_bytes(algorithm, bytes).map_err(|problem| unusable().because(problem))
        };
        Ok(match algorithm {
            Algorithm::EdDSA => {
                let pair = Ed25519KeyPair::from_seed_unchecked(bytes).map_err(|_| unusable())?;
                let public = public(pair.public_key().as_ref())?;
                Self::Ed25519(Arc::new(pair), public)
            }
            Algorithm::ES256 | Algorithm::ES384 => {
                let pair =
                    EcdsaKeyPair::from_pkcs8(ecdsa(algorithm), bytes).map_err(|_| unusable())?;
                let public = public(pair.public_key().as_ref())?;
                Self::Ecdsa(Arc::new(pair), public)
            }
            Algorithm::RS256
            | Algorithm::RS384
            | Algorithm::RS512
            | Algorithm::PS256
            | Algorithm::PS384
            | Algorithm::PS512 => {
                let pair = RsaKeyPair::from_pkcs8(bytes).map_err(|_| unusable())?;
                let public = public(pair.public_key().as_ref())?;
                Self::Rsa(Arc::new(pair), rsa(algorithm), public)
            }
            Algorithm::HS256 => Self::Hs256(Box::new(Keyed256::new(bytes))),
            Algorithm::HS384 => Self::Hs384(Box::new(Keyed384::new(bytes))),
            Algorithm::HS512 => Self::Hs512(Box::new(Keyed512::new(bytes))),
        })
    }

    /// Returns the part that verifies.
    pub(crate) fn verifying(&self) -> Self {
        self.public()
            .map_or_else(|| self.clone(), |public| Self::Public(public.clone()))
    }

    /// Returns the public key, if there is one.
    pub(crate) fn public(&self) -> Option<&PublicKey> {
        match self {
            Self::Ed25519(_, public)
            | Self::Ecdsa(_, public)
            | Self::Rsa(_, _, public)
            | Self::Public(public) => Some(public),
            Self::Hs256(_) | Self::Hs384(_) | Self::Hs512(_) => None,
        }
    }

    /// Returns the one algorithm of the key.
    pub(crate) fn algorithm(&self) -> Algorithm {
        match self {
            Self::Ed25519(_, public)
            | Self::Ecdsa(_, public)
            | Self::Rsa(_, _, public)
            | Self::Public(public) => public.algorithm(),
            Self::Hs256(_) => Algorithm::HS256,
            Self::Hs384(_) => Algorithm::HS384,
            Self::Hs512(_) => Algorithm::HS512,
        }
    }

    /// Returns the key's id: the thumbprint of the public key, or a name derived from the secret.
    pub(in crate::keys) fn kid(&self, secret: &Secret) -> Result<String, Error> {
        self.public()
            .map(PublicKey::thumbprint)
            .or_else(|| secret_name(secret.expose(), "tollgate/kid/1"))
            .ok_or_else(|| Error::new(ErrorKind::Keys, "a key cannot be used for HMAC"))
    }

    /// Prepares for messages that begin with this text.
    pub(in crate::keys) fn prime(&mut self, text: &str) {
        match self {
            Self::Hs256(key) => key.prime(text.as_bytes()),
            Self::Hs384(key) => key.prime(text.as_bytes()),
            Self::Hs512(key) => key.prime(text.as_bytes()),
            Self::Ed25519(..) | Self::Ecdsa(..) | Self::Rsa(..) | Self::Public(_) => {}
        }
    }

    /// Signs; `None` for a key without its private part.
    pub(crate) fn sign(&self, message: &[u8]) -> Option<Signature> {
        match self {
            Self::Ed25519(pair, _) => Some(Signature::new(pair.try_sign(message).ok()?.as_ref())),
            Self::Ecdsa(pair, _) => Some(Signature::new(
                pair.sign(&SystemRandom::new(), message).ok()?.as_ref(),
            )),
            Self::Rsa(pair, encoding, _) => {
                let mut bytes = vec![0; pair.public_modulus_len()];
                pair.sign(*encoding, &SystemRandom::new(), message, &mut bytes)
                    .ok()?;
                Some(Signature::Long(bytes))
            }
            Self::Public(_) => None,
            Self::Hs256(key) => Some(Signature::new(&key.mac(message))),
            Self::Hs384(key) => Some(Signature::new(&key.mac(message))),
            Self::Hs512(key) => Some(Signature::new(&key.mac(message))),
        }
    }

    /// Verifies a signature; a MAC is compared in constant time.
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Ed25519(_, public)
            | Self::Ecdsa(_, public)
            | Self::Rsa(_, _, public)
            | Self::Public(public) => public.verify(message, signature),
            Self::Hs256(key) => same(&key.mac(message), signature),
            Self::Hs384(key) => same(&key.mac(message), signature),
            Self::Hs512(key) => same(&key.mac(message), signature),
        }
    }

    /// Returns how many bytes a signature has.
    pub(crate) fn signature_len(&self) -> usize {
        match self {
            Self::Ed25519(_, public)
            | Self::Ecdsa(_, public)
            | Self::Rsa(_, _, public)
            | Self::Public(public) => public.signature_len(),
            Self::Hs256(_) => 32,
            Self::Hs384(_) => 48,
            Self::Hs512(_) => 64,
        }
    }
}

/// Makes the secret bytes of a fresh key, in the form that [`LiveKey::new`] reads. An RSA key has
/// 2048 bits, and takes a moment.
pub(crate) fn generate(algorithm: Algorithm) -> Result<Secret, Error> {
    let failed = || {
        Error::new(
            ErrorKind::Keys,
            format!("a key for {algorithm} cannot be made"),
        )
    };
    match algorithm.family() {
        AlgorithmFamily::Hmac | AlgorithmFamily::Ed => {
            Ok(Secret::random(secret_len(algorithm).ok_or_else(failed)?)?)
        }
        AlgorithmFamily::Ec => {
            let pair = EcdsaKeyPair::generate(ecdsa(algorithm)).map_err(|_| failed())?;
            pair.to_pkcs8v1()
                .map(|der| Secret::from_bytes(der.as_ref().to_vec()))
                .map_err(|_| failed())
        }
        AlgorithmFamily::Rsa => {
            let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| failed())?;
            let der: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| failed())?;
            Ok(Secret::from_bytes(der.as_ref().to_vec()))
        }
    }
}

/// Returns the length of a secret of this algorithm, in bytes: that of the hash's output (RFC 7518
/// section 3.2), or of Ed25519's seed. `None` if the length varies.
pub(crate) fn secret_len(algorithm: Algorithm) -> Option<usize> {
    match algorithm {
        Algorithm::EdDSA | Algorithm::HS256 => Some(32),
        Algorithm::HS384 => Some(48),
        Algorithm::HS512 => Some(64),
        _ => None,
    }
}

fn ecdsa(algorithm: Algorithm) -> &'static EcdsaSigningAlgorithm {
    if algorithm == Algorithm::ES256 {
        &ECDSA_P256_SHA256_FIXED_SIGNING
    } else {
        &ECDSA_P384_SHA384_FIXED_SIGNING
    }
}

fn rsa(algorithm: Algorithm) -> &'static dyn RsaEncoding {
    match algorithm {
        Algorithm::RS384 => &RSA_PKCS1_SHA384,
        Algorithm::RS512 => &RSA_PKCS1_SHA512,
        Algorithm::PS256 => &RSA_PSS_SHA256,
        Algorithm::PS384 => &RSA_PSS_SHA384,
        Algorithm::PS512 => &RSA_PSS_SHA512,
        _ => &RSA_PKCS1_SHA256,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unhex(text: &str) -> Vec<u8> {
        Secret::parse(&format!("hex:{text}"))
            .unwrap()
            .expose()
            .to_vec()
    }

    #[test]
    fn rfc_8032_test_vector_2_holds() {
        let seed = unhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
        let key = LiveKey::new(Algorithm::EdDSA, &Secret::from_bytes(seed)).unwrap();
        let signature = unhex(
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        );
        assert_eq!(key.sign(&[0x72]).unwrap().as_slice(), signature);
        assert!(key.verify(&[0x72], &signature) && key.verifying().verify(&[0x72], &signature));
        assert!(
            !key.verify(&[0x73], &signature)
                && !key.verify(&[0x72], &signature[..63])
                && !key.verify(&[0x72], &[])
        );
        assert!(key.verifying().sign(b"x").is_none());
    }

    #[test]
    fn rfc_4231_test_case_2_holds() {
        for (algorithm, mac) in [
            (
                Algorithm::HS256,
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                Algorithm::HS384,
                "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
            ),
            (
                Algorithm::HS512,
                "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
            ),
        ] {
            let key = LiveKey::new(algorithm, &Secret::from_bytes(b"Jefe".to_vec())).unwrap();
            let signature = key.sign(b"what do ya want for nothing?").unwrap();
            assert_eq!(signature.as_slice(), unhex(mac), "{algorithm}");
            assert_eq!(signature.as_slice().len(), key.signature_len());
        }
    }

    #[test]
    fn every_algorithm_signs_and_verifies_and_no_other_key_does() {
        for &algorithm in Algorithm::ALL {
            let secret = generate(algorithm).unwrap();
            let (key, other) = (
                LiveKey::new(algorithm, &secret).unwrap(),
                LiveKey::new(algorithm, &generate(algorithm).unwrap()).unwrap(),
            );
            let signature = key.sign(b"message").unwrap();
            assert_eq!(
                signature.as_slice().len(),
                key.signature_len(),
                "{algorithm}"
            );
            assert!(key.verify(b"message", signature.as_slice()), "{algorithm}");
            assert!(
                key.verifying().verify(b"message", signature.as_slice()),
                "{algorithm}"
            );
            assert!(!key.verify(b"massage", signature.as_slice()), "{algorithm}");
            assert!(
                !other.verify(b"message", signature.as_slice()),
                "{algorithm}"
            );
            for wrong in [
                &[][..],
                &signature.as_slice()[1..],
                &[signature.as_slice(), &[0]].concat(),
                &vec![0; key.signature_len()],
            ] {
                assert!(!key.verify(b"message", wrong), "{algorithm}");
            }
            if let Some(public) = key.public() {
                assert_eq!(public.algorithm(), algorithm);
                assert!(key.verifying().sign(b"message").is_none());
            }
        }
    }

    /// R19: with one RSA key, a signature of one algorithm is never valid for another.
    #[test]
    fn r19_no_rsa_key_serves_two_algorithms() {
        let secret = generate(Algorithm::RS256).unwrap();
        let rsa = Algorithm::ALL
            .iter()
            .copied()
            .filter(|algorithm| algorithm.family() == AlgorithmFamily::Rsa);
        let keys: Vec<_> = rsa
            .map(|algorithm| (algorithm, LiveKey::new(algorithm, &secret).unwrap()))
            .collect();
        for (one, signer) in &keys {
            let signature = signer.sign(b"message").unwrap();
            for (other, verifier) in &keys {
                assert_eq!(
                    verifier.verify(b"message", signature.as_slice()),
                    one == other,
                    "{one:?} {other:?}"
                );
            }
        }
    }

    /// R28: a signature in DER, as OpenSSL writes it, is refused, and so is one that contains a
    /// zero or the order.
    #[test]
    fn r28_ecdsa_signatures_are_r_and_s_of_fixed_length() {
        for (algorithm, half, order) in [
            (
                Algorithm::ES256,
                32,
                "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
            ),
            (
                Algorithm::ES384,
                48,
                "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
            ),
        ] {
            let key = LiveKey::new(algorithm, &generate(algorithm).unwrap()).unwrap();
            assert_eq!(key.signature_len(), 2 * half);
            let signature = key.sign(b"message").unwrap();
            let (r, s) = signature.as_slice().split_at(half);
            for bad in [vec![0; half], unhex(order), vec![0xFF; half]] {
                assert!(!key.verify(b"message", &[r, &bad].concat()), "{algorithm}");
                assert!(!key.verify(b"message", &[&bad, s].concat()), "{algorithm}");
                assert!(
                    !key.verify(b"message", &[&bad[..], &bad].concat()),
                    "{algorithm}"
                );
            }
            let number = |n: &[u8]| [&[2, u8::try_from(half + 1).unwrap(), 0][..], n].concat();
            let body = [number(r), number(s)].concat();
            let der = [&[0x30, u8::try_from(body.len()).unwrap()][..], &body].concat();
            assert!(!key.verify(b"message", &der), "{algorithm}");
        }
    }

    /// R31: the nonce is new for every signature, so that two of one key never share an `r`.
    #[test]
    fn r31_no_two_ecdsa_signatures_share_their_nonce() {
        let key = LiveKey::new(Algorithm::ES256, &generate(Algorithm::ES256).unwrap()).unwrap();
        let seen: std::collections::HashSet<Vec<u8>> = (0..200)
            .map(|i| {
                key.sign(if i % 2 == 0 { b"one" } else { b"two" })
                    .unwrap()
                    .as_slice()[..32]
                    .to_vec()
            })
            .collect();
        assert_eq!(seen.len(), 200);
    }

    #[test]
    fn bytes_of_another_kind_of_key_are_refused() {
        for algorithm in Algorithm::ALL
            .iter()
            .copied()
            .filter(|algorithm| algorithm.family() != AlgorithmFamily::Hmac)
        {
            for other in Algorithm::ALL
                .iter()
                .copied()
                .filter(|other| other.family() != algorithm.family())
            {
                // Any 32 bytes are a seed.
                if algorithm != Algorithm::EdDSA || secret_len(other) != Some(32) {
                    let error = LiveKey::new(algorithm, &generate(other).unwrap())
                        .err()
                        .unwrap();
                    assert!(
                        error
                            .to_string()
                            .contains(&format!("is no key for {algorithm}")),
                        "{error}"
                    );
                }
            }
        }
        assert!(LiveKey::new(Algorithm::ES256, &generate(Algorithm::ES384).unwrap()).is_err());
    }
}
