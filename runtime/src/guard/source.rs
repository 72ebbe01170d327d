//! Sources of keys: one location, or several that must agree.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::error::{AuthError, Error, ErrorKind};
use crate::keys::{Algorithm, PublicKeySet};

/// A source that keys can be fetched from. [`JwksGuard`](super::JwksGuard) keeps the keys, and
/// decides when to fetch.
pub trait KeySource: Send + Sync + 'static {
    /// Fetches the keys of this moment; those of an algorithm that is not `allowed` are left out.
    ///
    /// # Errors
    /// The keys could not be fetched; the known ones stay in use.
    fn fetch(
        &self,
        allowed: &[Algorithm],
    ) -> impl Future<Output = Result<Fetched, AuthError>> + Send;

    /// Looks up the location of the keys again, at the next fetch: called once a day. A source
    /// whose keys never move has nothing to do.
    fn look_up_again(&self) {}
}

/// The keys that a source returned.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Fetched {
    /// The keys.
    pub keys: PublicKeySet,
    /// The time for which the keys may be kept, as the source says. The guard limits it.
    pub max_age: Option<Duration>,
}

impl Fetched {
    /// Wraps keys whose source does not say how long they may be kept.
    #[must_use]
    pub fn new(keys: PublicKeySet) -> Self {
        Self {
            keys,
            max_age: None,
        }
    }

    /// Returns the properties in which equal sets agree: names, algorithms and keys, in any order.
    fn essence(&self) -> Vec<(Option<String>, String, String)> {
        let of = |key: &crate::keys::PublicKey| {
            (
                key.kid().map(str::to_owned),
                key.algorithm().to_string(),
                key.thumbprint(),
            )
        };
        let mut essence: Vec<_> = self.keys.keys().iter().map(of).collect();
        essence.sort_unstable();
        essence
    }
}

type Fetching<'a> = Pin<Box<dyn Future<Output = Result<Fetched, AuthError>> + Send + 'a>>;

/// [`KeySource`] with boxed futures.
pub(super) trait BoxedSource: Send + Sync {
    fn fetch<'a>(&'a self, allowed: &'a [Algorithm]) -> Fetching<'a>;
    fn look_up_again(&self);
}

impl<S: KeySource> BoxedSource for S {
    fn fetch<'a>(&'a self, allowed: &'a [Algorithm]) -> Fetching<'a> {
        Box::pin(KeySource::fetch(self, allowed))
    }

    fn look_up_again(&self) {
        KeySource::look_up_again(self);
    }
}

/// Several sources, of which a given number must return the same keys.
///
/// If an attacker controls one source, or the network on the way to it, they still cannot change a
/// key.
///
/// ```
/// # use tollgate::guard::{Attested, Fetched, KeySource};
/// # use tollgate::prelude::AuthError;
/// # #[derive(Clone)] struct Mirror;
/// # impl KeySource for Mirror {
/// #     async fn fetch(&self, _: &[tollgate::keys::Algorithm]) -> Result<Fetched, AuthError> {
/// #         Err(AuthError::Invalid)
/// #     }
/// # }
/// # fn main() -> Result<(), tollgate::error::Error> {
/// # let (here, there, elsewhere) = (Mirror, Mirror, Mirror);
/// let two_of_three = Attested::new(2).source(here).source(there).source(elsewhere).build()?;
/// assert!(Attested::new(2).source(Mirror).build().is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Attested {
    quorum: usize,
    sources: Vec<Arc<dyn BoxedSource>>,
}

/// Collects the sources of an [`Attested`].
#[derive(Clone, Debug)]
#[must_use = "nothing is attested until `build()`"]
pub struct AttestedBuilder(Attested);

impl Attested {
    /// Begins a source of which this many sources must agree.
    #[allow(
        clippy::new_ret_no_self,
        reason = "what is asked for comes with the sources"
    )]
    pub fn new(quorum: usize) -> AttestedBuilder {
        AttestedBuilder(Self {
            quorum,
            sources: Vec::new(),
        })
    }
}

impl AttestedBuilder {
    /// Adds a source.
    pub fn source(mut self, source: impl KeySource) -> Self {
        self.0.sources.push(Arc::new(source));
        self
    }

    /// Makes the one source of all of them.
    ///
    /// # Errors
    /// The quorum is zero, or above the number of sources.
    pub fn build(self) -> Result<Attested, Error> {
        let Attested { quorum, sources } = &self.0;
        if *quorum == 0 || *quorum > sources.len() {
            let what = format!(
                "{quorum} of {} sources cannot agree: take at least one, and at most all",
                sources.len()
            );
            return Err(Error::new(ErrorKind::Usage, what));
        }
        Ok(self.0)
    }
}

impl KeySource for Attested {
    async fn fetch(&self, allowed: &[Algorithm]) -> Result<Fetched, AuthError> {
        let mut asked = JoinSet::new();
        for source in &self.sources {
            let (source, allowed) = (Arc::clone(source), allowed.to_vec());
            asked.spawn(async move { source.fetch(&allowed).await });
        }
        let mut seen: Vec<(Vec<_>, Fetched, usize)> = Vec::new();
        let mut failed = 0_usize;
        while let Some(answer) = asked.join_next().await {
            let Ok(Ok(fetched)) = answer else {
                failed += 1;
                continue;
            };
            let essence = fetched.essence();
            let at = seen
                .iter()
                .position(|(known, ..)| *known == essence)
                .unwrap_or_else(|| {
                    seen.push((essence, fetched.clone(), 0));
                    seen.len() - 1
                });
            let Some((_, kept, votes)) = seen.get_mut(at) else {
                continue;
            };
            *votes += 1;
            kept.max_age = [kept.max_age, fetched.max_age].into_iter().flatten().min();
            if *votes >= self.quorum {
                return Ok(kept.clone());
            }
        }
        let (all, quorum) = (self.sources.len(), self.quorum);
        Err(AuthError::unavailable(format!(
            "of {all} sources of keys {failed} failed, and no {quorum} of the others gave out the \
             same ones"
        )))
    }

    fn look_up_again(&self) {
        for source in &self.sources {
            source.look_up_again();
        }
    }
}

impl fmt::Debug for Attested {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Attested({} of {})", self.quorum, self.sources.len())
    }
}
