//! Sets of public keys of other issuers: read leniently key by key, strictly as a whole.

use std::fmt;

use serde::Deserialize;
use serde_json::Value;

use super::algorithm::Algorithm;
use super::jwk::Jwk;
use super::key::problem::KeyProblem;
use super::key::public::PublicKey;

/// The usable keys of a JWK set, and the problems of the others. An empty set verifies nothing
/// (R24).
#[derive(Clone, Debug, Default)]
pub struct PublicKeySet {
    keys: Vec<PublicKey>,
    skipped: Vec<(Option<String>, KeyProblem)>,
}

/// Why a set as a whole is not used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BadKeySet {
    /// It is not a JSON object with a list `keys`.
    Malformed,
    /// It has more than the 64 keys that are read.
    TooMany,
    /// Two keys of one type have this `kid` (R32).
    DuplicateKid(String),
    /// It holds secret keys, `kty: oct`, beside public ones (R32).
    Mixed,
}

impl fmt::Display for BadKeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str("the text is not a JWK set"),
            Self::TooMany => write!(f, "the JWK set has more than {MAX_KEYS} keys"),
            Self::DuplicateKid(kid) => write!(f, "the JWK set has two keys by the `kid` {kid:?}"),
            Self::Mixed => f.write_str("the JWK set holds secret keys beside public ones"),
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
    /// Reads a JWK set (RFC 7517 section 5). A key that cannot be used is skipped; the others serve
    /// (R33).
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
        let is_secret = |value: &Value| text(value, "kty").as_deref() == Some("oct");
        if values.iter().any(is_secret) && !values.iter().all(is_secret) {
            return Err(BadKeySet::Mixed);
        }
        let mut set = Self::default();
        for (at, value) in values.iter().enumerate() {
            let (kid, kty) = (text(value, "kid"), text(value, "kty"));
            let is_double = |other: &Value| text(other, "kid") == kid && text(other, "kty") == kty;
            if let Some(kid) = kid
                .as_ref()
                .filter(|_| values.iter().skip(at + 1).any(is_double))
            {
                return Err(BadKeySet::DuplicateKid(kid.clone()));
            }
            match Self::read(value, allowed).and_then(|key| set.admit(key)) {
                Ok(()) => {}
                Err(problem) => set.skipped.push((kid, problem)),
            }
        }
        Ok(set)
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

    /// Returns the keys that were left out, by `kid` where they have one, and why.
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

/// R62.
const MAX_KEYS: usize = 64;
/// The private members of RSA, EC and OKP keys (RFC 7518 section 6).
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
