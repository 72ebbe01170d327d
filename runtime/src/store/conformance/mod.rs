//! The contract of a [`SessionStore`] in executable form: numbered clauses, each a function that
//! succeeds or says what is broken.
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
//! A clause gets an empty store of its own, migrates it, and reads no clock: it passes its own
//! `now`. The docs of [`SessionStore`] name the clauses of each operation.
//!
//! [`SessionStore`]: super::SessionStore

#[macro_use]
mod fixture;

mod apart;
mod archive;
mod ask;
mod attach;
mod broken;
mod clause;
mod confirm;
mod device;
mod end;
mod epoch;
mod list;
mod log;
mod mark;
mod once;
mod open;
mod page;
mod race;
mod realm;
mod registry;
mod replace;
mod report;
mod revoke;
mod rotate;
mod seen;
mod session;
mod slide;
mod spend;
mod stamp;
mod start;
mod table;
mod target;
mod wake;

use std::future::Future;

use tokio::task::JoinSet;

use super::handle::Store;

pub use broken::Broken;
pub use clause::Clause;
pub use report::{ClauseOutcome, Failure, Report};
pub use table::CLAUSES;

/// The former name of [`ClauseOutcome`].
#[deprecated(since = "0.1.0", note = "use `ClauseOutcome`")]
pub type Outcome = ClauseOutcome;

/// Checks every clause, one after another, each on an empty store of its own that `make` makes.
/// Then checks those that concern one realm in two realms of one store at the same time, with the
/// same ids, subjects, hashes and budget keys in both, on a few stores at a time.
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
    let (mut in_two_realms, mut running) = (Vec::new(), JoinSet::new());
    for clause in CLAUSES.iter().filter(|clause| clause.is_about_one_realm()) {
        let store: Store = make().await.into();
        running.spawn(async move {
            let held = clause.check_in_two_realms(&store).await;
            ClauseOutcome { clause, held }
        });
        if running.len() == SIDE_BY_SIDE {
            in_two_realms.extend(running.join_next().await.and_then(Result::ok));
        }
    }
    in_two_realms.extend(running.join_all().await);
    in_two_realms.sort_unstable_by_key(|outcome| outcome.clause.number);
    Report {
        outcomes,
        in_two_realms,
    }
}

/// The number of stores on which clauses are checked in two realms at a time.
const SIDE_BY_SIDE: usize = 4;
