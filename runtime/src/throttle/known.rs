//! What the throttle keeps in the store: which devices an account knows, and how often its
//! credentials changed.

use super::{Throttle, digest};
use crate::clock::Timestamp;
use crate::device::Client;
use crate::error::{Causes, Refusal};
use crate::secret::hex;
use crate::store::{OnceValue, StoreError};

/// An account, by what a sign-in names it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Account<'a> {
    /// By the identifier of its login.
    Identifier(&'a str),
    /// By the subject, where the login has no identifier.
    Subject(&'a str),
}

impl Account<'_> {
    /// Returns the mark by which the account knows a device.
    pub(super) fn mark(self, device: [u8; 32]) -> [u8; 32] {
        let (kind, name) = match self {
            Self::Identifier(identifier) => ("identifier", identifier),
            Self::Subject(subject) => ("subject", subject),
        };
        digest(&["tollgate/known/2", kind, name, &hex(&device)])
    }
}

impl Throttle {
    /// Remembers the device of a client who signed in, for `throttle.known_for` from here.
    ///
    /// A session is open already: that its device is not known next time is no reason to refuse it.
    pub(crate) async fn signed_in(&self, account: Account<'_>, client: &Client, now: Timestamp) {
        let budgets = [&self.client, &self.identifier, &self.step];
        let is_counted = budgets.iter().any(|budget| !budget.limits.is_empty());
        let Some(device) = client.device_mark_after().filter(|_| is_counted) else {
            return;
        };
        let mark = account.mark(device);
        let renewed = async {
            self.store.take_once(KNOWN.to_owned(), mark, now).await?;
            let until = now.plus(self.known_for);
            self.put(KNOWN, mark, until, now).await
        };
        if let Err(error) = renewed.await {
            let error = Causes(Some(&error));
            tracing::warn!(%error, "the device of a client who signed in could not be remembered");
        }
    }

    /// Returns the mark by which an account knows the device of a client; `None` where it does not.
    /// It is a read.
    pub(super) async fn known_mark(
        &self,
        account: Option<Account<'_>>,
        client: &Client,
        now: Timestamp,
    ) -> Result<Option<[u8; 32]>, Refusal> {
        let Some((account, device)) = account.zip(client.device_mark()) else {
            return Ok(None);
        };
        let mark = account.mark(device);
        let is_known = self.has(KNOWN, mark, now).await;
        Ok(is_known.map_err(Refusal::unavailable)?.then_some(mark))
    }

    /// Returns how often the credentials of a subject changed, as far as that matters to a budget:
    /// each change begins fresh ones for its steps, since a stranger who knew the password does not
    /// know the next one.
    pub(crate) async fn changes(&self, subject: &str, now: Timestamp) -> Result<u32, Refusal> {
        if self.step.limits.is_empty() {
            return Ok(0);
        }
        for number in 0..MOST_CHANGES {
            let is_there = self.has(CHANGED, change(subject, number), now).await;
            if !is_there.map_err(Refusal::unavailable)? {
                return Ok(number);
            }
        }
        Ok(MOST_CHANGES)
    }

    /// Remembers that the credentials of a subject changed, until every budget that was in use
    /// before is full again.
    pub(crate) async fn credentials_changed(
        &self,
        subject: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let periods = self.step.limits.iter().map(|limit| limit.period);
        let Some(longest) = periods.max() else {
            return Ok(());
        };
        for number in 0..MOST_CHANGES {
            let mark = change(subject, number);
            if self.put(CHANGED, mark, now.plus(longest), now).await? {
                break;
            }
        }
        Ok(())
    }

    async fn has(&self, kind: &str, hash: [u8; 32], now: Timestamp) -> Result<bool, StoreError> {
        Ok(!self.put(kind, hash, now, now).await?)
    }

    async fn put(
        &self,
        kind: &str,
        hash: [u8; 32],
        until: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let value = OnceValue {
            kind: kind.to_owned(),
            hash,
            payload: Vec::new(),
            until,
        };
        self.store.put_once(value, now).await
    }
}

fn change(subject: &str, number: u32) -> [u8; 32] {
    digest(&["tollgate/changed/1", subject, &number.to_string()])
}

/// The kind of the values that mark a known device.
const KNOWN: &str = "known";
/// The kind of the values that mark a change of credentials.
const CHANGED: &str = "changed";
/// How many changes of one subject begin fresh budgets, within the period of the longest one.
const MOST_CHANGES: u32 = 8;
