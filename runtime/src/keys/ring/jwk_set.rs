//! Rings whose keys come from a JWK set with private parts.

use std::sync::Arc;

use serde::Deserialize;

use super::KeyRing;
use super::configured::ConfiguredRing;
use crate::error::{Error, ErrorKind};
use crate::keys::jwk::Jwk;
use crate::keys::key::private::PrivateJwk;
use crate::keys::key::public::PublicKey;
use crate::keys::key::state::KeyState;

/// A JWK set whose keys may have private parts.
#[derive(Deserialize)]
struct PrivateJwkSet {
    keys: Vec<PrivateJwk>,
}

impl KeyRing {
    /// Makes a ring of the keys of a JWK set (RFC 7517): the first with a private part signs, the
    /// others verify. The set is either all secret (`oct`) or all asymmetric, of one algorithm,
    /// which each key names in `alg`.
    ///
    /// # Errors
    /// The text is not a JWK set; no key signs; a key has another algorithm than the first or names
    /// none, is weak, or is there already; `kid`s are not unique.
    pub fn from_jwk_set(json: &str) -> Result<ConfiguredRing, Error> {
        let refuse = |what: String| Error::new(ErrorKind::Keys, what);
        // The parser's error text could contain a part of a key.
        let PrivateJwkSet { keys } = serde_json::from_str(json)
            .map_err(|_| refuse("the text is no set of private JWKs".into()))?;
        let signs = keys.iter().position(PrivateJwk::is_private);
        let first = signs
            .and_then(|at| keys.get(at))
            .ok_or_else(|| refuse("the JWK set has no key that signs".into()))?;
        let name = |key: &PrivateJwk| key.kid.clone().unwrap_or_default();
        let algorithm = first.alg.ok_or_else(|| {
            refuse(format!(
                "the key {:?} of the JWK set names no `alg`",
                name(first)
            ))
        })?;
        let secret = |key: &PrivateJwk| {
            let what = || {
                format!(
                    "the key {:?} of the JWK set is not for {algorithm}",
                    name(key)
                )
            };
            if key.alg != Some(algorithm) {
                return Err(refuse(what()));
            }
            key.secret(algorithm)
                .map(Arc::new)
                .map_err(|problem| refuse(what()).because(problem))
        };
        let mut ring = ConfiguredRing::new(algorithm, first.kid.clone(), secret(first)?)?;
        for (at, key) in keys.iter().enumerate().filter(|(at, _)| Some(*at) != signs) {
            if key.is_private() {
                let secret = secret(key)?;
                let live = ring.check(&secret)?;
                ring = ring.add(key.kid.clone(), live.verifying(), KeyState::Previous)?;
                ring.keep(secret);
            } else {
                let public = PublicKey::from_jwk(&public_jwk(json, at)?, &[algorithm]);
                let public = public.map_err(|problem| {
                    refuse(format!(
                        "the key {:?} of the JWK set is not for {algorithm}",
                        name(key)
                    ))
                    .because(problem)
                })?;
                ring = ring.previous(public)?;
            }
        }
        Ok(ring)
    }
}

/// Reads one key of a set as a public one.
fn public_jwk(json: &str, at: usize) -> Result<Jwk, Error> {
    let set: serde_json::Value = serde_json::from_str(json).unwrap_or_default();
    let key = set
        .get("keys")
        .and_then(|keys| keys.get(at))
        .cloned()
        .unwrap_or_default();
    serde_json::from_value(key)
        .map_err(|_| Error::new(ErrorKind::Keys, "the JWK set has a malformed key"))
}
