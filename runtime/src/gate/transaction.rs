//! Revokes in a transaction of the program, in the database of the store.

use std::fmt;

use crate::error::Error;
use crate::session::Revoke;
use crate::store::{ProgramTransaction, RevokeReason, Revoked, Target};

use super::{AuthBackend, Gate};

/// A revocation that was written in a transaction of the program, which is not committed yet.
///
/// Commit the transaction, and call [`committed`](Self::committed): this node then refuses at once,
/// and the others are woken. If this value is dropped instead, every node learns of the revocation
/// from the log, within about a second of the commit.
#[must_use = "commit the transaction, and call `committed`"]
pub struct Revoking {
    target: Target,
    revoked: Revoked,
}

impl<B: AuthBackend> Gate<B> {
    /// Revokes in a transaction of the program: a change of the user's row and the end of their
    /// sessions are written together, or neither is. The store is a
    /// [`PostgresStore`](crate::store::PostgresStore) in the database of the transaction, which is
    /// `READ COMMITTED`.
    ///
    /// It accepts targets that concern at most one subject: sessions, tokens, a subject.
    ///
    /// # Errors
    /// As [`revoke`](Self::revoke); and the store is another one, or the target concerns more than
    /// one subject.
    ///
    /// # Examples
    /// ```
    /// # use tollgate::gate::AuthBackend;
    /// # use tollgate::prelude::*;
    /// async fn disable<B: AuthBackend>(
    ///     gate: &Gate<B>,
    ///     db: &sqlx::PgPool,
    ///     id: i64,
    /// ) -> Result<(), Rejection> {
    ///     let mut transaction = db.begin().await?;
    ///     sqlx::query("UPDATE users SET is_disabled = true WHERE id = $1")
    ///         .bind(id)
    ///         .execute(&mut *transaction)
    ///         .await?;
    ///     let revoking = gate.revoke_in(&mut transaction, Revoke::subject(id)).await?;
    ///     transaction.commit().await?;
    ///     revoking.committed(gate).await;
    ///     Ok(())
    /// }
    /// # fn main() {}
    /// ```
    pub async fn revoke_in(
        &self,
        transaction: &mut ProgramTransaction<'_>,
        revoke: Revoke,
    ) -> Result<Revoking, Error> {
        let (target, revoked) = self.flows().revoke_in(transaction, revoke).await?;
        Ok(Revoking { target, revoked })
    }
}

impl Revoking {
    /// Applies the revocation on this node and wakes the others. Call it after the commit.
    #[allow(clippy::unused_async, reason = "it may wait for the nodes some day")]
    pub async fn committed<B: AuthBackend>(self, gate: &Gate<B>) -> Revoked {
        let engine = gate.engine();
        engine.revoked(self.target, RevokeReason::Requested, &self.revoked);
        if let Some(store) = engine.store.postgres() {
            store.committed();
        }
        self.revoked
    }
}

impl fmt::Debug for Revoking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Revoking")
    }
}
