//! The report of a run of the clauses.

use std::fmt;

use super::broken::Broken;
use super::clause::Clause;

/// The report of a run. `Display` writes a line for each clause, and the count.
#[derive(Clone, Debug)]
pub struct Report {
    pub(super) outcomes: Vec<ClauseOutcome>,
    pub(super) in_two_realms: Vec<ClauseOutcome>,
}

/// The outcome of one clause.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ClauseOutcome {
    /// The clause.
    pub clause: &'static Clause,
    /// Nothing, or the reason why it does not hold.
    pub held: Result<(), Broken>,
}

impl Report {
    /// Returns the outcomes, in the order of the clauses.
    #[must_use]
    pub fn outcomes(&self) -> &[ClauseOutcome] {
        &self.outcomes
    }

    /// Returns the outcomes of the clauses that were checked in two realms at the same time.
    #[must_use]
    pub fn in_two_realms(&self) -> &[ClauseOutcome] {
        &self.in_two_realms
    }

    /// Returns the number of clauses, if all of them hold, also in two realms.
    ///
    /// # Errors
    /// All clauses that do not hold.
    pub fn verdict(self) -> Result<usize, Failure> {
        let count = self.outcomes.len();
        let broken: Vec<_> = self
            .outcomes
            .into_iter()
            .chain(self.in_two_realms)
            .filter(|outcome| outcome.held.is_err())
            .collect();
        if broken.is_empty() {
            Ok(count)
        } else {
            Err(Failure { broken, count })
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for outcome in &self.outcomes {
            writeln!(f, "{outcome}")?;
        }
        let broken = |outcome: &&ClauseOutcome| outcome.held.is_err();
        for outcome in self.in_two_realms.iter().filter(broken) {
            writeln!(f, "{outcome}")?;
        }
        let held = |outcomes: &[ClauseOutcome]| outcomes.iter().filter(|o| !broken(o)).count();
        write!(
            f,
            "{} clauses, {} hold; {} in two realms at once, {} hold",
            self.outcomes.len(),
            held(&self.outcomes),
            self.in_two_realms.len(),
            held(&self.in_two_realms)
        )
    }
}

impl fmt::Display for ClauseOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Clause {
            number,
            operation,
            name,
            ..
        } = self.clause;
        let mark = if self.held.is_ok() {
            "holds "
        } else {
            "BROKEN"
        };
        write!(
            f,
            "{number:>4} {mark} {operation}: {}",
            name.replace('_', " ")
        )?;
        match &self.held {
            Ok(()) => Ok(()),
            Err(broken) => write!(f, "\n            {broken}"),
        }
    }
}

/// The clauses that do not hold. `Debug`, which a test prints, is as readable as `Display`.
#[derive(Clone)]
pub struct Failure {
    broken: Vec<ClauseOutcome>,
    count: usize,
}

impl Failure {
    /// Returns the outcomes of the clauses that do not hold.
    #[must_use]
    pub fn broken(&self) -> &[ClauseOutcome] {
        &self.broken
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} of {} clauses do not hold:",
            self.broken.len(),
            self.count
        )?;
        self.broken
            .iter()
            .try_for_each(|outcome| write!(f, "\n{outcome}"))
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Failure {}
