//! An operation on every realm of a store, realm by realm: for an incident.

use std::fmt;

use super::handle::Store;
use super::record::{Revocation, RevokeReason, StoreError, Target};
use crate::clock::{Clock, Timestamp};
use crate::realm::RealmName;

/// Every realm of a store: the default one, and those that were opened.
///
/// The realms are handled one after the other, the default one first, and each is either done or
/// not. If one fails, the error says which realms are done, and the others are left as they were:
///
/// ```
/// use tollgate::store::{Everywhere, MemoryStore, Store};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let store = Store::from(MemoryStore::new());
/// if let Err(stopped) = Everywhere::of(&store).revoke_everything().await {
///     eprintln!("{stopped}");
///     // Later: the realms that were left, and not again those that were done.
///     let again = Everywhere::of(&store).only(stopped.left()).revoke_everything();
///     again.await.expect("the store answers again");
/// }
/// # }
/// ```
///
/// Nodes learn of it from the log, as of every revocation.
#[derive(Clone, Debug)]
pub struct Everywhere {
    store: Store,
    clock: Clock,
    only: Option<Vec<Option<RealmName>>>,
}

impl Everywhere {
    /// Takes every realm of a store. The handle is that of the store, or one that [`Store::realm`]
    /// made of it.
    #[must_use]
    pub fn of(store: &Store) -> Self {
        Self {
            store: store.default_realm(),
            clock: Clock::default(),
            only: None,
        }
    }

    /// Sets the realms; `None` is the default one. [`Stopped::left`] returns such a list. An empty
    /// list means every realm.
    #[must_use]
    pub fn only(mut self, realms: &[Option<RealmName>]) -> Self {
        self.only = Some(realms.to_vec()).filter(|realms| !realms.is_empty());
        self
    }

    /// Sets the clock. By default the system's.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Pauses every realm, and returns the realms.
    ///
    /// # Errors
    /// The realms cannot be listed, or one of them failed.
    pub async fn pause(self) -> Result<Vec<Option<RealmName>>, Stopped> {
        self.each(RealmAction::Pause, |_, _| ()).await
    }

    /// Resumes every realm, and returns the realms.
    ///
    /// # Errors
    /// The realms cannot be listed, or one of them failed.
    pub async fn resume(self) -> Result<Vec<Option<RealmName>>, Stopped> {
        self.each(RealmAction::Resume, |_, _| ()).await
    }

    /// Ends every session and every access token of every realm, and returns the realms.
    ///
    /// # Errors
    /// The realms cannot be listed, or one of them failed.
    pub async fn revoke_everything(self) -> Result<Vec<Option<RealmName>>, Stopped> {
        self.each(RealmAction::Revoke, |_, _| ()).await
    }

    /// Does it to every realm, and tells of each one once the store has it, with the number of
    /// sessions that ended.
    pub(crate) async fn each(
        self,
        action: RealmAction,
        mut tell: impl FnMut(Option<&RealmName>, u64),
    ) -> Result<Vec<Option<RealmName>>, Stopped> {
        let mut left = match &self.only {
            Some(realms) => realms.clone(),
            None => self.realms().await?,
        };
        left.reverse();
        let mut done = Vec::with_capacity(left.len());
        while let Some(realm) = left.last() {
            match self.act(action, realm.as_ref()).await {
                Ok(sessions) => tell(realm.as_ref(), sessions),
                Err(cause) => {
                    left.reverse();
                    return Err(Stopped { done, left, cause });
                }
            }
            done.extend(left.pop());
        }
        Ok(done)
    }

    async fn realms(&self) -> Result<Vec<Option<RealmName>>, Stopped> {
        // The default realm may have sessions of a version that wrote no list.
        let mut realms = vec![None];
        let listed = async {
            self.store.migrate(self.clock.now()).await?;
            self.store.realms().await
        };
        match listed.await {
            Ok(listed) => realms.extend(listed.into_iter().map(|realm| realm.name)),
            Err(cause) => {
                return Err(Stopped {
                    done: Vec::new(),
                    left: Vec::new(),
                    cause,
                });
            }
        }
        realms.dedup();
        Ok(realms)
    }

    async fn act(&self, action: RealmAction, realm: Option<&RealmName>) -> Result<u64, StoreError> {
        let now = self.clock.now();
        let store = realm.map_or_else(|| self.store.clone(), |realm| self.store.realm(realm));
        // A handle has to know the namespace, and a namespace that was only partly made is
        // completed.
        store.migrate(now).await?;
        match action {
            RealmAction::Pause => store.set_paused(true, now).await.map(|()| 0),
            RealmAction::Resume => store.set_paused(false, now).await.map(|()| 0),
            RealmAction::Revoke => {
                let revocation = Revocation {
                    target: Target::Everything,
                    reason: RevokeReason::Requested,
                    until: Timestamp::MAX,
                };
                let revoked = store.revoke(revocation, now).await?;
                Ok(revoked.sessions)
            }
        }
    }
}

/// What is done to each realm.
#[derive(Clone, Copy, Debug)]
pub(crate) enum RealmAction {
    Pause,
    Resume,
    Revoke,
}

/// The error of an operation on every realm that stopped before the end.
#[derive(Debug)]
pub struct Stopped {
    done: Vec<Option<RealmName>>,
    left: Vec<Option<RealmName>>,
    cause: StoreError,
}

impl Stopped {
    /// Returns the realms that are done; `None` is the default one.
    #[must_use]
    pub fn done(&self) -> &[Option<RealmName>] {
        &self.done
    }

    /// Returns the realms that are not done, the one that failed first. The list is empty if the
    /// realms could not be listed: then nothing was done.
    #[must_use]
    pub fn left(&self) -> &[Option<RealmName>] {
        &self.left
    }
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(failed) = self.left.first() else {
            return f
                .write_str("the realms of the store could not be listed, and nothing was done");
        };
        let name = |realm: &Option<RealmName>| match realm {
            Some(realm) => format!("`{realm}`"),
            None => "the default realm".to_owned(),
        };
        let names = |realms: &[Option<RealmName>]| match realms {
            [] => "none".to_owned(),
            realms => realms.iter().map(name).collect::<Vec<_>>().join(", "),
        };
        write!(
            f,
            "stopped at {}; done: {}; not done: {}",
            name(failed),
            names(&self.done),
            names(&self.left)
        )
    }
}

impl std::error::Error for Stopped {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.cause)
    }
}
