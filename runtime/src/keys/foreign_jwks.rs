//! Sets of public keys of other issuers: read leniently key by key, strictly as a whole.

use std::fmt;

use serde::Deserialize;
use serde_json::Value;

use super::algorithm::Algorithm;
use super::jwk::Jwk;
use super::key::problem::KeyProblem;
use super::key::public::PublicKey;

/// The usable keys of a JWK set, and the problems of the others. An empty set verifies nothing
/// (R24). A secret key, `kty: oct`, is never one of them (R20).
#[derive(Clone, Debug, Default)]
pub struct PublicKeySet {
    keys: Vec<PublicKey>,
    skipped: Vec<(Option<String>, KeyProblem)>,
}

/// The reason why a set as a whole is not used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BadKeySet {
    /// It is not a JSON object with a list `keys`.
    Malformed,
    /// It has more than the 64 keys that are read.
    TooMany,
    /// More than four keys of one algorithm have this `kid` (R32).
    RepeatedKid(String),
}

impl fmt::Display for BadKeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str("the text is not a JWK set"),
            Self::TooMany => write!(f, "the JWK set has more than {MAX_KEYS} keys"),
            Self::RepeatedKid(kid) => write!(
                f,
                "the JWK set has more than {MOST_TRIED} keys of one algorithm by the `kid` {}",
                quoted_kid(kid)
            ),
        }
    }
}

impl std::error::Error for BadKeySet {}

/// The member of a JWK set that is read.
#[derive(Deserialize)]
struct ForeignKeys {
    keys: Vec<Value>,
}

impl PublicKeySet {
    /// Reads a JWK set (RFC 7517 section 5). A key that cannot be used is skipped; the others are
    /// used (R33).
    ///
    /// # Errors
    /// See [`BadKeySet`].
    pub fn from_json(json: &[u8], allowed: &[Algorithm]) -> Result<Self, BadKeySet> {
        let members: ForeignKeys =
            serde_json::from_slice(json).map_err(|_| BadKeySet::Malformed)?;
        Self::from_values(&members.keys, allowed)
    }

    fn from_values(values: &[Value], allowed: &[Algorithm]) -> Result<Self, BadKeySet> {
        let text =
            |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        if values.len() > MAX_KEYS {
            return Err(BadKeySet::TooMany);
        }
        let mut set = Self::default();
        for value in values {
            match Self::read(value, allowed).and_then(|key| set.admit(key)) {
                Ok(()) => {}
                Err(problem) => set.skipped.push((text(value, "kid"), problem)),
            }
        }
        match set.repeated() {
            Some(kid) => Err(BadKeySet::RepeatedKid(kid)),
            None => Ok(set),
        }
    }

    /// Returns the `kid` of more keys of one algorithm than are tried for a token.
    fn repeated(&self) -> Option<String> {
        self.keys.iter().find_map(|key| {
            let kid = key.kid()?;
            let of_kid = self.fitting(Some(kid), key.algorithm());
            (of_kid.count() > MOST_TRIED).then(|| kid.to_owned())
        })
    }

    /// Returns the keys of this `kid` (RFC 7517 section 4.5) that are for this algorithm; without a
    /// `kid`, all keys of the algorithm.
    fn fitting<'s, 'k>(
        &'s self,
        kid: Option<&'k str>,
        algorithm: Algorithm,
    ) -> impl Iterator<Item = &'s PublicKey> + use<'s, 'k> {
        self.keys.iter().filter(move |key| {
            key.algorithm() == algorithm && kid.is_none_or(|kid| key.kid() == Some(kid))
        })
    }

    /// Returns the keys that may have signed a token: those of its `kid`, or the only key of the
    /// set if that has no `kid`. For a token without `kid` it is the only key of the algorithm, or
    /// up to four of them where `try_without_kid` is set (R21, R34).
    pub(crate) fn candidates<'s>(
        &'s self,
        kid: Option<&str>,
        algorithm: Algorithm,
        try_without_kid: bool,
    ) -> Vec<&'s PublicKey> {
        if let Some(kid) = kid {
            let named: Vec<_> = self
                .fitting(Some(kid), algorithm)
                .take(MOST_TRIED)
                .collect();
            return match &*self.keys {
                // The only key of the set has no name, so the token's name cannot be that of
                // another key.
                [only] if named.is_empty() && only.kid().is_none() => {
                    self.fitting(None, algorithm).collect()
                }
                _ => named,
            };
        }
        let most = if try_without_kid { MOST_TRIED } else { 1 };
        let all: Vec<_> = self.fitting(None, algorithm).take(most + 1).collect();
        if all.len() > most { Vec::new() } else { all }
    }

    fn read(value: &Value, allowed: &[Algorithm]) -> Result<PublicKey, KeyProblem> {
        // A key whose private part was published is no longer secret.
        if PRIVATE_MEMBERS.iter().any(|name| value.get(name).is_some()) {
            return Err(KeyProblem::Private);
        }
        let jwk: Jwk = serde_json::from_value(value.clone()).map_err(|_| KeyProblem::Malformed)?;
        PublicKey::from_jwk(&jwk, allowed)
    }

    fn admit(&mut self, key: PublicKey) -> Result<(), KeyProblem> {
        if self
            .keys
            .iter()
            .any(|known| known.is_same_key(&key) && known.algorithm() != key.algorithm())
        {
            return Err(KeyProblem::SecondAlgorithm);
        }
        self.keys.push(key);
        Ok(())
    }

    /// Returns the keys that can be used.
    #[must_use]
    pub fn keys(&self) -> &[PublicKey] {
        &self.keys
    }

    /// Returns the keys that were left out, by `kid` where they have one, with the reasons.
    #[must_use]
    pub fn skipped(&self) -> &[(Option<String>, KeyProblem)] {
        &self.skipped
    }

    /// Returns the key of this `kid`, byte for byte.
    #[must_use]
    pub fn find(&self, kid: &str) -> Option<&PublicKey> {
        self.keys.iter().find(|key| key.kid() == Some(kid))
    }
}

impl FromIterator<PublicKey> for PublicKeySet {
    /// Collects keys that were read one by one, as from PEM texts. A key that is there already for
    /// another algorithm is skipped.
    fn from_iter<T: IntoIterator<Item = PublicKey>>(keys: T) -> Self {
        let mut set = Self::default();
        for key in keys {
            let kid = key.kid().map(str::to_owned);
            if let Err(problem) = set.admit(key) {
                set.skipped.push((kid, problem));
            }
        }
        set
    }
}

/// Returns a `kid` for the log, escaped and not too long.
fn quoted_kid(kid: &str) -> String {
    let mut shown: String = kid.escape_default().take(100).collect();
    shown.insert(0, '"');
    shown.push('"');
    shown
}

/// The number of keys that are tried for one token, at most.
const MOST_TRIED: usize = 4;
/// The largest number of keys in a set (R62).
const MAX_KEYS: usize = 64;
/// The private members of RSA, EC and OKP keys (RFC 7518 section 6).
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
