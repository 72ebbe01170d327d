//! Keys as live objects: parsed once, then only used. One key, one algorithm.

use ed25519_dalek::Signer as _;
use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::Algorithm;
use sha2::{Sha256, Sha384, Sha512};

use crate::error::{Error, ErrorKind};
use crate::secret::{Secret, same};

/// A key that signs, or, without its private part, one that verifies.
///
/// An HMAC key keeps its inner state after the key block, so that a use costs neither key schedule nor parsing.
#[derive(Clone)]
pub(crate) enum LiveKey {
    /// Signs and verifies by RFC 8032.
    Ed25519(Box<ed25519_dalek::SigningKey>),
    /// Only verifies.
    Ed25519Public(Box<ed25519_dalek::VerifyingKey>),
    /// HMAC with SHA-256 (RFC 7518 section 3.2).
    Hs256(Box<Hmac<Sha256>>),
    /// HMAC with SHA-384.
    Hs384(Box<Hmac<Sha384>>),
    /// HMAC with SHA-512.
    Hs512(Box<Hmac<Sha512>>),
}

/// A signature of one of the supported algorithms, at most 64 bytes.
pub(crate) struct Signature {
    bytes: [u8; 64],
    len: usize,
}

impl Signature {
    fn new(from: &[u8]) -> Option<Self> {
        let mut bytes = [0; 64];
        bytes.get_mut(..from.len())?.copy_from_slice(from);
        Some(Self { bytes, len: from.len() })
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

impl LiveKey {
    /// Makes the key of `algorithm` from its secret bytes: a seed of 32 bytes, or an HMAC key of any length.
    pub(crate) fn new(algorithm: Algorithm, secret: &Secret) -> Result<Self, Error> {
        let bytes = secret.expose();
        let unusable = || Error::new(ErrorKind::Keys, format!("a key of {} bytes is no key for {algorithm:?}", bytes.len()));
        Ok(match algorithm {
            Algorithm::EdDSA => {
                let seed: &[u8; 32] = bytes.try_into().map_err(|_| unusable())?;
                Self::Ed25519(Box::new(ed25519_dalek::SigningKey::from_bytes(seed)))
            }
            Algorithm::HS256 => Self::Hs256(Box::new(Hmac::new_from_slice(bytes).map_err(|_| unusable())?)),
            Algorithm::HS384 => Self::Hs384(Box::new(Hmac::new_from_slice(bytes).map_err(|_| unusable())?)),
            Algorithm::HS512 => Self::Hs512(Box::new(Hmac::new_from_slice(bytes).map_err(|_| unusable())?)),
            other => return Err(unavailable(other)),
        })
    }

    /// The part that verifies.
    pub(crate) fn verifying(&self) -> Self {
        match self {
            Self::Ed25519(key) => Self::Ed25519Public(Box::new(key.verifying_key())),
            other => other.clone(),
        }
    }

    /// The public key, where there is one.
    pub(crate) fn public(&self) -> Option<[u8; 32]> {
        match self {
            Self::Ed25519(key) => Some(key.verifying_key().to_bytes()),
            Self::Ed25519Public(key) => Some(key.to_bytes()),
            Self::Hs256(_) | Self::Hs384(_) | Self::Hs512(_) => None,
        }
    }

    /// Signs; `None` for a key without its private part.
    pub(crate) fn sign(&self, message: &[u8]) -> Option<Signature> {
        match self {
            Self::Ed25519(key) => Signature::new(&key.try_sign(message).ok()?.to_bytes()),
            Self::Ed25519Public(_) => None,
            Self::Hs256(key) => Signature::new(&mac(key.as_ref(), message)),
            Self::Hs384(key) => Signature::new(&mac(key.as_ref(), message)),
            Self::Hs512(key) => Signature::new(&mac(key.as_ref(), message)),
        }
    }

    /// Whether the signature is this key's; a MAC is compared in constant time.
    ///
    /// Ed25519 is strict: small-order keys, small-order `R` and non-canonical encodings of `S` and `R` are refused.
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Ed25519(key) => strict(key.as_ref().as_ref(), message, signature),
            Self::Ed25519Public(key) => strict(key, message, signature),
            Self::Hs256(key) => same(&mac(key.as_ref(), message), signature),
            Self::Hs384(key) => same(&mac(key.as_ref(), message), signature),
            Self::Hs512(key) => same(&mac(key.as_ref(), message), signature),
        }
    }

    /// How many bytes a signature has.
    pub(crate) fn signature_len(&self) -> usize {
        match self {
            Self::Ed25519(_) | Self::Ed25519Public(_) | Self::Hs512(_) => 64,
            Self::Hs256(_) => 32,
            Self::Hs384(_) => 48,
        }
    }
}

fn strict(key: &ed25519_dalek::VerifyingKey, message: &[u8], signature: &[u8]) -> bool {
    ed25519_dalek::Signature::from_slice(signature).is_ok_and(|signature| key.verify_strict(message, &signature).is_ok())
}

/// The MAC of a message under a keyed state, which stays as it was.
pub(crate) fn mac<M: Mac + Clone>(keyed: &M, message: &[u8]) -> hmac::digest::Output<M> {
    let mut state = keyed.clone();
    state.update(message);
    state.finalize().into_bytes()
}

/// Bytes that a fresh key of this algorithm has: as many as the hash puts out (RFC 7518 section 3.2).
pub(crate) fn secret_len(algorithm: Algorithm) -> Result<usize, Error> {
    match algorithm {
        Algorithm::EdDSA | Algorithm::HS256 => Ok(32),
        Algorithm::HS384 => Ok(48),
        Algorithm::HS512 => Ok(64),
        other => Err(unavailable(other)),
    }
}

fn unavailable(algorithm: Algorithm) -> Error {
    Error::new(ErrorKind::Keys, format!("the algorithm {algorithm:?} is not available yet: use EdDSA, HS256, HS384 or HS512"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unhex(text: &str) -> Vec<u8> {
        Secret::parse(&format!("hex:{text}")).unwrap().expose().to_vec()
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
        assert!(!key.verify(&[0x73], &signature) && !key.verify(&[0x72], &signature[..63]) && !key.verify(&[0x72], &[]));
        assert!(key.verifying().sign(b"x").is_none());
    }

    #[test]
    fn rfc_4231_test_case_2_holds() {
        for (algorithm, mac) in [
            (Algorithm::HS256, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
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
            assert_eq!(signature.as_slice(), unhex(mac), "{algorithm:?}");
            assert_eq!(signature.as_slice().len(), key.signature_len());
        }
    }

    /// R30: a small-order key with a small-order R verifies anything without the strict check; S + L is another
    /// encoding of S; a non-canonical R encodes the same point.
    #[test]
    fn r30_small_order_keys_and_non_canonical_signatures_are_refused() {
        let mut identity = [0; 32];
        identity[0] = 1;
        let weak = ed25519_dalek::VerifyingKey::from_bytes(&identity).unwrap();
        let mut forged = [0; 64];
        forged[0] = 1;
        let lenient = ed25519_dalek::Signature::from_bytes(&forged);
        assert!(ed25519_dalek::Verifier::verify(&weak, b"anything", &lenient).is_ok(), "the vector has lost its bite");
        assert!(!LiveKey::Ed25519Public(Box::new(weak)).verify(b"anything", &forged));

        let key = LiveKey::new(Algorithm::EdDSA, &Secret::from_bytes(vec![7; 32])).unwrap();
        let mut signature = key.sign(b"message").unwrap().bytes;
        assert!(key.verify(b"message", &signature));
        let order = unhex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
        let mut carry = 0u16;
        for (s, l) in signature[32..].iter_mut().zip(order) {
            carry += u16::from(*s) + u16::from(l);
            *s = u8::try_from(carry & 0xff).unwrap();
            carry >>= 8;
        }
        assert!(!key.verify(b"message", &signature));
    }

    #[test]
    fn other_algorithms_are_refused_by_name() {
        for algorithm in [Algorithm::RS256, Algorithm::PS512, Algorithm::ES256, Algorithm::ES384] {
            let error = LiveKey::new(algorithm, &Secret::from_bytes(vec![0; 32])).err().unwrap();
            assert!(error.to_string().contains(&format!("{algorithm:?} is not available yet")), "{error}");
            assert_eq!(error.kind(), ErrorKind::Keys);
        }
    }
}
