//! Operations in a transaction of the program, on its connection.

use sqlx::Row as _;
use sqlx::postgres::PgConnection;
use tokio::time::timeout;

use super::fault::Fault;
use super::open::PostgresStore;
use super::realm::{Connection, query};
use super::{revoke, session};
use crate::clock::Timestamp;
use crate::store::record::{NewSession, Opened, Revocation, Revoked, StoreError, Target};
use crate::store::shared::operation::StoreOperation;

/// A transaction of the program, in the database of the store, as sqlx begins it.
pub type ProgramTransaction<'c> = sqlx::Transaction<'c, sqlx::Postgres>;

impl PostgresStore {
    /// Opens a session in a transaction of the program, and commits it. If the session is not
    /// opened, nothing of the transaction is kept.
    pub(crate) async fn open_session_in(
        &self,
        mut transaction: ProgramTransaction<'static>,
        new: &NewSession,
        now: Timestamp,
    ) -> Result<Opened, StoreError> {
        let opened = async {
            let mut lent = Lent::begin(self, &mut transaction).await?;
            let opened = session::open(&mut lent.connection, new, now).await?;
            lent.end().await?;
            if matches!(opened, Opened::Open { .. }) {
                transaction.commit().await?;
            } else {
                transaction.rollback().await?;
            }
            Ok(opened)
        };
        let opened = self
            .within_time(StoreOperation::OpenSession, opened)
            .await?;
        self.notify();
        Ok(opened)
    }

    /// Revokes in a transaction of the program. A revocation of more than one subject waits for
    /// every session that is being opened, and is not allowed here.
    pub(crate) async fn revoke_in(
        &self,
        db: &mut ProgramTransaction<'_>,
        revocation: &Revocation,
        now: Timestamp,
    ) -> Result<Revoked, StoreError> {
        if !fits(&revocation.target) {
            return Err(StoreOperation::Revoke.failed(
                "a transaction of the program can revoke sessions and tokens of one subject only: \
                 use `gate.revoke`",
            ));
        }
        let revoked = async {
            let mut lent = Lent::begin(self, db).await?;
            let revoked = revoke::revoke(&mut lent.connection, revocation, now).await?;
            lent.end().await?;
            Ok(revoked)
        };
        self.within_time(StoreOperation::Revoke, revoked).await
    }

    /// Wakes every node, once the transaction was committed.
    pub(crate) fn committed(&self) {
        self.notify();
    }

    async fn within_time<T>(
        &self,
        operation: StoreOperation,
        work: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, StoreError> {
        match timeout(self.database.patience, work).await {
            Ok(done) => done.map_err(|fault| operation.failed(fault.into_source())),
            Err(_) => Err(operation.failed("the server did not answer in time")),
        }
    }
}

/// Returns whether a revocation concerns at most one subject.
const fn fits(target: &Target) -> bool {
    matches!(
        target,
        Target::AccessOf(_)
            | Target::RefreshOf(_)
            | Target::Subject(_)
            | Target::Others { .. }
            | Target::Session(_)
            | Target::Token(_)
    )
}

/// The connection of the program, on which the names of tables mean the store's for the moment.
struct Lent<'c> {
    connection: Connection<'c>,
    /// The search path to be restored.
    search_path: String,
}

impl<'c> Lent<'c> {
    async fn begin(store: &PostgresStore, db: &'c mut PgConnection) -> Result<Self, Fault> {
        let mut connection = Connection::lent(db, store.namespace.tables.clone());
        let now = query(
            "SELECT current_setting('search_path'), current_setting('transaction_isolation'), \
             set_config('synchronous_commit', 'on', true)",
        );
        let row = now.fetch_one(&mut connection).await?;
        let (search_path, isolation): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        // A snapshot that was taken before would not show later revocations.
        if isolation != "read committed" {
            return Err(Fault::from(
                "the transaction of the program must be READ COMMITTED for the store to write in it",
            ));
        }
        if let Some(schema) = &store.database.schema {
            set_path(&mut connection, &format!("\"{schema}\"")).await?;
        }
        let lock = "LOCK TABLE tg_epoch IN ROW SHARE MODE";
        connection.run(lock.into()).await?;
        Ok(Self {
            connection,
            search_path,
        })
    }

    async fn end(mut self) -> Result<(), Fault> {
        set_path(&mut self.connection, &self.search_path).await
    }
}

/// Sets the search path for the names of tables, for the rest of the transaction.
async fn set_path(db: &mut Connection<'_>, path: &str) -> Result<(), Fault> {
    let set = query("SELECT set_config('search_path', $1, true)").bind(path.to_owned());
    set.fetch_one(db).await?;
    Ok(())
}
