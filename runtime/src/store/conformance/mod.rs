//! The contract of a [`SessionStore`] in executable form: numbered clauses, each a function that
//! holds or says what is broken.
//!
//! The author of a store runs them all in one test:
//!
//! ```
//! use tollgate::store::{MemoryStore, conformance};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), conformance::Failure> {
//! // In a test: #[tokio::test(flavor = "multi_thread")], so that what runs together really does.
//! let report = conformance::run(|| async { MemoryStore::new() }).await;
//! println!("{report}");
//! report.verdict()?;
//! # Ok(())
//! # }
//! ```
//!
//! A clause gets an empty store of its own, migrates it, and takes the time from no clock: it says
//! what `now` is. The docs of [`SessionStore`] name the clauses of each operation.
//!
//! [`SessionStore`]: super::SessionStore

#[macro_use]
mod fixture;

mod archive;
mod ask;
mod attach;
mod broken;
mod clause;
mod confirm;
mod device;
mod epoch;
mod log;
mod once;
mod open;
mod page;
mod race;
mod realm;
mod registry;
mod report;
mod revoke;
mod rotate;
mod session;
mod spend;
mod stamp;
mod start;
mod table;
mod target;
mod wake;

use std::future::Future;

use super::handle::Store;

pub use broken::Broken;
pub use clause::Clause;
pub use report::{ClauseOutcome, Failure, Report};
pub use table::CLAUSES;

/// The former name of [`ClauseOutcome`].
#[deprecated(since = "0.1.0", note = "use `ClauseOutcome`")]
pub type Outcome = ClauseOutcome;

/// Checks every clause, one after another, each on a store that `make` makes: empty, and its own.
pub async fn run<F, Fut, S>(make: F) -> Report
where
    F: Fn() -> Fut,
    Fut: Future<Output = S>,
    S: Into<Store>,
{
    let mut outcomes = Vec::with_capacity(CLAUSES.len());
    for clause in CLAUSES {
        let held = clause.check(make().await).await;
        outcomes.push(ClauseOutcome { clause, held });
    }
    Report { outcomes }
}
