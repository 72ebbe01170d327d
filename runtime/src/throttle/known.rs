//! The part of the throttle that is in the store: the devices that an account knows.

use super::{Throttle, digest};
use crate::clock::Timestamp;
use crate::device::Client;
use crate::error::{Causes, Refusal};
use crate::secret::hex;
use crate::store::{OnceValue, Store, StoreError};

/// An account, by the name that a sign-in gives it.
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
    /// Remembers the device of a client who signed in, for `throttle.known_for` from now on.
    ///
    /// An error is only logged: the session is open already, and must not be refused because its
    /// device will be unknown next time.
    pub(crate) async fn signed_in(&self, account: Account<'_>, client: &Client, now: Timestamp) {
        let budgets = [&self.client, &self.identifier, &self.step];
        let is_counted = budgets.iter().any(|budget| !budget.limits.is_empty());
        let Some(device) = client.device_mark_after().filter(|_| is_counted) else {
            return;
        };
        let mark = account.mark(device);
        let (store, until) = (self.store.clone(), now.plus(self.known_for));
        // On a task of its own: a client that goes away in between takes no mark with it.
        let renewed = tokio::spawn(async move {
            store.take_once(KNOWN.to_owned(), mark, now).await?;
            let mut put = put(&store, mark, until, now).await;
            for _ in 0..TRIES {
                if put.is_ok() {
                    break;
                }
                put = self::put(&store, mark, until, now).await;
            }
            put
        });
        if let Ok(Err(error)) = renewed.await {
            let error = Causes(Some(&error));
            tracing::warn!(%error, "the device of a client who signed in could not be remembered");
        }
    }

    /// Returns the mark by which an account knows the device of a client; `None` if the device
    /// is unknown. It only reads.
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
        // A value that ended already is not kept, so this only looks.
        let is_known = put(&self.store, mark, now, now).await.map(|is_new| !is_new);
        Ok(is_known.map_err(Refusal::unavailable)?.then_some(mark))
    }
}

/// Marks a device as known; returns `false` if it is already.
async fn put(
    store: &Store,
    hash: [u8; 32],
    until: Timestamp,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let value = OnceValue {
        kind: KNOWN.to_owned(),
        hash,
        payload: Vec::new(),
        until,
        bound: None,
    };
    store.put_once(value, now).await
}

/// The kind of the values that mark a known device.
const KNOWN: &str = "known";
/// The number of attempts to put a mark again after the former one was taken, if the store fails.
const TRIES: u8 = 2;
