//! Keys as live objects: parsed once, then only used. One key, one algorithm.

use std::sync::Arc;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, ParsedPublicKey};
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
    /// Signs by RFC 8032, and verifies.
    Ed25519(Arc<Ed25519KeyPair>, Ed25519Public),
    /// Only verifies.
    Ed25519Public(Ed25519Public),
    /// HMAC with SHA-256 (RFC 7518 section 3.2).
    Hs256(Box<Hmac<Sha256>>),
    /// HMAC with SHA-384.
    Hs384(Box<Hmac<Sha384>>),
    /// HMAC with SHA-512.
    Hs512(Box<Hmac<Sha512>>),
}

/// A public key that is not of small order.
#[derive(Clone)]
pub(crate) struct Ed25519Public {
    parsed: Arc<ParsedPublicKey>,
    bytes: [u8; 32],
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
                let pair = Ed25519KeyPair::from_seed_unchecked(bytes).map_err(|_| unusable())?;
                let public = Ed25519Public::new(pair.public_key().as_ref()).ok_or_else(unusable)?;
                Self::Ed25519(Arc::new(pair), public)
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
            Self::Ed25519(_, public) => Self::Ed25519Public(public.clone()),
            other => other.clone(),
        }
    }

    /// The public key, where there is one.
    pub(crate) fn public(&self) -> Option<[u8; 32]> {
        match self {
            Self::Ed25519(_, public) | Self::Ed25519Public(public) => Some(public.bytes),
            Self::Hs256(_) | Self::Hs384(_) | Self::Hs512(_) => None,
        }
    }

    /// Signs; `None` for a key without its private part.
    pub(crate) fn sign(&self, message: &[u8]) -> Option<Signature> {
        match self {
            Self::Ed25519(pair, _) => Signature::new(pair.try_sign(message).ok()?.as_ref()),
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
            Self::Ed25519(_, public) | Self::Ed25519Public(public) => public.verify(message, signature),
            Self::Hs256(key) => same(&mac(key.as_ref(), message), signature),
            Self::Hs384(key) => same(&mac(key.as_ref(), message), signature),
            Self::Hs512(key) => same(&mac(key.as_ref(), message), signature),
        }
    }

    /// How many bytes a signature has.
    pub(crate) fn signature_len(&self) -> usize {
        match self {
            Self::Ed25519(..) | Self::Ed25519Public(_) | Self::Hs512(_) => 64,
            Self::Hs256(_) => 32,
            Self::Hs384(_) => 48,
        }
    }
}

impl Ed25519Public {
    /// Parses a public key; `None` where it is of small order, so that signatures would say nothing, or no point at all.
    fn new(bytes: &[u8]) -> Option<Self> {
        let bytes: [u8; 32] = bytes.try_into().ok()?;
        let parsed = ParsedPublicKey::new(&ED25519, bytes).ok()?;
        (!is_small_order(&bytes)).then(|| Self { parsed: Arc::new(parsed), bytes })
    }

    /// aws-lc refuses an `S` that is not below the group's order and compares the encoding of `R`, which leaves
    /// small-order `R` to be refused here (RFC 8032 section 5.1.7, and "Taming the many EdDSAs").
    fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        let small = signature.first_chunk().is_none_or(is_small_order);
        !small && self.parsed.verify_sig(message, signature).is_ok()
    }
}

/// Whether these bytes encode a point whose order divides eight, canonically or not. They are no secret.
fn is_small_order(point: &[u8; 32]) -> bool {
    let mut y = *point;
    if let Some(last) = y.last_mut() {
        *last &= 0x7F;
    }
    SMALL_ORDER.contains(&y)
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

/// The y coordinates of the points of small order: 0, 1, the two of order eight, −1, and p and p + 1, which encode 0 and 1
/// once more. The sign is left out.
const SMALL_ORDER: [[u8; 32]; 7] = [
    [0; 32],
    little(1, 0, 0),
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05,
        0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa,
        0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
    little(0xec, 0xff, 0x7f),
    little(0xed, 0xff, 0x7f),
    little(0xee, 0xff, 0x7f),
];

/// A number of 32 bytes, least significant first.
const fn little(first: u8, between: u8, last: u8) -> [u8; 32] {
    let mut bytes = [between; 32];
    let [lowest, .., highest] = &mut bytes;
    *lowest = first;
    *highest = last;
    bytes
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

    /// All encodings of small-order points: what ed25519-dalek finds weak, and what it cannot even decode.
    #[test]
    fn r30_small_order_keys_are_refused() {
        let mut refused = 0;
        for y in SMALL_ORDER {
            for sign in [0, 0x80] {
                let mut point = y;
                point[31] |= sign;
                if let Ok(key) = ed25519_dalek::VerifyingKey::from_bytes(&point) {
                    assert!(key.is_weak(), "{point:x?}");
                }
                assert!(Ed25519Public::new(&point).is_none(), "{point:x?}");
                refused += 1;
            }
        }
        assert_eq!(refused, 14);
        let torsion = points_of_small_order();
        assert_eq!(torsion.len(), 8);
        assert!(torsion.iter().all(is_small_order));
        let fine = ed25519_dalek::SigningKey::from_bytes(&[7; 32]).verifying_key();
        assert!(Ed25519Public::new(fine.as_bytes()).is_some());
        assert!(Ed25519Public::new(&fine.as_bytes()[..31]).is_none() && Ed25519Public::new(&[]).is_none());
    }

    /// Found without the table: the group's order times any point is a point of small order.
    fn points_of_small_order() -> std::collections::BTreeSet<[u8; 32]> {
        let order = unhex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
        let mut found = std::collections::BTreeSet::new();
        for start in 0..=255u8 {
            let Ok(point) = ed25519_dalek::VerifyingKey::from_bytes(&[start; 32]) else { continue };
            let mut power = point.to_edwards();
            let mut multiple = None;
            for bit in 0..256 {
                if order[bit / 8] >> (bit % 8) & 1 == 1 {
                    multiple = Some(multiple.map_or(power, |sum| sum + power));
                }
                power = power + power;
            }
            found.extend(multiple.map(|multiple| multiple.compress().to_bytes()));
        }
        found
    }

    /// S + L is another encoding of S; a small-order R with a small-order key verifies anything where nobody is strict.
    #[test]
    fn r30_non_canonical_and_small_order_signatures_are_refused() {
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

        let mut identity = [0; 32];
        identity[0] = 1;
        let mut forged = [0; 64];
        forged[0] = 1;
        let lenient = ParsedPublicKey::new(&ED25519, identity).unwrap();
        assert!(lenient.verify_sig(b"anything", &forged).is_ok(), "the vector has lost its bite");
        let unchecked = Ed25519Public { parsed: Arc::new(lenient), bytes: identity };
        assert!(!unchecked.verify(b"anything", &forged), "R is of small order, whatever the key");
    }

    /// On honest and mutated signatures the answer is that of ed25519-dalek's strict check.
    #[test]
    fn r30_we_are_as_strict_as_ed25519_dalek() {
        let dalek = ed25519_dalek::SigningKey::from_bytes(&[9; 32]);
        let key = LiveKey::new(Algorithm::EdDSA, &Secret::from_bytes(vec![9; 32])).unwrap();
        assert_eq!(key.public(), Some(dalek.verifying_key().to_bytes()));
        let signature = key.sign(b"message").unwrap().bytes;
        for bit in 0..512 {
            let mut changed = signature;
            changed[bit / 8] ^= 1 << (bit % 8);
            let strict = dalek.verifying_key().verify_strict(b"message", &ed25519_dalek::Signature::from_bytes(&changed));
            assert_eq!(key.verify(b"message", &changed), strict.is_ok(), "bit {bit}");
        }
        for point in SMALL_ORDER {
            let mut changed = signature;
            changed[..32].copy_from_slice(&point);
            assert!(!key.verify(b"message", &changed));
        }
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
