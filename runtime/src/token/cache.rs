//! A cache of verified tokens: a token that comes again costs a look-up instead of a signature.

use std::any::Any;
use std::fmt;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arc_swap::ArcSwapOption;

use super::claims::ClaimSet;
use super::verify::{Verified, VerifiedToken};
use crate::clock::Timestamp;

/// The verified tokens, by their whole text (R132).
///
/// A token is found by a hash, with a random seed, of the last characters of its signature, and
/// then compared byte for byte, so that no other token is taken for it. Its entry names the
/// verifier and the generation of the verifier's keys. Times are checked at every use; the caller
/// checks everything else that may change, such as revocations.
///
/// Only tokens whose signature was verified are added. Where the cache is full, a token that is in
/// use stays, and a new one replaces one that is out of use or has expired. So if more tokens come
/// in turn than there is space for, a part of them is remembered; without this rule each would
/// replace the next before it comes again.
pub(crate) struct VerifiedCache(Option<Table>);

/// A token that was looked for and not found, by the hash under which it will be remembered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unknown(u64);

/// The use from which on a token is remembered while there is space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Remember {
    /// The first: verifying costs much more than remembering.
    FirstSight,
    /// The second: many tokens come only once.
    SecondSight,
}

struct Table {
    hasher: RandomState,
    /// The buckets, whose number is a power of two.
    buckets: Box<[Bucket]>,
    /// Fingerprints of tokens that came once. Each place, found by the hash, keeps the last few.
    sights: Box<[[AtomicU32; SIGHTS]]>,
    /// The largest number of bytes of all entries.
    limit: u64,
    /// `true` while the last new token found no space.
    is_full: AtomicBool,
    /// The number of tokens that came while there was no space.
    refused: AtomicUsize,
    /// The part that changes when a token is added. A reader does not need it.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The bytes of all entries.
    bytes: u64,
    /// The place that is examined next for an entry to replace.
    hand: usize,
    /// The number of tokens that found their bucket full.
    turn: usize,
}

/// The entries of the same few bits of the hash.
struct Bucket([Slot; SLOTS]);

#[derive(Default)]
struct Slot {
    /// The hash of the entry's token; its lowest bit says whether the entry was used since it was
    /// last examined. 0 where there is no entry.
    tag: AtomicU64,
    entry: ArcSwapOption<CachedToken>,
}

struct CachedToken {
    text: Box<str>,
    verified: Arc<dyn Any + Send + Sync>,
    expires_at: Timestamp,
    owner: u64,
    generation: u64,
}

impl CachedToken {
    /// Returns about how many bytes it takes: the text, the claims that were read from it, and the
    /// fixed parts.
    fn weight(&self) -> u64 {
        weight(&self.text)
    }
}

fn weight(token: &str) -> u64 {
    token.len() as u64 * 2 + 512
}

impl VerifiedCache {
    /// Makes a cache of so many bytes; with 0 it remembers nothing.
    pub(crate) fn new(bytes: u64) -> Self {
        // Twice as many places as there are small entries, so that buckets are rarely full before
        // the cache is.
        let slots = usize::try_from(bytes / 512).unwrap_or(usize::MAX);
        let buckets = (slots / SLOTS).clamp(1, MAX_BUCKETS).next_power_of_two();
        Self((bytes > 0).then(|| {
            Table {
                hasher: RandomState::new(),
                buckets: (0..buckets).map(|_| Bucket(Default::default())).collect(),
                sights: (0..buckets * SLOTS / SIGHTS)
                    .map(|_| Default::default())
                    .collect(),
                limit: bytes,
                is_full: AtomicBool::new(false),
                refused: AtomicUsize::new(0),
                state: Mutex::default(),
            }
        }))
    }

    /// Returns the token, if it was verified under the present generation of its owner's keys and
    /// has not expired; otherwise the key for [`put`](Self::put). `of` returns for an owner the
    /// value that the caller needs, its generation, and its leeway. `now` is the same as for
    /// `verify_at`.
    pub(crate) fn get<C: ClaimSet, T>(
        &self,
        token: &str,
        now: (Timestamp, Timestamp),
        of: impl FnOnce(u64) -> Option<(T, u64, Duration)>,
    ) -> Result<(T, Verified<C>), Unknown> {
        let unknown = self.unknown(token);
        let table = self.0.as_ref().ok_or(unknown)?;
        table.get(unknown.0, token, now, of).ok_or(unknown)
    }

    /// Returns the key for [`put`](Self::put) without looking for the token.
    pub(crate) fn unknown(&self, token: &str) -> Unknown {
        Unknown(self.0.as_ref().map_or(0, |table| table.hash(token)))
    }

    /// Remembers a token that is not known and that was verified `now`, unless it is long, comes
    /// for the first time, or there is no space for it.
    pub(crate) fn put<C: ClaimSet>(
        &self,
        (token, Unknown(hash)): (&str, Unknown),
        verified: &Verified<C>,
        (owner, generation): (u64, u64),
        remember: Remember,
        now: Timestamp,
    ) {
        let Some(table) = self.0.as_ref().filter(|_| token.len() <= MAX_TOKEN) else {
            return;
        };
        if remember == Remember::SecondSight && !table.was_seen(hash) {
            return;
        }
        table.insert(hash, now, token, || CachedToken {
            text: token.into(),
            verified: verified.to_shared(),
            expires_at: verified.token().expires_at(),
            owner,
            generation,
        });
    }
}

impl Table {
    /// Returns a hash that finds a bucket, a fingerprint and a tag; the lowest bit is set, so that
    /// it is never 0.
    fn hash(&self, token: &str) -> u64 {
        let bytes = token.as_bytes();
        let mut hasher = self.hasher.build_hasher();
        hasher.write(bytes.last_chunk::<HASHED>().map_or(bytes, |last| last));
        hasher.finish() | USED
    }

    fn get<C: ClaimSet, T>(
        &self,
        hash: u64,
        token: &str,
        now: (Timestamp, Timestamp),
        of: impl FnOnce(u64) -> Option<(T, u64, Duration)>,
    ) -> Option<(T, Verified<C>)> {
        let slot = self.bucket(hash)?.find(hash)?;
        let entry = slot.entry.load();
        let cached = entry.as_ref()?;
        let (owner, generation, leeway) = of(cached.owner)?;
        if cached.generation != generation {
            return None;
        }
        // The times come before the text, so that the processor can fetch both at once.
        let known: &VerifiedToken<C> = cached.verified.downcast_ref()?;
        if !known.token().is_timely(leeway, now) || *cached.text != *token {
            return None;
        }
        let verified = Arc::clone(&cached.verified).downcast().ok()?;
        slot.touch();
        Some((owner, Verified::shared(verified)))
    }

    fn bucket(&self, hash: u64) -> Option<&Bucket> {
        self.buckets.get(place(hash, self.buckets.len()))
    }

    /// Returns whether a token came before, as far as is known, and notes that it came.
    fn was_seen(&self, hash: u64) -> bool {
        let fingerprint = (hash >> 32) as u32 | 1;
        let Some(sights) = self.sights.get(place(hash, self.sights.len())) else {
            return false;
        };
        let is_known = |sight: &AtomicU32| sight.load(Ordering::Relaxed) == fingerprint;
        if sights.iter().any(is_known) {
            return true;
        }
        // The oldest is dropped. If two threads do this at once, others may be lost.
        let mut next = fingerprint;
        for sight in sights {
            let moved = sight.load(Ordering::Relaxed);
            sight.store(next, Ordering::Relaxed);
            next = moved;
        }
        false
    }

    /// Adds a token, if there is space or space can be made.
    fn insert(&self, hash: u64, now: Timestamp, token: &str, make: impl FnOnce() -> CachedToken) {
        // While there is no space only some of the new tokens ask for it: so the others cost no
        // more than without a cache, and tokens in use have time to be used in between.
        if self.is_full.load(Ordering::Relaxed)
            && !self
                .refused
                .fetch_add(1, Ordering::Relaxed)
                .is_multiple_of(ONE_OF)
        {
            return;
        }
        // A token that finds another one being added is added when it comes again.
        let (Some(bucket), Ok(mut state)) = (self.bucket(hash), self.state.try_lock()) else {
            return;
        };
        let weight = weight(token);
        if weight > self.limit {
            return;
        }
        if let Some(slot) = bucket.find(hash) {
            state.bytes = state.bytes.saturating_sub(slot.clear());
        }
        if state.bytes + weight > self.limit {
            self.make_space(&mut state, now);
        }
        // If this token takes the last space, there is no space for the next one.
        let is_full = state.bytes + 2 * weight > self.limit;
        self.is_full.store(is_full, Ordering::Relaxed);
        if state.bytes + weight > self.limit {
            return;
        }
        let Some(slot) = bucket
            .free_slot()
            .or_else(|| bucket.replaceable(&mut state.turn, now))
        else {
            return;
        };
        state.bytes = state.bytes.saturating_sub(slot.clear()) + weight;
        slot.entry.store(Some(Arc::new(make())));
        slot.tag.store(hash & !USED | FILLED, Ordering::Release);
    }

    /// Examines the next places, and empties those whose token has expired; the first of them also
    /// where their token is out of use.
    fn make_space(&self, state: &mut State, now: Timestamp) {
        for examined in 0..EXAMINED {
            let at = state.hand % (self.buckets.len() * SLOTS);
            state.hand = at + 1;
            let slot = self
                .buckets
                .get(at / SLOTS)
                .and_then(|b| b.0.get(at % SLOTS));
            if let Some(slot) = slot.filter(|slot| slot.is_filled())
                && (slot.has_expired(now) || examined < ASKED && slot.is_out_of_use())
            {
                state.bytes = state.bytes.saturating_sub(slot.clear());
            }
        }
    }
}

impl Bucket {
    fn find(&self, hash: u64) -> Option<&Slot> {
        let wanted = hash & !USED | FILLED;
        self.0
            .iter()
            .find(|slot| slot.tag.load(Ordering::Acquire) & !USED == wanted)
    }

    fn free_slot(&self) -> Option<&Slot> {
        self.0.iter().find(|slot| !slot.is_filled())
    }

    /// Returns the next slot of a full bucket, if its token has expired or, for some of the turns,
    /// is out of use.
    fn replaceable(&self, turn: &mut usize, now: Timestamp) -> Option<&Slot> {
        let slot = self.0.get(*turn % SLOTS)?;
        let asks = turn.is_multiple_of(ONE_OF);
        *turn = turn.wrapping_add(1);
        (slot.has_expired(now) || asks && slot.is_out_of_use()).then_some(slot)
    }
}

impl Slot {
    fn is_filled(&self) -> bool {
        self.tag.load(Ordering::Relaxed) & FILLED != 0
    }

    /// Notes that the entry is in use, unless that is known: so a token that comes all the time
    /// changes no memory that other processors read.
    fn touch(&self) {
        if self.tag.load(Ordering::Relaxed) & USED == 0 {
            self.tag.fetch_or(USED, Ordering::Relaxed);
        }
    }

    fn has_expired(&self, now: Timestamp) -> bool {
        let entry = self.entry.load();
        entry.as_ref().is_none_or(|entry| entry.expires_at <= now)
    }

    /// Returns whether the entry was not used since this was asked before.
    fn is_out_of_use(&self) -> bool {
        self.tag.fetch_and(!USED, Ordering::Relaxed) & USED == 0
    }

    /// Empties the slot and returns the weight of what was in it.
    fn clear(&self) -> u64 {
        self.tag.store(0, Ordering::Release);
        let old = self.entry.swap(None);
        old.map_or(0, |old| old.weight())
    }
}

/// Returns the place of a hash in a table whose length is a power of two.
fn place(hash: u64, len: usize) -> usize {
    usize::try_from(hash >> 2).unwrap_or_default() & (len - 1)
}

impl fmt::Debug for VerifiedCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = |table: &Table| table.state.lock().map_or(0, |state| state.bytes);
        f.debug_struct("VerifiedCache")
            .field("bytes", &self.0.as_ref().map(bytes))
            .finish()
    }
}

/// The bit of a tag that says that the entry was used.
const USED: u64 = 1;
/// The bit of a tag that every entry has.
const FILLED: u64 = 2;
/// The number of places in a bucket.
const SLOTS: usize = 8;
/// The largest number of buckets: for a cache of four gigabytes.
const MAX_BUCKETS: usize = 1 << 20;
/// The number of fingerprints in a place; a power of two.
const SIGHTS: usize = 4;
/// The number of characters at the end of a token that are hashed: 18 bytes of the signature.
const HASHED: usize = 24;
/// The number of places that are examined for a token that asks for space. It is odd, so that each
/// place, of a power of two, is one of the first in its turn.
const EXAMINED: usize = 15;
/// The number of them in which a token that is out of use is replaced.
const ASKED: usize = 2;
/// Of this many tokens that find no space, one asks for the place of an entry that is out of use.
/// It is odd, so that in a full bucket, whose places take turns, each place is asked for.
const ONE_OF: usize = 7;
const _: () = assert!(EXAMINED % 2 == 1 && ONE_OF % 2 == 1);
/// The longest token that is remembered, in bytes: longer ones are rarely sent twice in a row, and
/// would replace many others (R132).
const MAX_TOKEN: usize = 2048;

#[cfg(test)]
mod tests {
    use serde::de::MapAccess;
    use serde::ser::SerializeMap;

    use super::*;
    use crate::id::TokenId;
    use crate::keys::{Algorithm, KeyRing};
    use crate::token::{Expect, Stamp, issue, verify};

    /// A user whose token has only the subject.
    #[derive(Clone, Debug, serde::Serialize)]
    struct Bare(u64);

    impl ClaimSet for Bare {
        type Subject = u64;
        type Draft = ();

        fn subject(&self) -> &u64 {
            &self.0
        }

        fn parse_subject(text: &str) -> Option<u64> {
            text.parse().ok()
        }

        fn write<M: SerializeMap>(&self, _: &mut M) -> Result<(), M::Error> {
            Ok(())
        }

        fn place(_: &str) -> Option<usize> {
            None
        }

        fn read<'de, A: MapAccess<'de>>((): &mut (), _: usize, _: &mut A) -> Result<(), A::Error> {
            Ok(())
        }

        fn finish((): (), subject: u64) -> Result<Self, &'static str> {
            Ok(Self(subject))
        }

        fn has_role(&self, _: &str) -> bool {
            false
        }

        fn has_scope(&self, _: &str) -> bool {
            false
        }
    }

    const START: Timestamp = Timestamp::from_secs(1_700_000_000);
    const LIFE: Duration = Duration::from_secs(600);

    struct Fixture {
        ring: KeyRing,
        expect: Expect,
        cache: VerifiedCache,
        now: Timestamp,
    }

    impl Fixture {
        fn new(bytes: u64) -> Self {
            Self {
                ring: KeyRing::generate(Algorithm::HS256).unwrap(),
                expect: Expect {
                    issuer: "https://a.example".into(),
                    audience: "api".into(),
                    realm: None,
                    client_id: "first-party".into(),
                    leeway: Duration::ZERO,
                    max_lifetime: LIFE,
                    allow_expired: false,
                },
                cache: VerifiedCache::new(bytes),
                now: START,
            }
        }

        fn tokens(&self, count: u64) -> Vec<String> {
            let issue = |number: u64| {
                let stamp = Stamp {
                    issuer: "https://a.example",
                    audience: "api",
                    client_id: "first-party",
                    realm: None,
                    issued_at: self.now,
                    expires_at: self.now.plus(LIFE),
                    jti: TokenId::from_bytes(u128::from(number).to_be_bytes()),
                    sid: None,
                    generation: None,
                    user_epoch: 0,
                    auth_time: None,
                    acr: None,
                    binding: None,
                };
                issue(&self.ring.set(), &stamp, &Bare(number)).unwrap()
            };
            (0..count).map(issue).collect()
        }

        /// Asks for a token as a gate does, and returns whether it was remembered.
        fn sees(&self, token: &str, remember: Remember) -> bool {
            let now = (self.now, self.now);
            let known = self
                .cache
                .get::<Bare, ()>(token, now, |_| Some(((), 1, self.expect.leeway)));
            let verified = verify::<Bare>(token, &self.ring.set(), &self.expect, self.now).unwrap();
            match known {
                Ok(((), known)) => {
                    assert_eq!(known.claims().0, verified.claims().0);
                    true
                }
                Err(unknown) => {
                    let token = (token, unknown);
                    self.cache.put(token, &verified, (0, 1), remember, self.now);
                    false
                }
            }
        }

        fn bytes(&self) -> u64 {
            self.cache.0.as_ref().unwrap().state.lock().unwrap().bytes
        }
    }

    #[test]
    fn r132_a_cheap_token_is_remembered_once_it_came_again() {
        let fixture = Fixture::new(1 << 20);
        let tokens = fixture.tokens(2);
        let sees = |token: &str, remember| fixture.sees(token, remember);
        assert!(!sees(&tokens[0], Remember::SecondSight));
        assert_eq!(fixture.bytes(), 0);
        assert!(!sees(&tokens[0], Remember::SecondSight));
        assert!(sees(&tokens[0], Remember::SecondSight));
        assert!(!sees(&tokens[1], Remember::FirstSight));
        assert!(sees(&tokens[1], Remember::FirstSight));
    }

    /// A token with the same end as a remembered one, and so with the same hash, is another token.
    #[test]
    fn r132_a_token_is_compared_as_a_whole() {
        let fixture = Fixture::new(1 << 20);
        let token = fixture.tokens(1).remove(0);
        fixture.sees(&token, Remember::FirstSight);
        for other in [
            format!("x{token}"),
            token[1..].to_owned(),
            token.replacen('e', "f", 1),
        ] {
            let now = (START, START);
            let found = fixture
                .cache
                .get::<Bare, ()>(&other, now, |_| Some(((), 1, fixture.expect.leeway)));
            assert!(found.is_err(), "{other}");
        }
    }

    #[test]
    fn r132_a_token_is_held_against_its_time_and_the_keys() {
        let fixture = Fixture::new(1 << 20);
        let token = fixture.tokens(1).remove(0);
        fixture.sees(&token, Remember::FirstSight);
        let at = |now: Timestamp, generation: u64| {
            fixture
                .cache
                .get::<Bare, ()>(&token, (now, now), |_| {
                    Some(((), generation, fixture.expect.leeway))
                })
                .is_ok()
        };
        let end = START.plus(LIFE);
        assert!(at(START, 1) && at(end.minus(Duration::from_millis(1)), 1));
        assert!(!at(end, 1) && !at(START.minus(Duration::from_secs(1)), 1));
        assert!(!at(START, 2));
    }

    #[test]
    fn r132_more_tokens_than_there_is_space_for_are_remembered_in_part() {
        let mut fixture = Fixture::new(200 * 1024);
        let tokens = fixture.tokens(600);
        let space = usize::try_from(200 * 1024 / weight(&tokens[0])).unwrap();
        let round = |fixture: &Fixture, tokens: &[String]| {
            let sees = |token: &&String| fixture.sees(token, Remember::FirstSight);
            tokens.iter().filter(sees).count()
        };
        for _ in 0..6 {
            round(&fixture, &tokens);
            assert!(fixture.bytes() <= 200 * 1024);
        }
        let remembered = round(&fixture, &tokens);
        assert!(remembered > space / 2, "{remembered} of {space}");

        // Once they have expired others replace them.
        fixture.now = START.plus(LIFE);
        let next = fixture.tokens(u64::try_from(space / 2).unwrap());
        for _ in 0..8 {
            round(&fixture, &next);
        }
        let remembered = round(&fixture, &next);
        assert!(
            remembered > next.len() * 3 / 4,
            "{remembered} of {}",
            next.len()
        );
    }

    /// However many others come once, a token in use stays.
    #[test]
    fn r132_a_token_in_use_stays() {
        let fixture = Fixture::new(100 * 1024);
        let tokens = fixture.tokens(1500);
        let (used, others) = tokens.split_at(20);
        let use_all = || {
            let forgotten = |token: &&String| !fixture.sees(token, Remember::FirstSight);
            used.iter().filter(forgotten).count()
        };
        use_all();
        let mut forgotten = 0;
        for few in others.chunks(10) {
            for token in few {
                fixture.sees(token, Remember::FirstSight);
            }
            forgotten += use_all();
        }
        assert!(forgotten <= 2, "{forgotten} times");
    }

    /// Tokens that are in use replace those that are not, long before those expire.
    #[test]
    fn r132_a_token_that_is_out_of_use_gives_way() {
        let fixture = Fixture::new(100 * 1024);
        let tokens = fixture.tokens(200);
        let (first, later) = tokens.split_at(100);
        for token in first {
            fixture.sees(token, Remember::FirstSight);
        }
        let space = usize::try_from(100 * 1024 / weight(&tokens[0])).unwrap();
        let later = &later[..space / 2];
        for _ in 0..60 {
            for token in later {
                fixture.sees(token, Remember::SecondSight);
            }
        }
        let remembered = later
            .iter()
            .filter(|token| fixture.sees(token, Remember::SecondSight))
            .count();
        assert!(
            remembered > later.len() / 2,
            "{remembered} of {}",
            later.len()
        );
    }

    #[test]
    fn r132_a_cache_of_nothing_remembers_nothing() {
        let fixture = Fixture::new(0);
        let token = fixture.tokens(1).remove(0);
        for _ in 0..3 {
            assert!(!fixture.sees(&token, Remember::FirstSight));
        }
    }
}
