//! Strict Ed25519: a signature is valid for one key and one message alone (RFC 8032 section 5.1.7).

use aws_lc_rs::signature::{ED25519, ParsedPublicKey};

/// A public key that is not of small order.
pub(in crate::keys) struct Ed25519Public {
    parsed: ParsedPublicKey,
    bytes: [u8; 32],
}

impl Ed25519Public {
    /// Parses a public key; `None` if it is not a point, or a point of small order, for which
    /// signatures prove nothing.
    pub(in crate::keys) fn new(bytes: &[u8]) -> Option<Self> {
        let bytes: [u8; 32] = bytes.try_into().ok()?;
        let parsed = ParsedPublicKey::new(&ED25519, bytes).ok()?;
        (!is_small_order(&bytes)).then_some(Self { parsed, bytes })
    }

    pub(in crate::keys) fn bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// Verifies a signature strictly. aws-lc refuses an `S` that is not below the group's order and
    /// compares the encoding of `R`; this function also refuses an `R` of small order (RFC 8032
    /// section 5.1.7, and "Taming the many EdDSAs").
    pub(in crate::keys) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        let small = signature.first_chunk().is_none_or(is_small_order);
        !small && self.parsed.verify_sig(message, signature).is_ok()
    }
}

/// Returns whether these bytes encode a point whose order divides eight, canonically or not. They
/// are not secret.
fn is_small_order(point: &[u8; 32]) -> bool {
    let mut y = *point;
    if let Some(last) = y.last_mut() {
        *last &= 0x7F;
    }
    SMALL_ORDER.contains(&y)
}

/// The y coordinates of the points of small order: 0, 1, the two of order eight, −1, and p and p +
/// 1, which are further encodings of 0 and 1. The sign is left out.
const SMALL_ORDER: [[u8; 32]; 7] = [
    [0; 32],
    little(1, 0, 0),
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, 0x7a,
    ],
    little(0xec, 0xff, 0x7f),
    little(0xed, 0xff, 0x7f),
    little(0xee, 0xff, 0x7f),
];

/// Returns a number of 32 bytes, least significant byte first.
const fn little(first: u8, between: u8, last: u8) -> [u8; 32] {
    let mut bytes = [between; 32];
    let [lowest, .., highest] = &mut bytes;
    *lowest = first;
    *highest = last;
    bytes
}

#[cfg(test)]
mod tests {
    use base64_simd::URL_SAFE_NO_PAD;

    use super::*;
    use crate::keys::{Algorithm, LiveKey};
    use crate::secret::Secret;

    fn unhex(text: &str) -> Vec<u8> {
        Secret::parse(&format!("hex:{text}"))
            .unwrap()
            .expose()
            .to_vec()
    }

    /// All encodings of small-order points: those that ed25519-dalek finds weak, and those that it
    /// cannot decode.
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
        assert!(
            Ed25519Public::new(&fine.as_bytes()[..31]).is_none()
                && Ed25519Public::new(&[]).is_none()
        );
    }

    /// Finds them without the table: the group's order times any point is a point of small order.
    fn points_of_small_order() -> std::collections::BTreeSet<[u8; 32]> {
        let order = unhex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
        let mut found = std::collections::BTreeSet::new();
        for start in 0..=255u8 {
            let Ok(point) = ed25519_dalek::VerifyingKey::from_bytes(&[start; 32]) else {
                continue;
            };
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

    /// S + L is another encoding of S; a small-order R with a small-order key verifies any message
    /// if the verifier is not strict.
    #[test]
    fn r30_non_canonical_and_small_order_signatures_are_refused() {
        let key = LiveKey::new(Algorithm::EdDSA, &Secret::from_bytes(vec![7; 32])).unwrap();
        let mut signature = <[u8; 64]>::try_from(key.sign(b"message").unwrap().as_slice()).unwrap();
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
        assert!(
            lenient.verify_sig(b"anything", &forged).is_ok(),
            "the vector has lost its bite"
        );
        let unchecked = Ed25519Public {
            parsed: lenient,
            bytes: identity,
        };
        assert!(
            !unchecked.verify(b"anything", &forged),
            "R is of small order, whatever the key"
        );
    }

    /// For honest and for mutated signatures the result is the same as that of ed25519-dalek's
    /// strict check.
    #[test]
    fn r30_we_are_as_strict_as_ed25519_dalek() {
        let dalek = ed25519_dalek::SigningKey::from_bytes(&[9; 32]);
        let key = LiveKey::new(Algorithm::EdDSA, &Secret::from_bytes(vec![9; 32])).unwrap();
        let ours = key.public().unwrap().jwk();
        assert!(
            serde_json::to_string(&ours)
                .unwrap()
                .contains(&URL_SAFE_NO_PAD.encode_to_string(dalek.verifying_key()))
        );
        let signature = <[u8; 64]>::try_from(key.sign(b"message").unwrap().as_slice()).unwrap();
        for bit in 0..512 {
            let mut changed = signature;
            changed[bit / 8] ^= 1 << (bit % 8);
            let strict = dalek
                .verifying_key()
                .verify_strict(b"message", &ed25519_dalek::Signature::from_bytes(&changed));
            assert_eq!(
                key.verify(b"message", &changed),
                strict.is_ok(),
                "bit {bit}"
            );
        }
        for point in SMALL_ORDER {
            let mut changed = signature;
            changed[..32].copy_from_slice(&point);
            assert!(!key.verify(b"message", &changed));
        }
    }
}
