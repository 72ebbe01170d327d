//! One sentence of the contract, and its check.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use super::broken::Broken;
use super::realm;
use crate::clock::Timestamp;
use crate::store::handle::Store;

/// One sentence of the contract, and the function that checks it.
#[derive(Clone, Copy)]
pub struct Clause {
    /// Its number, from 1 without a gap.
    pub number: u16,
    /// The operation of [`SessionStore`](crate::store::SessionStore) that it is about.
    pub operation: &'static str,
    /// A sentence, its words joined by underscores.
    pub name: &'static str,
    /// The sentence, in full.
    pub what: &'static str,
    pub(super) check: fn(Store) -> Checking,
}

/// A check under way.
pub(super) type Checking = Pin<Box<dyn Future<Output = Result<(), Broken>> + Send>>;

impl Clause {
    /// Checks this clause on an empty store, which is migrated first.
    ///
    /// # Errors
    /// The reason why it does not hold. A store that panics or does not answer within a minute
    /// breaks the clause.
    pub async fn check(&self, store: impl Into<Store>) -> Result<(), Broken> {
        let (store, check) = (store.into(), self.check);
        let checking = tokio::spawn(tokio::time::timeout(TIMEOUT, async move {
            store.migrate(NOW).await?;
            check(store).await
        }));
        match checking.await {
            Ok(Ok(held)) => held,
            Ok(Err(_)) => Err(Broken::new("no answer within a minute")),
            Err(panic) => Err(Broken::new(panic.to_string())),
        }
    }
}

impl Clause {
    /// Returns whether the clause concerns the contents of one realm, and so holds in two realms of
    /// a store at the same time. The other clauses concern what all realms share, or make realms.
    pub(super) fn is_about_one_realm(&self) -> bool {
        let is_shared = matches!(self.operation, "keys" | "swap_keys");
        let makes_realms = matches!(self.number, 138..=144 | 147..=167 | 187);
        !is_shared && !makes_realms && !ABOUT_KEYS.contains(&self.number)
    }

    /// Checks this clause in the default realm and in another one of an empty store, at the same
    /// time.
    pub(super) async fn check_in_two_realms(&self, store: &Store) -> Result<(), Broken> {
        let name = realm::named("other")?;
        let (default, other) =
            tokio::join!(self.check(store.clone()), self.check(store.realm(&name)));
        default.map_err(|broken| broken.in_realm("the default realm"))?;
        other.map_err(|broken| broken.in_realm("a named realm"))
    }
}

impl fmt::Debug for Clause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clause({} {})", self.number, self.name)
    }
}

/// The time at which clauses begin.
pub(super) const NOW: Timestamp = Timestamp::from_secs(1_700_000_000);

/// The clauses whose log contains a key that was ended in another realm.
const ABOUT_KEYS: [u16; 5] = [73, 87, 88, 89, 100];
/// The longest time that a clause may take.
const TIMEOUT: Duration = Duration::from_secs(60);
