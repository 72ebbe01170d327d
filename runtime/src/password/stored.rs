//! Stored password hashes: a PHC string, and how to compute it again.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use zeroize::Zeroizing;

use super::pool::Memory;
use crate::error::AuthError;
use crate::secret::Password;

/// A password's hash as the table of users keeps it: a PHC string,
/// `$argon2id$v=19$m=19456,t=2,p=1$…$…`.
///
/// Any text can be one; whether it is a hash shows in [`check`](super::Passwords::check), so that
/// an account with a broken hash costs as much as the others. `Debug` prints a redaction.
#[derive(Clone, PartialEq, Eq)]
pub struct Stored(String);

impl Stored {
    /// Returns the text for the table.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for Stored {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Stored {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl FromStr for Stored {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self::from(text))
    }
}

impl fmt::Display for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stored([redacted])")
    }
}

/// The inputs of an evaluation beside the password, and the expected output.
pub(super) struct Recipe {
    algorithm: Algorithm,
    version: Version,
    params: Params,
    salt: Vec<u8>,
    expected: Vec<u8>,
}

/// The most that a stored hash may ask for: a row that asks for more is not one that was written
/// for sign-ins.
const MOST_MEMORY_KIB: u32 = 1024 * 1024;
const MOST_PASSES: u32 = 64;
const MOST_LANES: u32 = 64;

impl Recipe {
    /// Makes the recipe for a password that is to be hashed.
    pub(super) fn new(params: Params, salt: &[u8]) -> Self {
        let (algorithm, version) = (Algorithm::Argon2id, Version::V0x13);
        Self {
            algorithm,
            version,
            params,
            salt: salt.to_vec(),
            expected: Vec::new(),
        }
    }

    /// Makes the recipe for an account that does not exist: the same work, and nothing matches.
    pub(super) fn nobody(params: Params) -> Self {
        Self::new(params, &[0; argon2::RECOMMENDED_SALT_LEN])
    }

    /// Reads a stored hash. The error never holds it.
    pub(super) fn parse(stored: &Stored) -> Result<Self, AuthError> {
        let unreadable = || AuthError::unavailable("a stored password hash is not one of argon2");
        let hash = PasswordHash::new(&stored.0).map_err(|_| unreadable())?;
        let algorithm = Algorithm::try_from(hash.algorithm.as_str()).map_err(|_| unreadable())?;
        // A hash without a version is of the first one, as in the reference implementation.
        let version = hash
            .version
            .map_or(Ok(Version::V0x10), Version::try_from)
            .map_err(|_| unreadable())?;
        let params = Params::try_from(&hash).map_err(|_| unreadable())?;
        if params.m_cost() > MOST_MEMORY_KIB
            || params.t_cost() > MOST_PASSES
            || params.p_cost() > MOST_LANES
        {
            return Err(unreadable());
        }
        let (Some(salt), Some(expected)) = (hash.salt, hash.hash) else {
            return Err(unreadable());
        };
        Ok(Self {
            algorithm,
            version,
            params,
            salt: salt.to_vec(),
            expected: expected.as_bytes().to_vec(),
        })
    }

    /// Returns the output that a right password gives.
    pub(super) fn expected(&self) -> &[u8] {
        &self.expected
    }

    /// Evaluates the recipe once, and counts it.
    pub(super) fn evaluate(
        &self,
        password: &Password,
        memory: &mut Memory<'_>,
    ) -> Result<Zeroizing<Vec<u8>>, AuthError> {
        let Self {
            algorithm,
            version,
            params,
            salt,
            ..
        } = self;
        let mut output = Zeroizing::new(vec![
            0;
            params
                .output_len()
                .unwrap_or(Params::DEFAULT_OUTPUT_LEN)
        ]);
        let blocks = memory.blocks(params.block_count())?;
        Argon2::new(*algorithm, *version, params.clone()).hash_password_into_with_memory(
            password.expose().as_bytes(),
            salt,
            &mut output,
            &mut *blocks,
        )?;
        if params.t_cost() == 1 {
            // After a single pass the first blocks would tell a guess from the password at no cost;
            // later passes hide them.
            blocks.fill(Block::new());
        }
        Ok(output)
    }

    /// Returns whether a hash with the present parameters would resist longer.
    pub(super) fn is_weaker_than(&self, today: &Params) -> bool {
        (self.algorithm, self.version) != (Algorithm::Argon2id, Version::V0x13)
            || self.params.m_cost() < today.m_cost()
            || self.params.t_cost() < today.t_cost()
            || self.salt.len() < argon2::RECOMMENDED_SALT_LEN
            || self.expected.len() < Params::DEFAULT_OUTPUT_LEN
    }

    /// Returns the text of a hash that an evaluation gave.
    pub(super) fn stored(&self, output: &[u8]) -> Result<Stored, AuthError> {
        let hash = PasswordHash {
            algorithm: self.algorithm.ident(),
            version: Some(self.version.into()),
            params: ParamsString::try_from(&self.params)?,
            salt: Some(Salt::new(&self.salt)?),
            hash: Some(Output::new(output)?),
        };
        Ok(Stored(hash.to_string()))
    }
}
