//! Lets a repeated report through once an hour for each thing that it is about.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Timestamp;

/// The reports of the last hour. Their number is bounded: at the bound, further ones wait until an
/// older one is an hour old.
pub(crate) struct Hourly {
    /// The time at which each was let through, by a hash with a random seed.
    seen: Mutex<HashMap<u64, Timestamp>>,
    seed: RandomState,
}

impl Hourly {
    /// Makes a record in which nothing was reported yet.
    pub(crate) fn new() -> Self {
        Self {
            seen: Mutex::default(),
            seed: RandomState::new(),
        }
    }

    /// Returns whether this report of a kind about a thing is the first within an hour.
    pub(crate) fn admits(&self, kind: &str, about: &str, now: Timestamp) -> bool {
        let hash = self.seed.hash_one((kind, about));
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let is_recent = |at: &Timestamp| now < at.plus(HOUR);
        if seen.get(&hash).is_some_and(is_recent) {
            return false;
        }
        if seen.len() >= MOST {
            seen.retain(|_, at| is_recent(at));
        }
        if seen.len() >= MOST {
            return false;
        }
        seen.insert(hash, now);
        true
    }
}

impl fmt::Debug for Hourly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hourly")
    }
}

const HOUR: Duration = Duration::from_secs(60 * 60);
/// The number of reports that are remembered at most: about 400 KiB.
const MOST: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thing_is_reported_once_an_hour_and_memory_is_bounded() {
        let (hourly, start) = (Hourly::new(), Timestamp::from_secs(1_800_000_000));
        assert!(hourly.admits("issue", "ada", start));
        assert!(!hourly.admits("issue", "ada", start));
        assert!(hourly.admits("subject", "ada", start));
        assert!(hourly.admits("issue", "grace", start));
        let later = start.plus(HOUR - Duration::from_millis(1));
        assert!(!hourly.admits("issue", "ada", later));
        assert!(hourly.admits("issue", "ada", start.plus(HOUR)));

        let admitted = (0..2 * MOST).filter(|n| hourly.admits("n", &n.to_string(), later));
        assert_eq!(admitted.count(), MOST - 3);
        assert_eq!(hourly.seen.lock().unwrap().len(), MOST);
        let next = later.plus(HOUR);
        assert!(hourly.admits("n", "another", next), "the old ones go");
        assert!(hourly.seen.lock().unwrap().len() < MOST);
    }
}
