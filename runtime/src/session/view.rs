//! The revocations that this node knows. Looking one up takes no lock and does no I/O.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use papaya::{Compute, HashMap, Operation};

use super::filter::{Filter, FilterHasher, FilterKey, KINDS};
use crate::clock::Timestamp;
use crate::error::{Code, Refusal};
use crate::id::{SessionId, TokenId};
use crate::settings::Settings;
use crate::store::{Fact, LogEntry};
use crate::token::TokenInfo;

/// Every revocation that a token which has not expired could match.
///
/// Entries only ever become stricter: applying one twice, late or out of order changes nothing.
///
/// For most tokens a filter in front says that no entry matches them. An entry is in the filter
/// before [`apply`](Self::apply) returns. A filter that is made again, larger or after a purge,
/// replaces the one before only when it has the entries that were added meanwhile, so a revoked
/// token is never accepted.
#[derive(Debug)]
pub(crate) struct View {
    sessions: HashMap<SessionId, Timestamp>,
    generations: HashMap<SessionId, Floor<u32>>,
    subjects: HashMap<Box<str>, Floor<u64>>,
    tokens: HashMap<TokenId, Timestamp>,
    clients: HashMap<Box<str>, Floor<u64>>,
    keys: HashMap<Box<str>, Timestamp>,
    everything: AtomicU64,
    /// The version of the last pause or resumption; the lowest bit says which of them it was.
    paused: AtomicU64,
    /// The time at which it was last complete, in milliseconds.
    complete_at: AtomicU64,
    /// Wakes the task that checks open connections.
    #[cfg(feature = "axum")]
    news: tokio::sync::Notify,
    hasher: FilterHasher,
    filter: ArcSwap<Filter>,
    growth: Mutex<Growth>,
    is_rebuilding: AtomicBool,
    /// A number that changes with each entry that changed something: odd, and so never 0, which
    /// marks a token that was not looked up. It begins at a random one, so that no two views have
    /// the same.
    version: AtomicU64,
}

impl Default for View {
    fn default() -> Self {
        Self {
            sessions: HashMap::default(),
            generations: HashMap::default(),
            subjects: HashMap::default(),
            tokens: HashMap::default(),
            clients: HashMap::default(),
            keys: HashMap::default(),
            everything: AtomicU64::default(),
            paused: AtomicU64::default(),
            complete_at: AtomicU64::default(),
            #[cfg(feature = "axum")]
            news: tokio::sync::Notify::new(),
            hasher: FilterHasher::new(),
            filter: ArcSwap::from_pointee(Filter::for_keys([0; KINDS])),
            growth: Mutex::default(),
            is_rebuilding: AtomicBool::default(),
            version: AtomicU64::new(RandomState::new().hash_one(1_u8) | 1),
        }
    }
}

/// The contents of the filter; locked while an entry is applied.
#[derive(Debug, Default)]
struct Growth {
    /// The number of entries of each kind that were added to the filter.
    entries: [usize; KINDS],
    /// The keys that are added while a filter is made again.
    missed: Option<Vec<FilterKey>>,
}

impl Growth {
    fn count(&mut self, key: FilterKey) {
        if let Some(entries) = self.entries.get_mut(key.kind()) {
            *entries += 1;
        }
    }
}

/// The lowest value that is still valid, and the time until which it must be remembered.
#[derive(Clone, Copy, Debug)]
struct Floor<T> {
    min: T,
    until: Timestamp,
}

impl View {
    /// Applies an entry of the log.
    pub(crate) fn apply(&self, entry: &LogEntry) {
        let mut growth = self.growth();
        if !self.take(entry) {
            return;
        }
        if let Some(key) = self.key_of(&entry.fact) {
            self.filter.load().insert(key);
            growth.count(key);
            if let Some(missed) = &mut growth.missed {
                missed.push(key);
            }
        }
        self.changed();
    }

    /// Makes what was decided before out of date.
    fn changed(&self) {
        self.version.fetch_add(2, Ordering::Release);
    }

    /// Adds an entry of the log to its map, and returns whether it changed something.
    fn take(&self, entry: &LogEntry) -> bool {
        let until = entry.until;
        match &entry.fact {
            Fact::Session(sid) => remember(&self.sessions, *sid, until),
            Fact::Token(jti) => remember(&self.tokens, *jti, until),
            Fact::Key(kid) => remember(&self.keys, kid.as_str().into(), until),
            Fact::Generation(sid, min) => {
                raise(&self.generations, *sid, Floor { min: *min, until })
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
            Fact::Everything(min) => self.everything.fetch_max(*min, Ordering::AcqRel) < *min,
            Fact::Paused(paused, version) => {
                let state = version.saturating_mul(2) | u64::from(*paused);
                self.paused.fetch_max(state, Ordering::AcqRel) < state
            }
        }
    }

    /// Marks that entries were applied.
    #[cfg(feature = "axum")]
    pub(super) fn mark(&self) {
        self.news.notify_one();
    }

    /// Waits until entries are applied; returns at once if some were since the last time.
    #[cfg(feature = "axum")]
    pub(super) async fn marked(&self) {
        self.news.notified().await;
    }

    /// Returns the key under which the filter has an entry; a session and its generations have the
    /// same.
    fn key_of(&self, fact: &Fact) -> Option<FilterKey> {
        let key = |kind, bytes: &[u8]| Some(self.hasher.key(kind, bytes));
        match fact {
            Fact::Session(sid) | Fact::Generation(sid, _) => key(SESSION, sid.as_bytes()),
            Fact::Token(jti) => key(TOKEN, jti.as_bytes()),
            Fact::Subject(subject, _) => key(SUBJECT, subject.as_bytes()),
            Fact::Client(client, _) => key(CLIENT, client.as_bytes()),
            Fact::Key(kid) => key(KEY, kid.as_bytes()),
            Fact::Everything(_) | Fact::Paused(..) => None,
        }
    }

    fn growth(&self) -> MutexGuard<'_, Growth> {
        self.growth.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a larger filter where there are more entries than it is made for, on a thread for such
    /// work. Until then more tokens than necessary are looked up.
    pub(crate) fn keep_filter(self: &Arc<Self>) {
        if self.filter.load().has_room_for(self.growth().entries) {
            return;
        }
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => {
                let view = Arc::clone(self);
                runtime.spawn_blocking(move || view.rebuild());
            }
            Err(_) => self.rebuild(),
        }
    }

    /// Makes the filter again, from the maps, and replaces the one before.
    fn rebuild(&self) {
        if self.is_rebuilding.swap(true, Ordering::AcqRel) {
            return;
        }
        // Entries that are applied from here on are noted. Those that were applied before are in
        // the maps.
        self.growth().missed = Some(Vec::new());
        let next = self.fill_filter();
        self.swap_filter(next);
        self.is_rebuilding.store(false, Ordering::Release);
    }

    fn fill_filter(&self) -> (Filter, Growth) {
        let lens = [
            self.sessions.len() + self.generations.len(),
            self.tokens.len(),
            self.subjects.len(),
            self.clients.len(),
            self.keys.len(),
        ];
        let filter = Filter::for_keys(lens.map(|len| len * 2));
        let mut filled = Growth::default();
        let mut insert = |kind, bytes: &[u8]| {
            let key = self.hasher.key(kind, bytes);
            filter.insert(key);
            filled.count(key);
        };
        for sid in self.sessions.pin().keys() {
            insert(SESSION, sid.as_bytes());
        }
        for sid in self.generations.pin().keys() {
            insert(SESSION, sid.as_bytes());
        }
        for jti in self.tokens.pin().keys() {
            insert(TOKEN, jti.as_bytes());
        }
        for (kind, map) in [(SUBJECT, &self.subjects), (CLIENT, &self.clients)] {
            for name in map.pin().keys() {
                insert(kind, name.as_bytes());
            }
        }
        for kid in self.keys.pin().keys() {
            insert(KEY, kid.as_bytes());
        }
        (filter, filled)
    }

    /// Puts a filter in place, and adds the entries that were applied while it was filled.
    fn swap_filter(&self, (filter, filled): (Filter, Growth)) {
        let mut growth = self.growth();
        let missed = growth.missed.take().unwrap_or_default();
        *growth = filled;
        for key in missed {
            filter.insert(key);
            growth.count(key);
        }
        self.filter.store(Arc::new(filter));
    }

    /// Returns whether a token that is otherwise valid is revoked.
    pub(crate) fn is_revoked(&self, token: &TokenInfo) -> bool {
        let version = self.version.load(Ordering::Acquire);
        if token.was_live_at(version) {
            return false;
        }
        let is_revoked = token.epoch() < self.everything.load(Ordering::Acquire)
            || (self.may_hold(token) && self.holds(token));
        if !is_revoked {
            token.note_live_at(version);
        }
        is_revoked
    }

    /// Returns whether an entry may match a token; `false` is certain. All keys are looked up, so
    /// that one does not wait for the memory of another.
    fn may_hold(&self, token: &TokenInfo) -> bool {
        let filter = self.filter.load();
        let may_hold = |kind, bytes: &[u8]| filter.may_hold(self.hasher.key(kind, bytes));
        may_hold(SUBJECT, token.subject_bytes())
            | may_hold(CLIENT, token.client_id().as_bytes())
            | may_hold(KEY, token.kid().as_bytes())
            | may_hold(TOKEN, token.jti().as_bytes())
            | token
                .sid()
                .is_some_and(|sid| may_hold(SESSION, sid.as_bytes()))
    }

    fn holds(&self, token: &TokenInfo) -> bool {
        self.sessions_revoke(token)
            || self.tokens.pin().contains_key(&token.jti())
            || below(&self.subjects, token.subject(), token.epoch())
            || below(&self.clients, token.client_id(), token.epoch())
            || self.keys.pin().contains_key(token.kid())
    }

    fn sessions_revoke(&self, token: &TokenInfo) -> bool {
        let Some(sid) = token.sid() else { return false };
        self.sessions.pin().contains_key(&sid)
            || self
                .generations
                .pin()
                .get(&sid)
                .is_some_and(|floor| token.generation().is_none_or(|g| g < floor.min))
    }

    /// Returns whether the deployment is paused.
    pub(crate) fn is_paused(&self) -> bool {
        self.paused.load(Ordering::Acquire) & 1 == 1
    }

    /// Returns what was read of the last pause, for [`pause_unread`](Self::pause_unread).
    pub(super) fn pause_state(&self) -> u64 {
        self.paused.load(Ordering::Acquire)
    }

    /// Pauses this node before it has read the entry of the pause, unless it has read another one
    /// since `known`. The entry has a higher version, as has that of the end of the pause.
    pub(super) fn pause_unread(&self, known: u64) {
        let _growth = self.growth();
        let paused =
            self.paused
                .compare_exchange(known, known | 1, Ordering::AcqRel, Ordering::Acquire);
        if paused.is_ok() {
            self.changed();
            #[cfg(feature = "axum")]
            self.mark();
        }
    }

    /// Refuses while the deployment is paused.
    pub(crate) fn refuse_while_paused(&self) -> Result<(), Refusal> {
        if self.is_paused() {
            Err(Refusal::new(Code::Unavailable))
        } else {
            Ok(())
        }
    }

    /// Notes that all entries of the log up to `at` were applied. One reader of the log calls it at
    /// a time.
    pub(crate) fn completed(&self, at: Timestamp) {
        self.complete_at.store(at.as_millis(), Ordering::Release);
    }

    /// Returns how long ago the view was complete. If the clock was set back meanwhile, that is not
    /// known; the age is then at least the time by which the clock went back, so that the store is
    /// asked.
    pub(crate) fn age(&self, now: Timestamp) -> Duration {
        Duration::from_millis(
            now.as_millis()
                .abs_diff(self.complete_at.load(Ordering::Acquire)),
        )
    }

    /// Returns the number of entries.
    pub(crate) fn len(&self) -> usize {
        self.sessions.len()
            + self.generations.len()
            + self.subjects.len()
            + self.tokens.len()
            + self.clients.len()
            + self.keys.len()
    }

    /// Removes entries that no valid token can match any more. With many entries it takes a while,
    /// so run it on a thread of its own.
    pub(crate) fn purge(&self, now: Timestamp) {
        let before = self.len();
        self.sessions.pin().retain(|_, until| *until > now);
        self.tokens.pin().retain(|_, until| *until > now);
        self.keys.pin().retain(|_, until| *until > now);
        self.generations.pin().retain(|_, floor| floor.until > now);
        self.subjects.pin().retain(|_, floor| floor.until > now);
        self.clients.pin().retain(|_, floor| floor.until > now);
        if before.saturating_sub(self.len()) > before / 4 {
            self.rebuild();
        }
    }
}

/// Returns until when a revocation at `now`, a time of the store, matters: then every access token
/// that was issued before has expired, on every node.
pub(super) fn log_until(settings: &Settings, now: Timestamp) -> Timestamp {
    token_until(settings, now.plus(settings.access.max_ttl()))
}

/// Returns until when the revocation of an access token matters that expires at `expires_at` by the
/// clock of the node that issued it. That clock may be ahead of the store's by the leeway; the
/// token is accepted for a leeway longer; and if a clock moved since it was measured, the
/// measurement may be wrong by another leeway. The rest is for errors of measurement, and for
/// clocks that are compared without a leeway.
pub(super) fn token_until(settings: &Settings, expires_at: Timestamp) -> Timestamp {
    expires_at
        .plus(settings.leeway.saturating_mul(3))
        .plus(MEASURED)
}

/// The kinds of key in the filter: from 0, and fewer than [`KINDS`].
const SESSION: u8 = 0;
const TOKEN: u8 = 1;
const SUBJECT: u8 = 2;
const CLIENT: u8 = 3;
const KEY: u8 = 4;
/// The time for which a revocation is remembered beyond the lifetime of a token and the leeways.
const MEASURED: Duration = Duration::from_secs(5);

/// Remembers a key until the latest of the times that entries give for it, and returns whether that
/// changed something.
fn remember<K: Eq + std::hash::Hash>(
    map: &HashMap<K, Timestamp>,
    key: K,
    until: Timestamp,
) -> bool {
    let map = map.pin();
    if map.get(&key).is_some_and(|known| *known >= until) {
        return false;
    }
    map.insert(key, until);
    true
}

/// Raises the lowest valid value of a key, and returns whether that changed something.
fn raise<K: Eq + std::hash::Hash, T: Copy + Ord>(
    map: &HashMap<K, Floor<T>>,
    key: K,
    floor: Floor<T>,
) -> bool {
    let map = map.pin();
    let outcome = map.compute(key, |entry| match entry {
        Some((_, known)) if known.min >= floor.min && known.until >= floor.until => {
            Operation::Abort(())
        }
        Some((_, known)) => Operation::Insert(Floor {
            min: known.min.max(floor.min),
            until: known.until.max(floor.until),
        }),
        None => Operation::Insert(floor),
    });
    !matches!(outcome, Compute::Aborted(()))
}

fn below(map: &HashMap<Box<str>, Floor<u64>>, key: &str, epoch: u64) -> bool {
    map.pin().get(key).is_some_and(|floor| epoch < floor.min)
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNTIL: Timestamp = Timestamp::from_secs(2_000_000_000);

    fn entry(fact: Fact) -> LogEntry {
        LogEntry { fact, until: UNTIL }
    }

    fn sid(number: u32) -> SessionId {
        SessionId::from_bytes((u128::from(number) << 96 | u128::from(number)).to_be_bytes())
    }

    fn jti(number: u32) -> TokenId {
        TokenId::from_bytes((u128::from(number) << 64).to_be_bytes())
    }

    /// Returns an entry of every kind, which match the tokens of this number and no others.
    fn facts(number: u32) -> [Fact; 6] {
        [
            Fact::Session(sid(number)),
            Fact::Generation(sid(number), 3),
            Fact::Token(jti(number)),
            Fact::Subject(format!("subject-{number}"), 5),
            Fact::Client(format!("client-{number}"), 5),
            Fact::Key(format!("key-{number}")),
        ]
    }

    fn token(number: u32) -> TokenInfo {
        TokenInfo::of(
            (
                &format!("subject-{number}"),
                &format!("client-{number}"),
                &format!("key-{number}"),
            ),
            (jti(number), sid(number)),
            UNTIL,
        )
    }

    #[test]
    fn an_entry_of_any_kind_is_met_at_once_by_seen_and_unseen_tokens() {
        for fact in facts(7) {
            let (view, seen) = (View::default(), token(7));
            view.apply(&entry(Fact::Session(sid(1))));
            assert!(!view.is_revoked(&seen) && !view.is_revoked(&seen));
            view.apply(&entry(fact.clone()));
            assert!(view.is_revoked(&seen), "{fact:?}");
            assert!(view.is_revoked(&token(7)), "{fact:?}");
            assert!(!view.is_revoked(&token(8)), "{fact:?}");
        }
        let view = View::default();
        let seen = token(7);
        assert!(!view.is_revoked(&seen));
        view.apply(&entry(Fact::Everything(1)));
        assert!(view.is_revoked(&seen));
    }

    /// A token that was valid in one view is looked up again in another.
    #[test]
    fn a_token_is_looked_up_in_each_view() {
        let (one, other, seen) = (View::default(), View::default(), token(7));
        other.apply(&entry(Fact::Session(sid(7))));
        one.apply(&entry(Fact::Session(sid(1))));
        assert!(!one.is_revoked(&seen));
        assert!(other.is_revoked(&seen));
    }

    /// Growing and purging lose no entry, and a larger filter confuses no more than a small one.
    #[test]
    fn a_filter_that_is_made_again_has_every_entry() {
        let view = Arc::new(View::default());
        // One entry for each number, of all kinds in turn, so that no entry covers another.
        let fact = |number: u32| facts(number).into_iter().nth(number as usize % 6).unwrap();
        for number in 0..2000 {
            view.apply(&entry(fact(number)));
            view.keep_filter();
        }
        view.rebuild();
        assert!(view.filter.load().has_room_for(view.growth().entries));
        for number in 0..2000 {
            assert!(view.is_revoked(&token(number)), "{number}");
        }
        let looked_up = (2000..12_000).filter(|n| view.may_hold(&token(*n))).count();
        assert!(looked_up < 1000, "{looked_up} of 10000");

        for fact in facts(3000) {
            view.apply(&LogEntry {
                fact,
                until: UNTIL.plus(Duration::from_secs(1)),
            });
        }
        view.purge(UNTIL);
        assert_eq!(view.len(), 6);
        assert!(view.is_revoked(&token(3000)) && !view.is_revoked(&token(0)));
        assert!(!view.may_hold(&token(0)) || !view.may_hold(&token(1)));
    }

    /// An entry that is applied while a filter is filled is in the filter that replaces it.
    #[test]
    fn an_entry_that_comes_while_a_filter_is_made_is_not_lost() {
        for fact in facts(7) {
            let view = View::default();
            view.growth().missed = Some(Vec::new());
            let next = view.fill_filter();
            view.apply(&entry(fact.clone()));
            assert!(view.is_revoked(&token(7)), "{fact:?}");
            view.swap_filter(next);
            assert!(view.is_revoked(&token(7)), "{fact:?}");
        }
    }

    /// While one thread applies entries, another makes filters again and again; each entry is found
    /// from the moment when `apply` returned.
    #[test]
    fn entries_and_filters_come_together_without_a_loss() {
        let (view, is_over) = (Arc::new(View::default()), Arc::new(AtomicBool::new(false)));
        let builder = std::thread::spawn({
            let (view, is_over) = (Arc::clone(&view), Arc::clone(&is_over));
            move || {
                while !is_over.load(Ordering::Relaxed) {
                    view.rebuild();
                }
            }
        });
        for number in 0..5000 {
            let [session, ..] = facts(number);
            view.apply(&entry(session));
            assert!(view.is_revoked(&token(number)), "{number}");
        }
        is_over.store(true, Ordering::Relaxed);
        builder.join().unwrap();
        assert!((0..5000).all(|number| view.is_revoked(&token(number))));
    }

    /// Of several times for one entry the longest counts, in any order of the lines.
    #[test]
    fn a_shorter_word_changes_nothing() {
        for fact in facts(7) {
            let view = View::default();
            for until in [UNTIL, UNTIL.minus(Duration::from_secs(10))] {
                let fact = fact.clone();
                view.apply(&LogEntry { fact, until });
            }
            view.purge(UNTIL.minus(Duration::from_secs(1)));
            assert!(view.is_revoked(&token(7)), "{fact:?}");
        }
    }

    /// An entry that is applied again changes nothing: no token is looked up because of it.
    #[test]
    fn a_line_that_is_read_again_is_no_news() {
        let view = View::default();
        for fact in facts(7)
            .into_iter()
            .chain([Fact::Everything(1), Fact::Paused(true, 1)])
        {
            view.apply(&entry(fact));
        }
        let (version, entries) = (view.version.load(Ordering::Relaxed), view.growth().entries);
        for fact in facts(7)
            .into_iter()
            .chain([Fact::Everything(1), Fact::Paused(true, 1)])
        {
            view.apply(&entry(fact));
        }
        assert_eq!(view.version.load(Ordering::Relaxed), version);
        assert_eq!(view.growth().entries, entries);
    }

    /// R88: a clock that was set back must not make a view look fresh for that time.
    #[test]
    fn r88_the_age_of_a_view_is_not_hidden_by_a_clock_that_went_back() {
        let view = View::default();
        let at = |secs: u64| Timestamp::from_secs(1_000_000 + secs);
        view.completed(at(3600));
        assert_eq!(view.age(at(3605)), Duration::from_secs(5));
        // The clock went back an hour, and the store has not answered since.
        assert_eq!(view.age(at(5)), Duration::from_secs(3595));
        // The store answers once, and then not again.
        view.completed(at(10));
        assert_eq!(view.age(at(50)), Duration::from_secs(40));
    }

    /// Two nodes write the same revocation; the one with the earlier end arrives last.
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
