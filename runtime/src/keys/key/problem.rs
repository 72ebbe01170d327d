//! The problems for which a key is not used.

use std::fmt;

use super::form::KeyForm;

/// The reason why a key cannot be used. In a set the key is left out and the others are used (RFC
/// 7517 section 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyProblem {
    /// The type, curve or algorithm is unknown, or is not allowed.
    Unsupported,
    /// The key names no algorithm, and several of the allowed ones would fit.
    Ambiguous,
    /// The key's `use` or `key_ops` does not allow verifying signatures (RFC 7517 sections 4.2 and
    /// 4.3).
    NotForSignatures,
    /// The key is private or secret, and does not belong in a set of public keys.
    Private,
    /// A member is missing or has a wrong form, or the point is not on its curve, or of small
    /// order.
    Malformed,
    /// An RSA modulus of so many bits: 2048 to 8192 are needed.
    RsaSize(usize),
    /// An RSA exponent that is even, less than 65537, or has more than 32 bits.
    RsaExponent,
    /// An RSA modulus of the generator whose keys can be factored (ROCA, CVE-2017-15361).
    Roca,
    /// The set already has the same key for another algorithm.
    SecondAlgorithm,
    /// The text is a key in another form, or not a key.
    Form(KeyForm),
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
                "the RSA key has a weak exponent: an odd one of at least 65537 and at most 32 bits \
                 is needed",
            ),
            Self::Roca => {
                f.write_str("the RSA key was made by a broken generator (ROCA): make another one")
            }
            Self::Form(form) => form.fmt(f),
            Self::SecondAlgorithm => f.write_str(
                "the key is there already, for another algorithm: one key, one algorithm",
            ),
        }
    }
}

impl std::error::Error for KeyProblem {}
