//! The archive: what has ended goes, by hand or by the gate's own task.

use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind};
use crate::store::Archived;

use super::{AuthBackend, Gate, store_error};

impl<B: AuthBackend> Gate<B> {
    /// Deletes what ended before `before` and is not needed any more, in batches of 500 rows.
    ///
    /// A session stays until its absolute expiry, ended or not, so that an old refresh token of it
    /// is still recognised; the tokens of the registry stay with it, and a token stays as long as
    /// one below it does.
    ///
    /// The gate does the same by itself: see `archive.interval` and `archive.age`, and
    /// [`GateBuilder::archive`](super::GateBuilder::archive).
    ///
    /// # Errors
    /// `before` is in the future, or the store cannot be written to; what was deleted by then stays
    /// deleted.
    pub async fn archive(&self, before: Timestamp) -> Result<Archived, Error> {
        let engine = &self.running().engine;
        if before > engine.time.now() {
            return Err(Error::new(
                ErrorKind::Usage,
                "the archive takes what ended in the past: `before` lies in the future",
            ));
        }
        engine.archive(before).await.map_err(store_error)
    }
}
