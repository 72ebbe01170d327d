//! Hashes that other programs wrote: bcrypt, and those of Django. They are checked, and never made.

use std::num::NonZeroU32;

use aws_lc_rs::pbkdf2;
use base64_simd::STANDARD;
use zeroize::Zeroizing;

use super::stored::Stored;
use crate::error::AuthError;
use crate::secret::{Password, hex, same, sha256};

/// A stored hash of another algorithm than argon2.
pub(super) enum ImportedHash {
    /// bcrypt, over the password itself or over the hexadecimal digits of its SHA-256, as Django's
    /// `bcrypt_sha256` does.
    Bcrypt { hash: String, digested: bool },
    /// PBKDF2 (RFC 8018 section 5.2) as Django writes it: `pbkdf2_sha256$iterations$salt$hash`.
    Pbkdf2 {
        algorithm: pbkdf2::Algorithm,
        iterations: NonZeroU32,
        salt: String,
        hash: Vec<u8>,
    },
}

impl ImportedHash {
    /// Reads a stored hash; `None` if it is not one of these, or would take more work than a
    /// hash for sign-ins does.
    pub(super) fn parse(stored: &Stored) -> Option<Self> {
        let text = stored.as_str();
        let bcrypt = |hash: &str, digested| {
            is_bcrypt(hash).then(|| Self::Bcrypt {
                hash: hash.to_owned(),
                digested,
            })
        };
        match text.split_once('$')? {
            ("", _) => bcrypt(text, false),
            ("bcrypt", hash) => bcrypt(hash, false),
            ("bcrypt_sha256", hash) => bcrypt(hash, true),
            ("pbkdf2_sha256", rest) => Self::pbkdf2(pbkdf2::PBKDF2_HMAC_SHA256, 32, rest),
            ("pbkdf2_sha1", rest) => Self::pbkdf2(pbkdf2::PBKDF2_HMAC_SHA1, 20, rest),
            _ => None,
        }
    }

    fn pbkdf2(algorithm: pbkdf2::Algorithm, length: usize, rest: &str) -> Option<Self> {
        let mut parts = rest.split('$');
        let (iterations, salt, hash) = (parts.next()?, parts.next()?, parts.next()?);
        let iterations: NonZeroU32 = iterations
            .parse()
            .ok()
            .filter(|count: &NonZeroU32| count.get() <= MOST_ITERATIONS)?;
        let hash = STANDARD
            .decode_to_vec(hash)
            .ok()
            .filter(|hash| hash.len() == length && parts.next().is_none())?;
        Some(Self::Pbkdf2 {
            algorithm,
            iterations,
            salt: salt.to_owned(),
            hash,
        })
    }

    /// Evaluates the hash once, and returns whether the password is right.
    pub(super) fn matches(&self, password: &Password) -> Result<bool, AuthError> {
        let bytes = password.expose().as_bytes();
        match self {
            Self::Bcrypt {
                hash,
                digested: false,
            } => {
                // The work is done for every length, but a password with more bytes than bcrypt
                // reads is never right (R121).
                let right = bcrypt::verify(bytes, hash)?;
                Ok(right && bytes.len() <= BCRYPT_BYTES)
            }
            Self::Bcrypt {
                hash,
                digested: true,
            } => {
                let digits = Zeroizing::new(hex(&sha256(bytes)));
                Ok(bcrypt::verify(digits.as_bytes(), hash)?)
            }
            Self::Pbkdf2 {
                algorithm,
                iterations,
                salt,
                hash,
            } => {
                let mut output = Zeroizing::new(vec![0; hash.len()]);
                pbkdf2::derive(*algorithm, *iterations, salt.as_bytes(), bytes, &mut output);
                Ok(same(&output, hash))
            }
        }
    }
}

/// Removes the prefix that Django adds to a PHC string: `argon2$argon2id$…`.
pub(super) fn unwrapped(stored: &Stored) -> Stored {
    stored
        .as_str()
        .strip_prefix("argon2$")
        .map_or_else(|| stored.clone(), |rest| Stored::from(format!("${rest}")))
}

/// Returns whether the hash is `$2a$`, `$2b$` or `$2y$` with an acceptable cost. `$2x$` marks
/// hashes of a faulty implementation.
fn is_bcrypt(hash: &str) -> bool {
    let known = ["$2a$", "$2b$", "$2y$"]
        .iter()
        .find_map(|version| hash.strip_prefix(version));
    let cost = known.and_then(|rest| rest.get(..2)?.parse::<u32>().ok());
    cost.is_some_and(|cost| cost <= MOST_COST) && hash.parse::<bcrypt::HashParts>().is_ok()
}

/// The number of bytes of a password that bcrypt reads.
const BCRYPT_BYTES: usize = 72;
/// The highest cost of bcrypt that is accepted: about four seconds of one core.
const MOST_COST: u32 = 16;
/// The largest number of PBKDF2 iterations that is accepted. Django's default was 1 200 000 in
/// 2025.
const MOST_ITERATIONS: u32 = 10_000_000;
