//! A guard whose keys the program sets.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;

use super::{Issuer, JwtGuard, KeyHealth, Wanted};
use crate::clock::Timestamp;
use crate::error::{AuthError, Error, ErrorKind};
use crate::keys::{PublicKey, PublicKeySet};
use crate::token::JwtClaims;

/// A guard that fetches nothing: the program sets the keys, and changes them while it is in use.
/// Clones share them.
///
/// ```
/// use tollgate::guard::{Issuer, StaticGuard};
/// use tollgate::keys::{Algorithm, PublicKey};
/// # use tollgate::prelude::*;
/// # #[derive(Clone, JwtClaims)] #[claims(external)] struct Partner { #[claim(sub)] id: String }
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let issuer = Issuer::new("https://partner.example")
///     .audience("orders")
///     .algorithms([Algorithm::EdDSA]);
/// let partner = StaticGuard::<Partner>::new(issuer);
///
/// // At the start, and again whenever the partner sends another key:
/// let jwk = r#"{"kty":"OKP","crv":"Ed25519","kid":"1","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
/// let key = PublicKey::from_jwk(&serde_json::from_str(jwk)?, &[Algorithm::EdDSA])?;
/// partner.set_public_keys([key])?;
/// # Ok(())
/// # }
/// ```
pub struct StaticGuard<U> {
    issuer: Issuer,
    shared: Arc<SharedKeys>,
    user: PhantomData<fn() -> U>,
}

/// The keys that the clones of a guard share.
#[derive(Debug, Default)]
struct SharedKeys {
    keys: ArcSwap<PublicKeySet>,
    generation: AtomicU64,
}

impl<U: JwtClaims> StaticGuard<U> {
    /// Makes a guard without keys: it refuses every token until it is given some.
    #[must_use]
    pub fn new(issuer: Issuer) -> Self {
        Self {
            issuer,
            shared: Arc::default(),
            user: PhantomData,
        }
    }

    /// Replaces all keys at once. Tokens that the old keys verified are verified again.
    ///
    /// # Errors
    /// A key is of an algorithm that the issuer's tokens may not have, is listed twice for
    /// different algorithms, or shares its `kid` with another. Nothing was replaced.
    pub fn set_public_keys(&self, keys: impl IntoIterator<Item = PublicKey>) -> Result<(), Error> {
        let keys: PublicKeySet = keys.into_iter().collect();
        let refuse = |what: String| Err(Error::new(ErrorKind::Keys, what));
        if let Some((kid, problem)) = keys.skipped().first() {
            return refuse(format!(
                "the key {} of `{}` cannot be used: {problem}",
                shown(kid.as_deref()),
                self.issuer
            ));
        }
        let foreign = keys
            .keys()
            .iter()
            .find(|key| !self.issuer.allowed().contains(&key.algorithm()));
        if let Some(key) = foreign {
            return refuse(format!(
                "the key {} is for {:?}, which tokens of `{}` may not have: name it in \
                 `.algorithms([…])`",
                shown(key.kid()),
                key.algorithm(),
                self.issuer
            ));
        }
        let is_repeated = |at: usize, key: &PublicKey| {
            keys.keys()
                .iter()
                .skip(at + 1)
                .any(|other| other.kid() == key.kid())
        };
        if let Some((_, key)) = keys
            .keys()
            .iter()
            .enumerate()
            .find(|(at, key)| is_repeated(*at, key))
        {
            return refuse(format!(
                "two keys of `{}` are called {}",
                self.issuer,
                shown(key.kid())
            ));
        }
        self.shared.keys.store(Arc::new(keys));
        // It changes after the keys: a caller that read the number before gets newer keys at worst,
        // never older ones.
        self.shared.generation.fetch_add(1, Ordering::Release);
        Ok(())
    }
}

impl<U: JwtClaims> JwtGuard for StaticGuard<U> {
    type User = U;

    fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    async fn public_keys(&self, _: Wanted<'_>) -> Result<Arc<PublicKeySet>, AuthError> {
        Ok(self.shared.keys.load_full())
    }

    fn generation(&self, _: Timestamp) -> Option<u64> {
        Some(self.shared.generation.load(Ordering::Acquire))
    }

    fn health(&self, _: Timestamp) -> KeyHealth {
        KeyHealth {
            keys: Some(self.shared.keys.load().keys().len()),
            ..KeyHealth::default()
        }
    }
}

fn shown(kid: Option<&str>) -> String {
    kid.map_or_else(|| String::from("without a `kid`"), |kid| format!("{kid:?}"))
}

impl<U> Clone for StaticGuard<U> {
    fn clone(&self) -> Self {
        Self {
            issuer: self.issuer.clone(),
            shared: Arc::clone(&self.shared),
            user: PhantomData,
        }
    }
}

impl<U> fmt::Debug for StaticGuard<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StaticGuard")
            .field("issuer", &self.issuer.name())
            .finish_non_exhaustive()
    }
}
