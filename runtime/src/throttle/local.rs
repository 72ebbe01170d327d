//! Counters in this process, with a bound on their memory.

use std::collections::hash_map::RandomState;
use std::collections::{BTreeSet, HashMap};
use std::convert::Infallible;
use std::hash::BuildHasher as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Timestamp;
use crate::store::{BudgetRate, BudgetState, Limit, Spent};

/// The budgets of one sort, one for each key under each limit.
///
/// Keys are distinguished by 64 bits of a hash with a random seed. When as many budgets are in use
/// as the bound allows, a new one replaces the one that is nearest to full, because that one loses
/// least. A budget that is used up stays until it refills. If only such are left, new keys share
/// one budget for each network: memory stays bounded, and every attempt is counted.
pub(super) struct LocalCounter {
    limits: Vec<Limit>,
    most: usize,
    seed: RandomState,
    counted: Mutex<Counted>,
}

/// The answer of a counter about an attempt.
#[derive(Debug)]
pub(super) struct Count {
    /// The time to wait; `None` if the attempt is allowed.
    pub(super) wait: Option<Duration>,
    /// The room that the key found.
    pub(super) room: Room,
    /// `true` if an operator should be told.
    pub(super) is_alarm: bool,
}

/// The room that a key found, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Room {
    /// In its own budget.
    Own,
    /// In its own budget, which replaced the one that was nearest to full.
    Taken,
    /// In the budget of a network, because all others are used up.
    Shared,
}

struct Counted {
    /// A table for each limit.
    tables: Vec<Table>,
    /// The last report, and its time.
    reported: Option<(Room, Timestamp)>,
}

/// The budgets under one limit.
struct Table {
    rate: BudgetRate,
    keys: Budgets,
    networks: Budgets,
}

/// A place in a table.
#[derive(Clone, Copy)]
enum Place {
    Key(u64),
    Network(u64),
}

/// Budgets, in the order in which they are full again.
#[derive(Default)]
struct Budgets {
    states: HashMap<u64, BudgetState>,
    by_fullness: BTreeSet<(Timestamp, u64)>,
}

impl LocalCounter {
    pub(super) fn new(limits: &[Limit], keys: u32) -> Self {
        let tables = BudgetRate::distinct(limits).into_iter().map(|rate| Table {
            rate,
            keys: Budgets::default(),
            networks: Budgets::default(),
        });
        Self {
            limits: limits.to_vec(),
            most: usize::try_from(keys).unwrap_or(usize::MAX),
            seed: RandomState::new(),
            counted: Mutex::new(Counted {
                tables: tables.collect(),
                reported: None,
            }),
        }
    }

    /// Spends from the budget of a key under every limit, or under none of them.
    pub(super) fn spend(&self, key: &str, asker: Option<IpAddr>, now: Timestamp) -> Count {
        let key = self.seed.hash_one(key);
        let network = self.seed.hash_one(asker.map(network));
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let mut room = Room::Own;
        let mut places = Vec::with_capacity(counted.tables.len());
        for table in &mut counted.tables {
            let (place, found) = table.place(key, network, self.most, now);
            room = room.max(found);
            places.push((table.rate, place));
        }
        let find = |rate| places.iter().position(|(of, _)| *of == rate);
        let read = |rate| {
            let place = find(rate).and_then(|at| places.get(at));
            let table = find(rate).and_then(|at| counted.tables.get(at));
            Ok::<_, Infallible>(
                table
                    .zip(place)
                    .and_then(|(table, (_, place))| table.get(*place)),
            )
        };
        let Ok((answer, spent)) = BudgetState::spend(&self.limits, 1, now, read);
        for (rate, state) in spent {
            let at = find(rate);
            let place = at.and_then(|at| places.get(at));
            let table = at.and_then(|at| counted.tables.get_mut(at));
            if let Some((table, (_, place))) = table.zip(place) {
                table.put(*place, state, self.most);
            }
        }
        Count {
            wait: match answer {
                Spent::Allowed => None,
                Spent::Refused { retry_after } => Some(retry_after),
            },
            room,
            is_alarm: counted.is_alarm(room, now),
        }
    }

    /// Returns how many budgets are kept.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        let counted = self.counted.lock().unwrap();
        let tables = counted.tables.iter();
        tables
            .map(|table| table.keys.states.len() + table.networks.states.len())
            .sum()
    }
}

impl Counted {
    /// Returns whether there is so little room for the first time within an hour.
    fn is_alarm(&mut self, room: Room, now: Timestamp) -> bool {
        let is_new = room > Room::Own
            && self
                .reported
                .is_none_or(|(last, at)| room > last || now.since(at) >= SILENCE);
        if is_new {
            self.reported = Some((room, now));
        }
        is_new
    }
}

impl Table {
    /// Finds the place in which a key is counted.
    fn place(&mut self, key: u64, network: u64, most: usize, now: Timestamp) -> (Place, Room) {
        match self.keys.room(key, most, self.rate, now) {
            Room::Shared => {}
            room => return (Place::Key(key), room),
        }
        let place = match self.networks.room(network, most, self.rate, now) {
            Room::Shared => network % LAST_PLACES,
            _ => network,
        };
        (Place::Network(place), Room::Shared)
    }

    fn get(&self, place: Place) -> Option<BudgetState> {
        match place {
            Place::Key(key) => self.keys.states.get(&key).copied(),
            Place::Network(network) => self.networks.states.get(&network).copied(),
        }
    }

    fn put(&mut self, place: Place, state: BudgetState, most: usize) {
        match place {
            Place::Key(key) => self.keys.put(key, state, most),
            Place::Network(network) if network < LAST_PLACES => {
                self.networks.put(network, state, usize::MAX);
            }
            Place::Network(network) => self.networks.put(network, state, most),
        }
    }
}

impl Budgets {
    /// Returns whether there is room for a key. Drops budgets that are full again.
    fn room(&mut self, key: u64, most: usize, rate: BudgetRate, now: Timestamp) -> Room {
        while let Some((_, full)) = self.by_fullness.first().filter(|(at, _)| *at <= now) {
            let full = *full;
            self.remove(full);
        }
        if self.states.len() < most || self.states.contains_key(&key) {
            return Room::Own;
        }
        let nearest = self.by_fullness.first();
        let nearest = nearest.and_then(|(_, nearest)| self.states.get(nearest));
        match nearest {
            Some(nearest) if nearest.is_used_up(rate, now) => Room::Shared,
            _ => Room::Taken,
        }
    }

    /// Stores a budget; if there is no room, it replaces the one that is nearest to full.
    fn put(&mut self, key: u64, state: BudgetState, most: usize) {
        self.remove(key);
        if self.states.len() >= most
            && let Some((_, nearest)) = self.by_fullness.first()
        {
            let nearest = *nearest;
            self.remove(nearest);
        }
        self.states.insert(key, state);
        self.by_fullness.insert((state.full_at, key));
    }

    fn remove(&mut self, key: u64) {
        if let Some(state) = self.states.remove(&key) {
            self.by_fullness.remove(&(state.full_at, key));
        }
    }
}

/// Returns the network of an address: /24, or /56 of IPv6.
fn network(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            Ipv4Addr::new(a, b, c, 0).into()
        }
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d & 0xff00, 0, 0, 0, 0).into()
        }
    }
}

/// The time for which an alarm is not repeated.
const SILENCE: Duration = Duration::from_secs(60 * 60);
/// The number of budgets that the networks above the bound share.
const LAST_PLACES: u64 = 4096;
