//! The report of a run of the clauses.

use std::fmt;

use super::broken::Broken;
use super::clause::Clause;

/// The report of a run. `Display` writes a line for each clause, and the count.
#[derive(Clone, Debug)]
pub struct Report {
    pub(super) outcomes: Vec<ClauseOutcome>,
}

/// The outcome of one clause.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ClauseOutcome {
    /// The clause.
    pub clause: &'static Clause,
    /// Nothing, or why it does not hold.
    pub held: Result<(), Broken>,
}

impl Report {
    /// Returns the outcomes, in the order of the clauses.
    #[must_use]
    pub fn outcomes(&self) -> &[ClauseOutcome] {
        &self.outcomes
    }

    /// Returns how many clauses hold, where all do.
    ///
    /// # Errors
    /// Those that do not hold, all of them.
    pub fn verdict(self) -> Result<usize, Failure> {
        let count = self.outcomes.len();
        let broken: Vec<_> = self
            .outcomes
            .into_iter()
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
        let held = self
            .outcomes
            .iter()
            .filter(|outcome| outcome.held.is_ok())
            .count();
        write!(f, "{} clauses, {held} hold", self.outcomes.len())
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
