//! Fetched keys: kept, renewed in the background, fetched once for all waiting callers, and never
//! too often.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use tokio::sync::watch;

use super::source::{BoxedSource, Fetched};
use super::{KeyHealth, Wanted};
use crate::clock::Timestamp;
use crate::error::{AuthError, Causes};
use crate::keys::{Algorithm, PublicKeySet};

/// Keys of a source.
///
/// A caller that finds the wanted key in a fresh set reads one pointer and takes no lock. All
/// others share one attempt, and attempts are limited in number, whether they succeed or not (R59
/// to R64).
pub(super) struct KeyCache {
    source: Box<dyn BoxedSource>,
    held: ArcSwapOption<FetchedKeys>,
    generation: AtomicU64,
    /// The earliest time of the next attempt, in milliseconds since 1970.
    next_attempt: AtomicU64,
    /// The time at which the source was last told to look up the location of the keys, in
    /// milliseconds since 1970; 0 before the first attempt.
    looked_up: AtomicU64,
    attempt: Mutex<FetchState>,
}

/// The time for which keys are kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct CacheLimits {
    /// The age at which keys are renewed, unless their source gives a shorter one.
    pub(super) renew: Duration,
    /// The age at which keys no longer verify.
    pub(super) stale: Duration,
}

/// The keys that were fetched last.
struct FetchedKeys {
    keys: Arc<PublicKeySet>,
    fetched_at: Timestamp,
    max_age: Option<Duration>,
}

/// The attempt under way, and the problem of the last one.
#[derive(Default)]
struct FetchState {
    /// Signals the end of the attempt that is under way.
    running: Option<watch::Receiver<bool>>,
    problem: Option<String>,
}

impl KeyCache {
    pub(super) fn new(source: Box<dyn BoxedSource>) -> Arc<Self> {
        Arc::new(Self {
            source,
            held: ArcSwapOption::empty(),
            generation: AtomicU64::new(0),
            next_attempt: AtomicU64::new(0),
            looked_up: AtomicU64::new(0),
            attempt: Mutex::default(),
        })
    }

    /// Returns the keys, including the wanted one if it can be fetched.
    pub(super) async fn keys(
        self: &Arc<Self>,
        wanted: Wanted<'_>,
        limits: CacheLimits,
        allowed: &[Algorithm],
    ) -> Result<Arc<PublicKeySet>, AuthError> {
        let Wanted { kid, now } = wanted;
        let held = self
            .held
            .load_full()
            .filter(|held| held.age(now) < limits.stale);
        if let Some(held) = held {
            let knows =
                kid.is_none_or(|kid| held.keys.keys().iter().any(|key| key.kid() == Some(kid)));
            if knows {
                // The keys are renewed in the background; no request waits for that.
                if held.age(now) >= limits.renewal(held.max_age) && !self.is_too_early(now) {
                    drop(self.start(now, allowed));
                }
                return Ok(Arc::clone(&held.keys));
            }
            // A key that is not found removes no other key (R61).
            let Some(attempt) = self.start(now, allowed) else {
                return Ok(Arc::clone(&held.keys));
            };
            over(attempt).await;
        } else if let Some(attempt) = self.start(now, allowed) {
            over(attempt).await;
        }
        let held = self
            .held
            .load_full()
            .filter(|held| held.age(now) < limits.stale);
        held.map(|held| Arc::clone(&held.keys)).ok_or_else(|| {
            let problem = self.attempt().problem.clone();
            AuthError::unavailable(
                problem.unwrap_or_else(|| String::from("the issuer's keys were not fetched yet")),
            )
        })
    }

    /// Returns a number that changes with the keys; `None` if they are too old to verify.
    pub(super) fn generation(&self, now: Timestamp, limits: CacheLimits) -> Option<u64> {
        let generation = self.generation.load(Ordering::Acquire);
        let held = self.held.load();
        let is_fresh = held
            .as_ref()
            .is_some_and(|held| held.age(now) < limits.renewal(held.max_age));
        // Older keys must be renewed by a caller that needs them; a remembered token does not need
        // them.
        is_fresh.then_some(generation)
    }

    pub(super) fn health(&self, now: Timestamp, limits: CacheLimits) -> KeyHealth {
        let held = self.held.load();
        let held = held.as_ref().filter(|held| held.age(now) < limits.stale);
        KeyHealth {
            keys: Some(held.map_or(0, |held| held.keys.keys().len())),
            age: held.map(|held| held.age(now)),
            problem: self.attempt().problem.clone(),
        }
    }

    /// Joins the attempt that is under way, or starts one; `None` if the last one is too recent.
    fn start(
        self: &Arc<Self>,
        now: Timestamp,
        allowed: &[Algorithm],
    ) -> Option<watch::Receiver<bool>> {
        let mut attempt = self.attempt();
        if let Some(running) = attempt
            .running
            .as_ref()
            .filter(|running| !*running.borrow() && running.has_changed().is_ok())
        {
            return Some(running.clone());
        }
        if self.is_too_early(now) {
            return None;
        }
        self.next_attempt.store(
            now.as_millis().saturating_add(COOL_DOWN_MILLIS),
            Ordering::Release,
        );
        let (done, running) = watch::channel(false);
        attempt.running = Some(running.clone());
        drop(attempt);
        self.look_up_daily(now);
        // The attempt has a task of its own: a client that goes away does not stop it for the
        // others.
        let (cache, allowed) = (Arc::clone(self), allowed.to_vec());
        tokio::spawn(async move {
            let fetched = tokio::time::timeout(TIMEOUT, cache.source.fetch(&allowed)).await;
            let fetched = fetched.unwrap_or_else(|_| {
                Err(AuthError::unavailable("the issuer did not answer in time"))
            });
            cache.end(fetched, now);
            // There may be no waiting caller.
            let _ = done.send(true);
        });
        Some(running)
    }

    /// Tells the source once a day to look up the location of the keys: an issuer may move them.
    fn look_up_daily(&self, now: Timestamp) {
        let (now, last) = (now.as_millis(), self.looked_up.load(Ordering::Acquire));
        if now.abs_diff(last) >= LOOK_UP_MILLIS {
            self.looked_up.store(now, Ordering::Release);
            self.source.look_up_again();
        }
    }

    fn is_too_early(&self, now: Timestamp) -> bool {
        let next = self.next_attempt.load(Ordering::Acquire);
        // If the clock was set back, the keys are fetched all the same.
        now.as_millis() < next && next - now.as_millis() <= COOL_DOWN_MILLIS
    }

    fn end(&self, fetched: Result<Fetched, AuthError>, now: Timestamp) {
        let mut attempt = self.attempt();
        match fetched {
            Ok(Fetched { keys, max_age }) => {
                for (kid, problem) in keys.skipped() {
                    tracing::warn!(?kid, %problem, "a key of an issuer cannot be used");
                }
                attempt.problem = keys
                    .keys()
                    .is_empty()
                    .then(|| String::from("the issuer publishes no key that can be used"));
                let before = self.held.load();
                let is_same = before
                    .as_ref()
                    .is_some_and(|before| same(&before.keys, &keys));
                self.held.store(Some(Arc::new(FetchedKeys {
                    keys: Arc::new(keys),
                    fetched_at: now,
                    max_age,
                })));
                if !is_same {
                    // It changes after the keys: a caller that read the number before gets newer
                    // keys at worst, never older ones.
                    self.generation.fetch_add(1, Ordering::Release);
                }
            }
            Err(error) => {
                let problem = match &error {
                    AuthError::Unavailable(source) => Causes(Some(&**source)).to_string(),
                    AuthError::Invalid
                    | AuthError::Disabled
                    | AuthError::Gone
                    | AuthError::More(_)
                    | AuthError::Refused(_) => String::from("the source gives out no keys"),
                };
                tracing::warn!(
                    %problem,
                    "the keys of an issuer cannot be fetched; the ones fetched last stay in use \
                     for a while"
                );
                attempt.problem = Some(problem);
            }
        }
        attempt.running = None;
    }

    fn attempt(&self) -> std::sync::MutexGuard<'_, FetchState> {
        self.attempt.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FetchedKeys {
    /// Returns the age of the keys. If the clock was set back since they were fetched, the
    /// difference counts, so that they are renewed and end as others do.
    fn age(&self, now: Timestamp) -> Duration {
        between(self.fetched_at, now)
    }
}

fn between(one: Timestamp, other: Timestamp) -> Duration {
    other.since(one).max(one.since(other))
}

impl CacheLimits {
    /// Returns the age at which keys are renewed: the issuer's value, between the lower bound and
    /// the setting (R64).
    fn renewal(self, max_age: Option<Duration>) -> Duration {
        max_age
            .map_or(self.renew, |age| age.min(self.renew))
            .max(FLOOR)
    }
}

/// Waits until an attempt is over, however it ends.
async fn over(mut attempt: watch::Receiver<bool>) {
    drop(attempt.wait_for(|done| *done).await);
}

fn same(before: &PublicKeySet, after: &PublicKeySet) -> bool {
    let essence = |set: &PublicKeySet| -> Vec<_> {
        set.keys()
            .iter()
            .map(|key| {
                (
                    key.kid().map(str::to_owned),
                    key.algorithm(),
                    key.thumbprint(),
                )
            })
            .collect()
    };
    essence(before) == essence(after)
}

impl fmt::Debug for KeyCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyCache")
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}

/// The least time between two attempts, successful or not (R59, R60).
const COOL_DOWN_MILLIS: u64 = 30_000;
/// The time for which the location of the keys is known.
const LOOK_UP_MILLIS: u64 = 24 * 60 * 60 * 1000;
/// The time that an issuer has to answer (R62).
const TIMEOUT: Duration = Duration::from_secs(5);
/// The least age at which keys are renewed (R64).
const FLOOR: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_grow_old_also_where_the_clock_was_set_back() {
        let at = Timestamp::from_secs;
        assert_eq!(between(at(100), at(130)), Duration::from_secs(30));
        assert_eq!(between(at(100), at(40)), Duration::from_secs(60));
        assert_eq!(between(at(100), at(100)), Duration::ZERO);
    }
}
