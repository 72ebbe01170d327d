//! What this node knows to be revoked. Looking it up takes no lock and does no I/O.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use papaya::{HashMap, Operation};

use crate::clock::Timestamp;
use crate::error::{Code, Refusal};
use crate::id::{SessionId, TokenId};
use crate::settings::Settings;
use crate::store::{Fact, LogEntry};
use crate::token::TokenInfo;

/// Every revocation that some access token still alive could meet.
///
/// Entries only ever tighten: applying one twice, late or out of order changes nothing.
#[derive(Debug, Default)]
pub(crate) struct View {
    sessions: HashMap<SessionId, Timestamp>,
    generations: HashMap<SessionId, Floor<u32>>,
    subjects: HashMap<Box<str>, Floor<u64>>,
    tokens: HashMap<TokenId, Timestamp>,
    clients: HashMap<Box<str>, Floor<u64>>,
    keys: HashMap<Box<str>, Timestamp>,
    everything: AtomicU64,
    /// The version of the last pause or resumption, and in the lowest bit which of them it was.
    paused: AtomicU64,
    /// When it last was complete, in milliseconds.
    complete_at: AtomicU64,
    /// Wakes who looks at open connections.
    #[cfg(feature = "axum")]
    news: tokio::sync::Notify,
}

/// The lowest value that still counts, and until when it must be remembered.
#[derive(Clone, Copy, Debug)]
struct Floor<T> {
    min: T,
    until: Timestamp,
}

impl View {
    /// Takes a line of the log in.
    pub(crate) fn apply(&self, entry: &LogEntry) {
        let until = entry.until;
        match &entry.fact {
            Fact::Session(sid) => remember(&self.sessions, *sid, until),
            Fact::Token(jti) => remember(&self.tokens, *jti, until),
            Fact::Key(kid) => remember(&self.keys, kid.as_str().into(), until),
            Fact::Generation(sid, min) => {
                raise(&self.generations, *sid, Floor { min: *min, until });
            }
            Fact::Subject(subject, min) => raise(
                &self.subjects,
                subject.as_str().into(),
                Floor { min: *min, until },
            ),
            Fact::Client(client, min) => raise(
                &self.clients,
                client.as_str().into(),
                Floor { min: *min, until },
            ),
            Fact::Everything(min) => {
                self.everything.fetch_max(*min, Ordering::AcqRel);
            }
            Fact::Paused(paused, version) => {
                self.paused.fetch_max(
                    version.saturating_mul(2) | u64::from(*paused),
                    Ordering::AcqRel,
                );
            }
        }
    }

    /// Marks that entries were applied.
    #[cfg(feature = "axum")]
    pub(super) fn mark(&self) {
        self.news.notify_one();
    }

    /// Waits until entries were applied, or were since the last time.
    #[cfg(feature = "axum")]
    pub(super) async fn marked(&self) {
        self.news.notified().await;
    }

    /// Whether a token, good by itself, no longer counts.
    pub(crate) fn is_revoked(&self, token: &TokenInfo) -> bool {
        token.epoch() < self.everything.load(Ordering::Acquire)
            || self.sessions_revoke(token)
            || (!self.tokens.is_empty() && self.tokens.pin().contains_key(&token.jti()))
            || below(&self.subjects, token.subject(), token.epoch())
            || below(&self.clients, token.client_id(), token.epoch())
            || (!self.keys.is_empty() && self.keys.pin().contains_key(token.kid()))
    }

    fn sessions_revoke(&self, token: &TokenInfo) -> bool {
        let Some(sid) = token.sid() else { return false };
        (!self.sessions.is_empty() && self.sessions.pin().contains_key(&sid))
            || (!self.generations.is_empty()
                && self
                    .generations
                    .pin()
                    .get(&sid)
                    .is_some_and(|floor| token.generation().is_none_or(|g| g < floor.min)))
    }

    /// Whether the deployment is paused.
    pub(crate) fn is_paused(&self) -> bool {
        self.paused.load(Ordering::Acquire) & 1 == 1
    }

    /// Refuses while the deployment is paused.
    pub(crate) fn refuse_while_paused(&self) -> Result<(), Refusal> {
        if self.is_paused() {
            Err(Refusal::new(Code::Unavailable))
        } else {
            Ok(())
        }
    }

    /// Everything in the log up to `at` has been applied. One reader of the log calls it at a time.
    pub(crate) fn completed(&self, at: Timestamp) {
        self.complete_at.store(at.as_millis(), Ordering::Release);
    }

    /// How long ago the view was complete. Where the clock was set back meanwhile nobody knows; it
    /// counts as so old as the clock went back, so that the store is asked.
    pub(crate) fn age(&self, now: Timestamp) -> Duration {
        Duration::from_millis(
            now.as_millis()
                .abs_diff(self.complete_at.load(Ordering::Acquire)),
        )
    }

    /// How many entries it holds.
    pub(crate) fn len(&self) -> usize {
        self.sessions.len()
            + self.generations.len()
            + self.subjects.len()
            + self.tokens.len()
            + self.clients.len()
            + self.keys.len()
    }

    /// Forgets what no living token can meet any more.
    pub(crate) fn purge(&self, now: Timestamp) {
        self.sessions.pin().retain(|_, until| *until > now);
        self.tokens.pin().retain(|_, until| *until > now);
        self.keys.pin().retain(|_, until| *until > now);
        self.generations.pin().retain(|_, floor| floor.until > now);
        self.subjects.pin().retain(|_, floor| floor.until > now);
        self.clients.pin().retain(|_, floor| floor.until > now);
    }
}

/// Returns until when a revocation of `now`, a time of the store, matters: every access token that
/// was issued by then has expired, on every node.
pub(super) fn log_until(settings: &Settings, now: Timestamp) -> Timestamp {
    token_until(settings, now.plus(settings.access.max_ttl()))
}

/// Returns until when the revocation of an access token matters that expires at `expires_at` by the
/// clock of the node that issued it. That clock may be ahead of the store's by the leeway, the
/// token counts for a leeway longer, and where a clock moved since it was measured, the measurement
/// may be wrong by another. The rest is for measurements and for clocks that are compared without a
/// leeway.
pub(super) fn token_until(settings: &Settings, expires_at: Timestamp) -> Timestamp {
    expires_at
        .plus(settings.leeway.saturating_mul(3))
        .plus(MEASURED)
}

/// How long a revocation is remembered beyond the lifetime of a token and the leeways.
const MEASURED: Duration = Duration::from_secs(5);

fn remember<K: Eq + std::hash::Hash>(map: &HashMap<K, Timestamp>, key: K, until: Timestamp) {
    map.pin()
        .update_or_insert(key, |known| until.max(*known), until);
}

fn raise<K: Eq + std::hash::Hash, T: Copy + Ord>(
    map: &HashMap<K, Floor<T>>,
    key: K,
    floor: Floor<T>,
) {
    map.pin().compute(key, |entry| match entry {
        Some((_, known)) if known.min >= floor.min && known.until >= floor.until => {
            Operation::Abort(())
        }
        Some((_, known)) => Operation::Insert(Floor {
            min: known.min.max(floor.min),
            until: known.until.max(floor.until),
        }),
        None => Operation::Insert(floor),
    });
}

fn below(map: &HashMap<Box<str>, Floor<u64>>, key: &str, epoch: u64) -> bool {
    !map.is_empty() && map.pin().get(key).is_some_and(|floor| epoch < floor.min)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// R88: a clock that was set back must not make a view look fresh for as long.
    #[test]
    fn r88_the_age_of_a_view_is_not_hidden_by_a_clock_that_went_back() {
        let view = View::default();
        let at = |secs: u64| Timestamp::from_secs(1_000_000 + secs);
        view.completed(at(3600));
        assert_eq!(view.age(at(3605)), Duration::from_secs(5));
        // An hour back, and the store has not answered since.
        assert_eq!(view.age(at(5)), Duration::from_secs(3595));
        // It answers again, and once more it does not.
        view.completed(at(10));
        assert_eq!(view.age(at(50)), Duration::from_secs(40));
    }

    /// Two nodes write the same revocation; the one that ends first arrives last.
    #[test]
    fn of_two_words_about_one_thing_the_longer_one_counts() {
        let at = |secs: u64| Timestamp::from_secs(1_000_000 + secs);
        let sid = SessionId::random().unwrap();
        let facts = [
            Fact::Session(sid),
            Fact::Token(TokenId::random().unwrap()),
            Fact::Key("k".to_owned()),
            Fact::Generation(sid, 3),
            Fact::Subject("ada".to_owned(), 3),
            Fact::Client("api".to_owned(), 3),
        ];
        for fact in facts {
            let view = View::default();
            for until in [at(100), at(50)] {
                let fact = fact.clone();
                view.apply(&LogEntry { fact, until });
            }
            view.purge(at(60));
            assert_eq!(view.len(), 1, "{fact:?}");
            view.purge(at(100));
            assert_eq!(view.len(), 0, "{fact:?}");
        }
    }
}
