//! The throttle: counts attempts before anything is hashed. Knows neither accounts nor passwords.
//!
//! A sign-in is counted under its client's address and under its identifier, whether or not that
//! has an account; an answer to a further step under its subject. If one of these is used up, a
//! device that signed in to the account before has a budget of its own: a stranger who tries
//! passwords or codes, from any number of addresses, does not lock out known devices. All others
//! get the same answers, including the owner on a new device.

mod known;
mod local;

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use crate::clock::{Clock, Timestamp};
use crate::device::Client;
use crate::error::Refusal;
use crate::event::{Emitter, Event, EventKind};
use crate::secret::{hex, sha256};
use crate::settings::{Allowance, Counted, ThrottleSettings};
use crate::store::{Limit, Spent, Store, StoreError};

pub(crate) use known::Account;
use local::{LocalCounter, Room};

/// The budgets, and the place where they are counted.
///
/// Without the feature `rate-limit` only steps are counted, by each node for itself.
pub(crate) struct Throttle {
    store: Store,
    clock: Clock,
    events: Emitter,
    /// `true` if all nodes count together.
    is_shared: bool,
    known_for: Duration,
    client: BudgetPerKey,
    identifier: BudgetPerKey,
    known: BudgetPerKey,
    step: BudgetPerKey,
    #[cfg(feature = "rate-limit")]
    action: BudgetPerKey,
    refresh: BudgetPerKey,
    #[cfg(feature = "axum")]
    verify: BudgetPerKey,
}

/// A budget for each key of one sort.
struct BudgetPerKey {
    name: &'static str,
    limits: Vec<Limit>,
    counter: LocalCounter,
}

/// An answer to a further step, as it is counted.
pub(crate) struct StepAttempt<'a> {
    /// The subject of the step.
    pub(crate) subject: &'a str,
    /// The mark of the subject when the step was asked for. A change of credentials moves it and so
    /// begins fresh budgets: a stranger who knew the old password does not know the new one.
    pub(crate) mark: u64,
    /// The account under which the device may be known.
    pub(crate) account: Account<'a>,
}

impl Throttle {
    /// Makes a throttle over a store, and asks the store whether nodes share it: a store with a
    /// clock of its own is across a network.
    pub(crate) async fn new(
        settings: &ThrottleSettings,
        store: &Store,
        clock: &Clock,
        events: &Emitter,
    ) -> Result<Self, StoreError> {
        let settings = &if cfg!(feature = "rate-limit") {
            settings.clone()
        } else {
            settings.steps_alone()
        };
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
            let counter = LocalCounter::new(&limits, settings.keys);
            #[cfg(feature = "metrics")]
            if !limits.is_empty() {
                events.meter().begin_throttle(name);
            }
            BudgetPerKey {
                name,
                limits,
                counter,
            }
        };
        Ok(Self {
            store: store.clone(),
            clock: clock.clone(),
            events: events.clone(),
            is_shared,
            known_for: settings.known_for,
            client: budget("client", &[settings.client]),
            identifier: budget(
                "identifier",
                &[settings.identifier, settings.identifier_long],
            ),
            known: budget("known", &[settings.known, settings.known_long]),
            step: budget("step", &[settings.step, settings.step_long]),
            #[cfg(feature = "rate-limit")]
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
            let key = [identifier];
            wait = self.spend(&self.identifier, &key, client, now).await?;
        }
        let Some(wait) = wait else { return Ok(()) };
        let account = identifier.map(Account::Identifier);
        let Some(mark) = self.known_mark(account, client, now).await? else {
            return Err(Refusal::too_many(wait));
        };
        let own = self.spend(&self.known, &[&hex(&mark)], client, now).await?;
        refuse(own.map(|own| own.min(wait)))
    }

    /// Counts an answer to a step of a subject, by the same rules.
    pub(crate) async fn step(
        &self,
        attempt: &StepAttempt<'_>,
        client: &Client,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let mark = attempt.mark.to_string();
        let key = [attempt.subject, &mark];
        let Some(wait) = self.spend(&self.step, &key, client, now).await? else {
            return Ok(());
        };
        let account = Some(attempt.account);
        let Some(known) = self.known_mark(account, client, now).await? else {
            return Err(Refusal::too_many(wait));
        };
        let key = [attempt.subject, &mark, &hex(&known)];
        let own = self.spend(&self.step, &key, client, now).await?;
        refuse(own.map(|own| own.min(wait)))
    }

    /// Counts an action that an application takes for a client.
    #[cfg(feature = "rate-limit")]
    pub(crate) async fn action(
        &self,
        name: &str,
        whom: &str,
        client: &Client,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        refuse(self.spend_for(&self.client, client, now).await?)?;
        let key = [name, whom];
        refuse(self.spend(&self.action, &key, client, now).await?)
    }

    /// Counts a refresh, on this node.
    pub(crate) fn refresh(&self, client: &Client) -> Result<(), Refusal> {
        self.flood(&self.refresh, client)
    }

    /// Counts a question about a token, on this node.
    #[cfg(feature = "axum")]
    pub(crate) fn verify(&self, client: &Client) -> Result<(), Refusal> {
        self.flood(&self.verify, client)
    }

    /// Counts a request of an address, on this node.
    fn flood(&self, budget: &BudgetPerKey, client: &Client) -> Result<(), Refusal> {
        let key = address(client).filter(|_| !budget.limits.is_empty());
        refuse(key.and_then(|key| self.spend_local(budget, &key, client, self.clock.now())))
    }

    async fn spend_for(
        &self,
        budget: &BudgetPerKey,
        client: &Client,
        now: Timestamp,
    ) -> Result<Option<Duration>, Refusal> {
        match address(client) {
            Some(address) => self.spend(budget, &[&address], client, now).await,
            None => Ok(None),
        }
    }

    /// Spends from a budget, or returns how long to wait.
    async fn spend(
        &self,
        budget: &BudgetPerKey,
        key: &[&str],
        client: &Client,
        now: Timestamp,
    ) -> Result<Option<Duration>, Refusal> {
        if budget.limits.is_empty() {
            return Ok(None);
        }
        // Hashed, so that a reader of the store does not learn who tried to sign in, and so that
        // every key is short.
        let key = hex(&digest(key));
        if !self.is_shared {
            return Ok(self.spend_local(budget, &key, client, now));
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

    /// Spends from this node's own counter, and reports if it has no room.
    fn spend_local(
        &self,
        budget: &BudgetPerKey,
        key: &str,
        client: &Client,
        now: Timestamp,
    ) -> Option<Duration> {
        let count = budget.counter.spend(key, client.ip, now);
        let is_shared = count.room == Room::Shared;
        #[cfg(feature = "metrics")]
        if count.room > Room::Own {
            let meter = self.events.meter();
            meter.throttle_full(budget.name, is_shared);
        }
        if count.is_alarm {
            let budget = budget.name;
            let kind = EventKind::ThrottleFull { budget, is_shared };
            self.events.emit(&Event::new(kind));
        }
        count.wait
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

/// Returns the key of a client: its address, or for IPv6 the network of 64 bits that a subscriber
/// is given (RFC 6177).
fn address(client: &Client) -> Option<String> {
    client.ip.map(|ip| match ip.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).to_string()
        }
    })
}

fn digest(parts: &[&str]) -> [u8; 32] {
    let mut bytes = Vec::new();
    for part in parts {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    sha256(&bytes)
}

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;
