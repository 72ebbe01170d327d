//! Runs an operation: on a connection of its own, within its time, in one transaction, and again
//! where the server asks for that.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::fault::Fault;
use super::open::PostgresStore;
use super::pool::{ConnectionPool, Lease};
use super::realm::Connection;
use super::wake::Wake;
use crate::realm::RealmName;
use crate::secret::fill_random;
use crate::store::record::StoreError;
use crate::store::shared::operation::StoreOperation;
use crate::store::shared::tables::RealmTables;

/// An operation under way. A fault rolls its transaction back.
pub(super) type OperationFuture<'a, T> =
    Pin<Box<dyn Future<Output = Result<T, Fault>> + Send + 'a>>;

/// The work of an operation, with its arguments, on a connection. It may run more than once.
pub(super) type DatabaseOperation<A, T> =
    for<'a> fn(&'a mut Connection<'_>, &'a A) -> OperationFuture<'a, T>;

/// The way in which an operation runs.
pub(super) enum Mode {
    /// One statement that only reads: it may be run again on another connection.
    Read,
    /// One statement, which is its own transaction.
    Statement,
    /// A transaction, begun by these statements, which are sent together.
    Transaction(Cow<'static, str>),
    /// A transaction that is always rolled back at the end.
    Trial,
    /// A transaction that may touch every row there is, so that only its locks have a time limit.
    Sweep(&'static str),
}

impl Mode {
    /// A transaction that needs no lock to begin with.
    pub(super) const PLAIN: Self = Self::Transaction(Cow::Borrowed("BEGIN"));

    /// A transaction that no bump of a client's or the global epoch overlaps. Many of these run
    /// side by side.
    ///
    /// The lock is on the table `tg_epoch` itself, and weak enough not to affect its readers and
    /// writers. It is requested before the first statement, so every statement of the transaction
    /// has a snapshot that was taken under it.
    pub(super) const WITHOUT_BUMPS: Self = Self::Transaction(Cow::Borrowed(
        "BEGIN; LOCK TABLE tg_epoch IN ROW SHARE MODE",
    ));

    /// A transaction that bumps a client's or the global epoch: it waits until all
    /// [`WITHOUT_BUMPS`](Self::WITHOUT_BUMPS) have committed, so its statements see every session
    /// and every subject's epoch, and no other can be added meanwhile.
    pub(super) const BUMPING: Self = Self::Sweep(
        "BEGIN; SET LOCAL statement_timeout = 0; LOCK TABLE tg_epoch IN EXCLUSIVE MODE",
    );

    /// Returns the statements with which its transaction begins and ends, unless one statement is
    /// the transaction.
    fn frame(&self) -> Option<(Cow<'static, str>, &'static str)> {
        match self {
            Self::Read | Self::Statement => None,
            Self::Transaction(begin) => Some((begin.clone(), "COMMIT")),
            Self::Trial => Some((Cow::Borrowed("BEGIN"), "ROLLBACK")),
            Self::Sweep(begin) => Some((Cow::Borrowed(begin), "COMMIT")),
        }
    }
}

/// The database of a store, which all its realms share.
pub(super) struct PostgresDatabase {
    /// The place of the database, for messages: without the password.
    pub(super) place: String,
    pub(super) schema: Option<String>,
    pub(super) pool: ConnectionPool,
    /// The time that the server may take for an operation.
    pub(super) patience: Duration,
    pub(super) default: Arc<PostgresNamespace>,
    /// The namespaces of the realms that this process has used.
    pub(super) realms: Mutex<BTreeMap<RealmName, Arc<PostgresNamespace>>>,
}

/// The tables of a realm, and its wake-ups.
pub(super) struct PostgresNamespace {
    pub(super) tables: Arc<RealmTables>,
    pub(super) wake: Arc<Wake>,
}

impl PostgresDatabase {
    /// Returns the namespace of a realm.
    pub(super) fn namespace(&self, realm: &RealmName) -> Arc<PostgresNamespace> {
        let mut realms = self.realms.lock().unwrap_or_else(PoisonError::into_inner);
        let namespace = realms.entry(realm.clone()).or_insert_with(|| {
            Arc::new(PostgresNamespace {
                tables: Arc::new(RealmTables::of(Some(realm))),
                wake: Arc::new(self.default.wake.of(realm)),
            })
        });
        Arc::clone(namespace)
    }
}

impl PostgresStore {
    /// Wakes every node, because the log of this realm has a new entry.
    pub(super) fn notify(&self) {
        self.namespace.wake.notify(self.database.patience);
    }

    /// Wakes every node, because the log of every realm has a new entry.
    pub(super) fn notify_everywhere(&self) {
        let realms = self.database.realms.lock();
        let realms = realms.unwrap_or_else(PoisonError::into_inner);
        for namespace in realms.values().chain([&self.database.default]) {
            namespace.wake.notify(self.database.patience);
        }
    }

    /// Runs an operation to its end, whether or not its caller waits for it: a client cannot stop a
    /// revocation by closing its connection, and no database connection is left in the middle of an
    /// operation.
    pub(super) async fn run<A, T>(
        &self,
        operation: StoreOperation,
        mode: Mode,
        args: A,
        run: DatabaseOperation<A, T>,
    ) -> Result<T, StoreError>
    where
        A: Send + Sync + 'static,
        T: Send + 'static,
    {
        let store = self.clone();
        let running = tokio::spawn(async move { store.repeat(&mode, &args, run).await });
        match running.await {
            Ok(outcome) => outcome.map_err(|fault| operation.failed(fault.into_source())),
            Err(_) => Err(operation.failed("the operation panicked")),
        }
    }

    async fn repeat<A: Sync, T>(
        &self,
        mode: &Mode,
        args: &A,
        run: DatabaseOperation<A, T>,
    ) -> Result<T, Fault> {
        let mut tries = 0;
        loop {
            let fault = match self.attempt(mode, args, run).await {
                Ok(answer) => return Ok(answer),
                Err(fault) => fault,
            };
            tries += 1;
            if fault.is_conflict() && tries < MAX_TRIES {
                sleep(pause(tries)).await;
            } else if !(matches!(mode, Mode::Read) && fault.is_broken() && tries == 1) {
                return Err(fault);
            }
        }
    }

    async fn attempt<A, T>(
        &self,
        mode: &Mode,
        args: &A,
        run: DatabaseOperation<A, T>,
    ) -> Result<T, Fault> {
        let mut lease = self.database.pool.take(&self.namespace.tables).await?;
        let patience = if matches!(mode, Mode::Sweep(_)) {
            SWEEP_TIMEOUT
        } else {
            self.database.patience
        };
        let frame = mode.frame();
        let within_transaction = frame.is_some();
        let db = lease.connection();
        let done = timeout(patience, async move {
            let Some((begin, end)) = frame else {
                return run(db, args).await;
            };
            db.run(begin).await?;
            let answer = run(db, args).await?;
            db.run(Cow::Borrowed(end)).await?;
            Ok(answer)
        });
        match done.await {
            Ok(Ok(answer)) => {
                self.database.pool.give_back(lease);
                Ok(answer)
            }
            Ok(Err(fault)) => {
                self.clean_up(lease, &fault, within_transaction).await;
                Err(fault)
            }
            // Dropping the lease closes the connection; the server's own limits end what it still
            // does for it.
            Err(_) => Err("the server did not answer in time".into()),
        }
    }

    /// Keeps the connection of a failed operation only if the server says that its state is as
    /// before.
    async fn clean_up(&self, mut lease: Lease, fault: &Fault, within_transaction: bool) {
        if fault.is_broken() {
            self.database.pool.clear();
            return;
        }
        let rolled_back = async {
            if within_transaction {
                lease.connection().run(Cow::Borrowed("ROLLBACK")).await?;
            }
            Ok::<_, Fault>(())
        };
        if let Ok(Ok(())) = timeout(self.database.patience, rolled_back).await {
            self.database.pool.give_back(lease);
        }
    }
}

/// Returns the pause before the next try: longer from try to try, and of random length, so that two
/// operations that conflicted do not conflict again.
fn pause(tries: u32) -> Duration {
    let mut random = [0];
    // If there is no random byte, the pause is still long enough.
    let _ = fill_random(&mut random);
    let [random] = random;
    Duration::from_millis(u64::from(tries) * (2 + u64::from(random) / 16))
}

/// The number of times that an operation is tried where the server asks for another try.
const MAX_TRIES: u32 = 5;
/// The time that an operation over every row may take.
const SWEEP_TIMEOUT: Duration = Duration::from_secs(600);
