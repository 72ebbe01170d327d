//! The revocation log in memory, with the lasting facts.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::clock::Timestamp;
use crate::store::record::{Fact, LogCursor, LogEntry, LogPage};

#[derive(Default)]
pub(super) struct Log {
    entries: BTreeMap<u64, LogEntry>,
    last: u64,
    /// Where the present value of each lasting fact, by its kind and key, stands among the entries.
    lasting: HashMap<(&'static str, Vec<u8>), u64>,
    clients: HashMap<String, u64>,
    everything: u64,
    pauses: u64,
}

impl Log {
    pub(super) fn client(&self, client: &str) -> u64 {
        self.clients.get(client).copied().unwrap_or(0)
    }

    pub(super) fn highest_client(&self) -> u64 {
        self.clients.values().copied().max().unwrap_or(0)
    }

    /// The number of the entry that was written last.
    pub(super) const fn last(&self) -> u64 {
        self.last
    }

    pub(super) const fn everything(&self) -> u64 {
        self.everything
    }

    /// Writes an entry; a lasting one takes the place of its predecessor, at the log's end.
    pub(super) fn write(&mut self, fact: Fact, until: Timestamp) -> LogEntry {
        self.last += 1;
        match &fact {
            Fact::Client(client, epoch) => {
                self.clients.insert(client.clone(), *epoch);
            }
            Fact::Everything(epoch) => self.everything = *epoch,
            _ => {}
        }
        if fact.is_lasting() {
            let (kind, key, _) = fact.to_columns();
            let before = self.lasting.insert((kind, key.to_vec()), self.last);
            before.and_then(|before| self.entries.remove(&before));
        }
        let entry = LogEntry::new(fact, until);
        self.entries.insert(self.last, entry.clone());
        entry
    }

    pub(super) fn set_paused(&mut self, paused: bool) {
        self.pauses += 1;
        self.write(Fact::Paused(paused, self.pauses), Timestamp::MAX);
    }

    /// A cursor that this log cannot have given starts over: an entry too many does no harm, one
    /// too few does.
    pub(super) fn since(&self, cursor: &LogCursor, now: Timestamp) -> LogPage {
        let seen = cursor
            .0
            .parse()
            .ok()
            .filter(|seen| *seen <= self.last)
            .unwrap_or(0);
        let entries = self
            .entries
            .range(seen + 1..)
            .map(|(_, entry)| entry)
            .filter(|entry| entry.until > now);
        LogPage {
            entries: entries.cloned().collect(),
            cursor: LogCursor(self.last.to_string()),
        }
    }

    pub(super) fn dead(&self, before: Timestamp) -> impl Iterator<Item = u64> {
        self.entries
            .iter()
            .filter(move |(_, entry)| entry.until < before)
            .map(|(id, _)| *id)
    }

    pub(super) fn forget(&mut self, dead: &HashSet<u64>) {
        self.entries.retain(|id, _| !dead.contains(id));
    }
}
