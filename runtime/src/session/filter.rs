//! A filter in front of the view of the revocations: for most keys it knows at once that the view
//! does not hold them.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

/// The number of kinds of key.
pub(super) const KINDS: usize = 5;

/// A filter for keys of several kinds. Each kind has a part of its own, so that a kind of which
/// there are few is looked up in a few words, which stay in the cache of the processor.
///
/// It has no false negatives: it holds every key that was inserted.
#[derive(Debug)]
pub(super) struct Filter {
    parts: [Part; KINDS],
}

impl Filter {
    /// Makes a filter for so many keys of each kind, with 16 to 32 bits for each key.
    pub(super) fn for_keys(counts: [usize; KINDS]) -> Self {
        Self {
            parts: counts.map(Part::for_keys),
        }
    }

    /// Returns whether it is large enough for so many keys of each kind.
    pub(super) fn has_room_for(&self, counts: [usize; KINDS]) -> bool {
        let mut each = self.parts.iter().zip(counts);
        each.all(|(part, count)| count <= part.capacity())
    }

    pub(super) fn insert(&self, key: FilterKey) {
        if let Some(part) = self.parts.get(key.kind()) {
            part.insert(key);
        }
    }

    /// Returns whether a key may be in the view; `false` is certain.
    pub(super) fn may_hold(&self, key: FilterKey) -> bool {
        let part = self.parts.get(key.kind());
        part.is_none_or(|part| part.may_hold(key))
    }
}

/// A Bloom filter in which the bits of a key lie in one word, so that a look-up reads one place of
/// memory.
#[derive(Debug)]
struct Part {
    /// The words, whose number is a power of two.
    words: Box<[AtomicU64]>,
}

impl Part {
    fn for_keys(count: usize) -> Self {
        let words = count.div_ceil(KEYS_IN_WORD).max(1).next_power_of_two();
        Self {
            words: (0..words).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    /// Returns the number of keys for which it is large enough.
    fn capacity(&self) -> usize {
        self.words.len() * KEYS_IN_WORD
    }

    fn insert(&self, key: FilterKey) {
        if let Some(word) = self.word(key) {
            word.fetch_or(key.bits(), Ordering::AcqRel);
        }
    }

    fn may_hold(&self, key: FilterKey) -> bool {
        let bits = key.bits();
        self.word(key)
            .is_none_or(|word| word.load(Ordering::Acquire) & bits == bits)
    }

    fn word(&self, key: FilterKey) -> Option<&AtomicU64> {
        let place = usize::try_from(key.hash >> 24).unwrap_or_default();
        self.words.get(place & (self.words.len() - 1))
    }
}

/// The hash of a key, and its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FilterKey {
    hash: u64,
    kind: u8,
}

impl FilterKey {
    /// Returns the kind, as an index.
    pub(super) fn kind(self) -> usize {
        usize::from(self.kind)
    }

    /// Returns four bits of a word.
    fn bits(self) -> u64 {
        let bit = |shift: u32| 1_u64 << ((self.hash >> shift) & 63);
        bit(0) | bit(6) | bit(12) | bit(18)
    }
}

/// Makes keys with a random seed, so that an attacker cannot choose subjects that the filter
/// confuses. Confused keys would only cost time: they are looked up in the view.
#[derive(Clone, Copy, Debug)]
pub(super) struct FilterHasher {
    seed: u64,
}

impl FilterHasher {
    pub(super) fn new() -> Self {
        Self {
            seed: RandomState::new().hash_one(0_u8),
        }
    }

    /// Hashes the key of an entry of a kind.
    pub(super) fn key(self, kind: u8, bytes: &[u8]) -> FilterKey {
        let (words, rest) = bytes.as_chunks::<8>();
        let mut hash = fold(self.seed ^ u64::from(kind), FACTORS[0]);
        for word in words {
            hash = fold(hash ^ u64::from_le_bytes(*word), FACTORS[1]);
        }
        let mut last = [0; 8];
        for (to, from) in last.iter_mut().zip(rest) {
            *to = *from;
        }
        let last = u64::from_le_bytes(last) ^ bytes.len() as u64;
        let hash = fold(fold(hash ^ last, FACTORS[2]), FACTORS[3] ^ self.seed);
        FilterKey { hash, kind }
    }
}

/// Multiplies and folds the product, so that each bit of the result depends on every bit of both.
fn fold(one: u64, other: u64) -> u64 {
    let product = u128::from(one) * u128::from(other);
    (product as u64) ^ (product >> 64) as u64
}

/// Odd numbers without a pattern.
const FACTORS: [u64; 4] = [
    0x9e37_79b9_7f4a_7c15,
    0xbf58_476d_1ce4_e5b9,
    0x94d0_49bb_1331_11eb,
    0xd6e8_feb8_6659_fd93,
];
/// The number of keys for each word.
const KEYS_IN_WORD: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_inserted_is_held_and_little_else() {
        let hasher = FilterHasher::new();
        let filter = Filter::for_keys([0, 10_000, 0, 0, 0]);
        assert!(filter.has_room_for([0, 10_000, 0, 0, 0]));
        assert!(!filter.has_room_for([0, 0, 10_000, 0, 0]));
        let key = |number: u32| hasher.key(1, format!("subject-{number}").as_bytes());
        for number in 0..10_000 {
            filter.insert(key(number));
        }
        assert!((0..10_000).all(|number| filter.may_hold(key(number))));
        let wrong = (10_000..110_000)
            .filter(|number| filter.may_hold(key(*number)))
            .count();
        assert!(wrong < 3_000, "{wrong} of 100000");
        let of_another_kind = (0..10_000)
            .filter(|number| filter.may_hold(hasher.key(2, format!("subject-{number}").as_bytes())))
            .count();
        assert_eq!(of_another_kind, 0);
    }

    #[test]
    fn an_empty_filter_holds_nothing() {
        let (filter, hasher) = (Filter::for_keys([0; KINDS]), FilterHasher::new());
        assert!(!filter.may_hold(hasher.key(1, b"")));
        assert!(!filter.may_hold(hasher.key(3, &[0; 16])));
    }

    #[test]
    fn every_byte_and_the_length_of_a_key_count() {
        let hasher = FilterHasher::new();
        for len in 1..40 {
            let bytes = vec![0; len];
            let key = hasher.key(0, &bytes);
            assert_ne!(key, hasher.key(0, &bytes[1..]));
            for at in 0..len {
                let mut other = bytes.clone();
                other[at] = 1;
                assert_ne!(key, hasher.key(0, &other));
            }
        }
    }
}
