//! The throttle: counts attempts before anything is hashed. Knows neither accounts nor passwords.
//!
//! A sign-in is counted under its client's address and under its identifier, whether or not that
//! has an account. Where one of these is used up, a client who signed in to that identifier before,
//! known by its device id or its address, has a budget of its own: a stranger who tries passwords,
//! from however many addresses, does not lock out known devices and addresses.

mod local;

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use crate::clock::{Clock, Timestamp};
use crate::device::Client;
use crate::error::{Causes, Refusal};
use crate::secret::{hex, sha256};
use crate::settings::{Allowance, Counted, ThrottleSettings};
use crate::store::{Limit, Spent, Store, StoreError};

use local::LocalCounter;

/// The budgets that are counted, and where they are counted.
pub(crate) struct Throttle {
    store: Store,
    /// Whether all nodes count together.
    is_shared: bool,
    known_for: Duration,
    client: BudgetPerKey,
    identifier: BudgetPerKey,
    known: BudgetPerKey,
    step: BudgetPerKey,
    action: BudgetPerKey,
    refresh: BudgetPerKey,
    #[cfg(feature = "axum")]
    verify: BudgetPerKey,
}

/// A budget for each key of one sort.
struct BudgetPerKey {
    name: &'static str,
    limits: Vec<Limit>,
    counters: Vec<LocalCounter>,
}

impl Throttle {
    /// Makes a throttle over a store, and asks the store whether nodes share it: a store with a
    /// clock of its own is across a network.
    pub(crate) async fn new(
        settings: &ThrottleSettings,
        store: &Store,
        clock: &Clock,
    ) -> Result<Self, StoreError> {
        let is_shared = match settings.counted {
            Counted::Auto => store.now().await?.is_some(),
            Counted::Local => false,
            Counted::Store => true,
        };
        let budget = |name, allowances: &[Allowance]| {
            let limits = allowances.iter().filter_map(|allowance| match *allowance {
                Allowance::Unlimited => None,
                Allowance::Attempts { burst, period } => Some(Limit { burst, period }),
            });
            let limits: Vec<_> = limits.collect();
            let counters = limits
                .iter()
                .map(|limit| LocalCounter::new(*limit, settings.keys, clock))
                .collect();
            BudgetPerKey {
                name,
                limits,
                counters,
            }
        };
        Ok(Self {
            store: store.clone(),
            is_shared,
            known_for: settings.known_for,
            client: budget("client", &[settings.client]),
            identifier: budget(
                "identifier",
                &[settings.identifier, settings.identifier_long],
            ),
            known: budget("known", &[settings.known]),
            step: budget("step", &[settings.step, settings.step_long]),
            action: budget("action", &[settings.action]),
            refresh: budget("refresh", &[settings.refresh]),
            #[cfg(feature = "axum")]
            verify: budget("verify", &[settings.verify]),
        })
    }

    /// Counts a sign-in. Times are those of the store, by which all nodes count.
    pub(crate) async fn sign_in(
        &self,
        identifier: Option<&str>,
        client: &Client,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let mut wait = self.spend_for(&self.client, client, now).await?;
        if let (None, Some(identifier)) = (wait, identifier) {
            wait = self.spend(&self.identifier, &[identifier], now).await?;
        }
        let Some(mut wait) = wait else { return Ok(()) };
        for mark in identifier
            .iter()
            .flat_map(|identifier| marks(identifier, client))
        {
            if !self.is_known(mark, now).await? {
                continue;
            }
            match self.spend(&self.known, &[&hex(&mark)], now).await? {
                None => return Ok(()),
                Some(left) => wait = wait.min(left),
            }
        }
        Err(Refusal::too_many(wait))
    }

    /// Remembers a client who signed in.
    pub(crate) async fn signed_in(
        &self,
        identifier: Option<&str>,
        client: &Client,
        now: Timestamp,
    ) {
        let is_counted = !(self.client.limits.is_empty() && self.identifier.limits.is_empty());
        for mark in identifier
            .iter()
            .filter(|_| is_counted)
            .flat_map(|identifier| marks(identifier, client))
        {
            // A session is open already: that its client is not known next time is no reason to
            // refuse it.
            if let Err(error) = self
                .store
                .consume_once(mark, now.plus(self.known_for), now)
                .await
            {
                tracing::warn!(error = %Causes(Some(&error)), "a client who signed in could not be remembered");
            }
        }
    }

    /// Counts an answer to a step of a subject.
    pub(crate) async fn step(&self, subject: &str, now: Timestamp) -> Result<(), Refusal> {
        refuse(self.spend(&self.step, &[subject], now).await?)
    }

    /// Counts what an application does for somebody.
    pub(crate) async fn action(
        &self,
        name: &str,
        whom: &str,
        client: &Client,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        refuse(self.spend_for(&self.client, client, now).await?)?;
        refuse(self.spend(&self.action, &[name, whom], now).await?)
    }

    /// Counts a refresh, on this node.
    pub(crate) fn refresh(&self, client: &Client) -> Result<(), Refusal> {
        refuse(address(client).and_then(|address| self.refresh.local(&address)))
    }

    /// Counts a question about a token, on this node.
    #[cfg(feature = "axum")]
    pub(crate) fn verify(&self, client: &Client) -> Result<(), Refusal> {
        refuse(address(client).and_then(|address| self.verify.local(&address)))
    }

    /// Returns whether there is such a mark. It is taken for no time at all, which fails only where
    /// somebody holds it.
    async fn is_known(&self, mark: [u8; 32], now: Timestamp) -> Result<bool, Refusal> {
        Ok(!self
            .store
            .consume_once(mark, now, now)
            .await
            .map_err(Refusal::unavailable)?)
    }

    async fn spend_for(
        &self,
        budget: &BudgetPerKey,
        client: &Client,
        now: Timestamp,
    ) -> Result<Option<Duration>, Refusal> {
        match address(client) {
            Some(address) => self.spend(budget, &[&address], now).await,
            None => Ok(None),
        }
    }

    /// Spends from a budget, or answers how long to wait.
    async fn spend(
        &self,
        budget: &BudgetPerKey,
        key: &[&str],
        now: Timestamp,
    ) -> Result<Option<Duration>, Refusal> {
        if budget.limits.is_empty() {
            return Ok(None);
        }
        // A reader of the store does not learn who tried to sign in, and every key is short.
        let key = hex(&digest(key));
        if !self.is_shared {
            return Ok(budget.local(&key));
        }
        let spent = self
            .store
            .spend(
                format!("{}/{key}", budget.name),
                1,
                budget.limits.clone(),
                now,
            )
            .await;
        match spent.map_err(Refusal::unavailable)? {
            Spent::Allowed => Ok(None),
            Spent::Refused { retry_after } => Ok(Some(retry_after)),
        }
    }
}

impl BudgetPerKey {
    /// Spends from this node's own counters. The shortest comes first, so that what it refuses is
    /// not counted in the long run.
    fn local(&self, key: &str) -> Option<Duration> {
        self.counters.iter().find_map(|counter| counter.spend(key))
    }
}

impl std::fmt::Debug for Throttle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Throttle")
            .field("is_shared", &self.is_shared)
            .finish_non_exhaustive()
    }
}

fn refuse(wait: Option<Duration>) -> Result<(), Refusal> {
    wait.map_or(Ok(()), |left| Err(Refusal::too_many(left)))
}

/// Returns what stands for a client: its address, an IPv6 one by the network of 64 bits that a
/// subscriber is given (RFC 6177).
fn address(client: &Client) -> Option<String> {
    client.ip.map(|ip| match ip.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).to_string()
        }
    })
}

/// Returns the marks by which a client is known to an identifier: first the id of its device, which
/// a neighbour cannot use up, then its address.
fn marks(identifier: &str, client: &Client) -> impl Iterator<Item = [u8; 32]> {
    let device = client
        .device
        .id
        .clone()
        .filter(|id| id.len() >= GUESSABLE)
        .map(|id| ("device", id));
    let address = address(client).map(|address| ("address", address));
    [device, address]
        .into_iter()
        .flatten()
        .map(move |(kind, value)| digest(&["tollgate/known/1", identifier, kind, &value]))
}

fn digest(parts: &[&str]) -> [u8; 32] {
    let mut bytes = Vec::new();
    for part in parts {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    sha256(&bytes)
}

/// The least length of a device id that counts: a stranger would guess shorter ones.
const GUESSABLE: usize = 16;

#[cfg(test)]
mod tests;
