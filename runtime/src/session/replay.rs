//! Counts how many times each successor was handed out again (rotation.md section 3, row 7).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Timestamp;
use crate::id::SessionId;

/// The number of times that each successor was handed out again: at most 256 times for one rotation
/// on this node.
#[derive(Debug, Default)]
pub(crate) struct Replays(Mutex<HashMap<(SessionId, u32), (u32, Timestamp)>>);

impl Replays {
    /// Counts one more; returns `false` if it is one too many.
    pub(crate) fn admit(&self, sid: SessionId, generation: u32, now: Timestamp) -> bool {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= REMEMBERED {
            counts.retain(|_, (_, since)| now.since(*since) <= LONGEST_WINDOW);
        }
        if counts.len() >= REMEMBERED {
            counts.clear();
        }
        let (count, _) = counts.entry((sid, generation)).or_insert((0, now));
        *count = count.saturating_add(1);
        *count <= MOST_REPLAYS
    }
}

const MOST_REPLAYS: u32 = 256;
const REMEMBERED: usize = 10_000;
const LONGEST_WINDOW: Duration = Duration::from_secs(60);
