//! The contract of a [`SessionStore`] in executable form: numbered clauses, each a function that
//! holds or says what is broken.
//!
//! Whoever writes a store runs them all in one test:
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
mod attach;
mod confirm;
mod device;
mod epoch;
mod log;
mod once;
mod open;
mod page;
mod race;
mod registry;
mod report;
mod revoke;
mod rotate;
mod session;
mod spend;
mod stamp;
mod start;
mod target;
mod wake;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

pub use report::{Failure, Outcome, Report};

use super::{Store, StoreError};

/// One sentence of the contract, and the function that checks it.
#[derive(Clone, Copy)]
pub struct Clause {
    /// Its number, from 1 without a gap.
    pub number: u16,
    /// The operation of [`SessionStore`](super::SessionStore) that it is about.
    pub operation: &'static str,
    /// A sentence, its words joined by underscores.
    pub name: &'static str,
    /// What it holds, in full.
    pub what: &'static str,
    check: fn(Store) -> Checking,
}

type Checking = Pin<Box<dyn Future<Output = Result<(), Broken>> + Send>>;

impl Clause {
    /// Checks this clause on an empty store, which is migrated first.
    ///
    /// # Errors
    /// What does not hold. A store that panics or does not answer within a minute breaks the
    /// clause.
    pub async fn check(&self, store: impl Into<Store>) -> Result<(), Broken> {
        let (store, check) = (store.into(), self.check);
        let checking = tokio::spawn(tokio::time::timeout(TIMEOUT, async move {
            store.migrate(fixture::NOW).await?;
            check(store).await
        }));
        match checking.await {
            Ok(Ok(held)) => held,
            Ok(Err(_)) => Err(Broken::new("no answer within a minute")),
            Err(panic) => Err(Broken::new(panic.to_string())),
        }
    }
}

impl fmt::Debug for Clause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clause({} {})", self.number, self.name)
    }
}

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
        outcomes.push(Outcome { clause, held });
    }
    Report { outcomes }
}

/// Why a clause does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken(String);

impl Broken {
    fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Broken {}

impl From<StoreError> for Broken {
    fn from(error: StoreError) -> Self {
        let mut text = format!("the store answered with an error: {error}");
        let mut source = std::error::Error::source(&error);
        while let Some(error) = source {
            text = format!("{text}: {error}");
            source = error.source();
        }
        Self(text)
    }
}

/// How long a clause may take.
const TIMEOUT: Duration = Duration::from_secs(60);

/// All clauses, in the order of their numbers.
pub const CLAUSES: &[Clause] = &joined();

const GROUPS: [&[Clause]; 19] = [
    start::CLAUSES,
    open::CLAUSES,
    device::CLAUSES,
    session::CLAUSES,
    rotate::CLAUSES,
    race::CLAUSES,
    confirm::CLAUSES,
    revoke::CLAUSES,
    target::CLAUSES,
    epoch::CLAUSES,
    registry::CLAUSES,
    log::CLAUSES,
    archive::CLAUSES,
    once::CLAUSES,
    spend::CLAUSES,
    attach::CLAUSES,
    stamp::CLAUSES,
    page::CLAUSES,
    wake::CLAUSES,
];

const COUNT: usize = {
    let (mut count, mut groups) = (0, GROUPS.as_slice());
    while let Some((group, others)) = groups.split_first() {
        count += group.len();
        groups = others;
    }
    count
};

/// The groups as one table.
const fn joined() -> [Clause; COUNT] {
    let mut table = [BLANK; COUNT];
    let (mut places, mut groups) = (table.as_mut_slice(), GROUPS.as_slice());
    while let Some((group, others)) = groups.split_first() {
        let mut group = *group;
        while let Some((clause, rest)) = group.split_first() {
            let Some((place, free)) = places.split_first_mut() else {
                return table;
            };
            *place = *clause;
            group = rest;
            places = free;
        }
        groups = others;
    }
    table
}

/// What the table is filled with before the clauses are written into it.
const BLANK: Clause = Clause {
    number: 0,
    operation: "",
    name: "",
    what: "",
    check: |_| Box::pin(std::future::ready(Err(Broken(String::new())))),
};
