//! A cache of verified tokens: a token that comes again costs a look-up in place of a signature.

use std::any::Any;
use std::fmt;
use std::hash::RandomState;
use std::sync::Arc;
use std::time::Duration;

use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{OptionsBuilder, Weighter};

use super::claims::ClaimSet;
use super::verify::{Verified, VerifiedToken};
use crate::clock::Timestamp;

/// The verified tokens, by their whole text (R132).
///
/// A token is found by a hash with a random seed and then compared byte for byte, so that no other
/// token is taken for it. Its entry names the verifier and the generation of the verifier's keys.
/// Times are checked at every use; all else that may change, such as revocations, is for the caller
/// to check.
pub(crate) struct VerifiedCache(Option<Cache<Box<str>, CachedToken, ByteWeight, RandomState>>);

#[derive(Clone)]
struct CachedToken {
    verified: Arc<dyn Any + Send + Sync>,
    owner: u64,
    generation: u64,
}

#[derive(Clone, Copy)]
struct ByteWeight;

impl Weighter<Box<str>, CachedToken> for ByteWeight {
    fn weight(&self, token: &Box<str>, _: &CachedToken) -> u64 {
        // The text, the claims that were read out of it, and what goes with them.
        token.len() as u64 * 2 + 512
    }
}

impl VerifiedCache {
    /// Makes a cache of so many bytes; nothing is remembered where it is 0.
    pub(crate) fn new(bytes: u64) -> Self {
        let items = usize::try_from(bytes / 1024).unwrap_or(usize::MAX);
        let options = OptionsBuilder::new()
            .estimated_items_capacity(items)
            .weight_capacity(bytes)
            .build()
            .ok();
        let made = |options| {
            Cache::with_options(
                options,
                ByteWeight,
                RandomState::new(),
                DefaultLifecycle::default(),
            )
        };
        Self(options.filter(|_| bytes > 0).map(made))
    }

    /// Returns the token, where it was verified under the present generation of its owner's keys
    /// and has not expired. `of` gives for an owner what the caller needs of it, its generation,
    /// and its leeway. `now` is as `verify_at` takes it.
    pub(crate) fn get<C: ClaimSet, T>(
        &self,
        token: &str,
        now: (Timestamp, Timestamp),
        of: impl FnOnce(u64) -> Option<(T, u64, Duration)>,
    ) -> Option<(T, Verified<C>)> {
        let cached = self.0.as_ref()?.get(token)?;
        let (owner, generation, leeway) = of(cached.owner)?;
        let verified: Arc<VerifiedToken<C>> = cached.verified.downcast().ok()?;
        let counts = cached.generation == generation && verified.token().is_timely(leeway, now);
        counts.then(|| (owner, Verified::shared(verified)))
    }

    /// Remembers a token, unless it is long.
    pub(crate) fn put<C: ClaimSet>(
        &self,
        token: &str,
        verified: &Verified<C>,
        owner: u64,
        generation: u64,
    ) {
        let Some(cache) = self.0.as_ref().filter(|_| token.len() <= MAX_TOKEN) else {
            return;
        };
        cache.insert(
            token.into(),
            CachedToken {
                verified: verified.to_shared(),
                owner,
                generation,
            },
        );
    }
}

impl fmt::Debug for VerifiedCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedCache")
            .field("len", &self.0.as_ref().map(Cache::len))
            .finish()
    }
}

/// The longest token that is remembered, in bytes: longer ones are hardly ever sent twice in a row,
/// and would push many others out (R132).
const MAX_TOKEN: usize = 2048;
