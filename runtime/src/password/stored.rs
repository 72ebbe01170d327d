//! Stored password hashes: a PHC string, and the computation that checks a password against it.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use zeroize::Zeroizing;

use super::pool::Memory;
use super::watch::cost;
use crate::error::AuthError;
use crate::secret::Password;

/// A password's hash as the table of users keeps it: a PHC string,
/// `$argon2id$v=19$m=19456,t=2,p=1$…$…`.
///
/// Any text can be one; [`check`](super::Passwords::check) finds out whether it is a hash, so that
/// an account with a broken hash costs as much as the others. `Debug` prints a redaction.
#[derive(Clone)]
pub struct Stored {
    text: String,
    owner: Option<String>,
}

impl Stored {
    /// Returns the text for the table.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Adds the subject of the hash, so that a report of one that cannot be read names the subject.
    #[must_use]
    pub fn of(self, subject: impl fmt::Display) -> Self {
        Self {
            owner: Some(subject.to_string()),
            ..self
        }
    }

    /// Returns the subject of the hash, if it is known.
    pub(super) fn owner(&self) -> Option<&str> {
        self.owner.as_deref()
    }

    /// Returns whether the text is a mark that other programs write for an account without a
    /// password: the empty text, `!` with what Django or `passwd -l` writes after it, `*`, `*LK*`,
    /// `*0`.
    pub(super) fn is_unusable(&self) -> bool {
        let text = self.text.trim();
        text.is_empty() || text.starts_with('!') || (text.starts_with('*') && text.len() <= 4)
    }
}

impl PartialEq for Stored {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Stored {}

impl From<String> for Stored {
    fn from(text: String) -> Self {
        Self { text, owner: None }
    }
}

impl From<&str> for Stored {
    fn from(text: &str) -> Self {
        text.to_owned().into()
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
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stored([redacted])")
    }
}

/// The inputs of an evaluation other than the password, and the expected output.
pub(super) struct Recipe {
    algorithm: Algorithm,
    version: Version,
    params: Params,
    salt: Vec<u8>,
    expected: Vec<u8>,
}

/// The most memory that a stored hash may ask for, in KiB: a hash that asks for more was not
/// written for sign-ins.
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

    /// Makes the recipe for an account that does not exist: the same work, and no password matches.
    pub(super) fn nobody(params: Params) -> Self {
        Self::new(params, &[0; argon2::RECOMMENDED_SALT_LEN])
    }

    /// Reads a stored hash; `None` if it is not one that can be evaluated.
    pub(super) fn parse(stored: &Stored) -> Option<Self> {
        let hash = PasswordHash::new(&stored.text).ok()?;
        let algorithm = Algorithm::try_from(hash.algorithm.as_str()).ok()?;
        // A hash without a version is of the first version, as in the reference implementation.
        let version = hash
            .version
            .map_or(Ok(Version::V0x10), Version::try_from)
            .ok()?;
        let params = Params::try_from(&hash).ok()?;
        if params.m_cost() > MOST_MEMORY_KIB
            || params.t_cost() > MOST_PASSES
            || params.p_cost() > MOST_LANES
        {
            return None;
        }
        let (salt, expected) = hash.salt.zip(hash.hash)?;
        if salt.len() < argon2::MIN_SALT_LEN {
            return None;
        }
        Some(Self {
            algorithm,
            version,
            params,
            salt: salt.to_vec(),
            expected: expected.as_bytes().to_vec(),
        })
    }

    /// Returns the parameters.
    pub(super) fn params(&self) -> &Params {
        &self.params
    }

    /// Returns the output for the right password.
    pub(super) fn expected(&self) -> &[u8] {
        &self.expected
    }

    /// Evaluates the recipe once, and counts it.
    pub(super) fn evaluate(
        &self,
        password: &Password,
        memory: &mut Memory<'_>,
    ) -> Result<Zeroizing<Vec<u8>>, AuthError> {
        memory.count();
        self.work(password, memory)
    }

    /// Does the rest of the work of `target` after this recipe was evaluated, so that a weaker hash
    /// takes as long as the others.
    pub(super) fn top_up(
        &self,
        target: &Params,
        password: &Password,
        memory: &mut Memory<'_>,
    ) -> Result<(), AuthError> {
        let left = cost(target).saturating_sub(cost(&self.params));
        let passes = left.div_ceil(u64::from(target.m_cost()));
        if passes == 0 {
            return Ok(());
        }
        // Argon2 works on at least eight blocks.
        let memory_kib = u32::try_from(left.div_ceil(passes))
            .unwrap_or(u32::MAX)
            .max(8);
        let passes = u32::try_from(passes).unwrap_or(u32::MAX);
        let rest = Params::new(memory_kib, passes, 1, None)?;
        Self::nobody(rest).work(password, memory).map(drop)
    }

    fn work(
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
        memory.works(cost(params));
        let blocks = memory.blocks(params.block_count())?;
        Argon2::new(*algorithm, *version, params.clone()).hash_password_into_with_memory(
            password.expose().as_bytes(),
            salt,
            &mut output,
            &mut *blocks,
        )?;
        if params.t_cost() == 1 {
            // After a single pass, the first blocks would let an attacker test a guess at no cost;
            // later passes overwrite them.
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

    /// Returns the text of a hash with this output.
    pub(super) fn stored(&self, output: &[u8]) -> Result<Stored, AuthError> {
        let hash = PasswordHash {
            algorithm: self.algorithm.ident(),
            version: Some(self.version.into()),
            params: ParamsString::try_from(&self.params)?,
            salt: Some(Salt::new(&self.salt)?),
            hash: Some(Output::new(output)?),
        };
        Ok(Stored::from(hash.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(params: &str) -> Option<Recipe> {
        let hash = "$c29tZXNhbHQ$JTBlM2QKr0Y5Tw8K4Q9N9Q";
        Recipe::parse(&format!("$argon2id$v=19${params}{hash}").as_str().into())
    }

    /// Nothing is evaluated here: a hash beyond the bound must not even be tried.
    #[test]
    fn what_a_stored_hash_may_ask_for_is_bounded() {
        assert!(parse("m=1048576,t=1,p=1").is_some());
        assert!(parse("m=1048577,t=1,p=1").is_none(), "memory");
        assert!(parse("m=8,t=64,p=1").is_some());
        assert!(parse("m=8,t=65,p=1").is_none(), "passes");
        assert!(parse("m=1024,t=1,p=64").is_some());
        assert!(parse("m=1024,t=1,p=65").is_none(), "lanes");
    }
}
