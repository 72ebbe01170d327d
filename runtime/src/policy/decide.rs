//! The one function that decides whether a rule holds.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::error::{Code, Refusal};
use crate::token::{ClaimSet, Verified};

use super::compare::claim_holds;
use super::rule::{Rule, Value};

/// The properties of a caller that a policy may use.
pub trait Facts {
    /// Returns whether the caller has this role.
    fn has_role(&self, role: &str) -> bool;
    /// Returns whether the caller was granted this scope.
    fn has_scope(&self, scope: &str) -> bool;
    /// Returns whether an own claim, by its name on the wire, is this value or a list that holds
    /// it; `None` if it cannot be compared, because it is written as another kind of value.
    fn has_claim(&self, name: &str, value: &Value) -> Option<bool>;
    /// Returns when the caller last authenticated; `None` if the token does not say it.
    fn auth_time(&self) -> Option<Timestamp>;
    /// Returns the way in which the caller authenticated; `None` if the token does not say it.
    fn acr(&self) -> Option<&str>;
}

impl<C: ClaimSet> Facts for Verified<C> {
    fn has_role(&self, role: &str) -> bool {
        self.claims().has_role(role)
    }

    fn has_scope(&self, scope: &str) -> bool {
        self.claims().has_scope(scope)
    }

    fn has_claim(&self, name: &str, value: &Value) -> Option<bool> {
        claim_holds(self.claims(), name, value)
    }

    fn auth_time(&self) -> Option<Timestamp> {
        self.token().auth_time()
    }

    fn acr(&self) -> Option<&str> {
        self.token().acr()
    }
}

/// The decision about a rule, from best to worst.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The rule holds.
    Allow,
    /// The rule would hold if the caller authenticated again (RFC 9470).
    Stale(StepUp),
    /// A scope is missing (RFC 6750 section 3.1).
    Scope,
    /// Anything else is missing.
    Deny,
}

/// The authentication that would satisfy a rule: what the challenge asks the client for (RFC 9470
/// section 3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StepUp {
    /// Its greatest age, in seconds; `None` if its age does not matter.
    pub max_age: Option<u64>,
    /// The accepted ways to authenticate, in the order of the rule; empty if the present one is
    /// accepted.
    pub acr_values: Vec<&'static str>,
}

impl Decision {
    /// Returns the refusal for a rule that does not hold; nothing if it holds.
    ///
    /// # Errors
    /// The rule does not hold.
    pub fn or_refuse(self) -> Result<(), Refusal> {
        match self {
            Self::Allow => Ok(()),
            Self::Stale(StepUp {
                max_age,
                acr_values,
            }) => Err(Refusal::step_up(max_age, &acr_values)),
            Self::Scope => Err(Code::InsufficientScope.into()),
            Self::Deny => Err(Code::Forbidden.into()),
        }
    }
}

/// Decides whether a rule holds for the caller at `now`.
///
/// A refusal names the cheapest remedy: [`Decision::Stale`] only if another authentication alone
/// would satisfy the whole rule, and with a way to authenticate only if a fresh one of the
/// present kind would not be enough.
#[must_use]
pub fn decide(rule: &Rule, facts: &dyn Facts, now: Timestamp) -> Decision {
    let caller = CallerView {
        facts,
        now,
        proof_age: ProofAge::Present,
        acr: facts.acr(),
        every_scope: false,
    };
    if caller.satisfies(rule) {
        return Decision::Allow;
    }
    if let Some(step_up) = caller.step_up(rule) {
        return Decision::Stale(step_up);
    }
    let granted = CallerView {
        every_scope: true,
        ..caller
    };
    if granted.satisfies(rule) || granted.step_up(rule).is_some() {
        Decision::Scope
    } else {
        Decision::Deny
    }
}

/// A caller as they are, or as they would be after another authentication.
#[derive(Clone, Copy)]
struct CallerView<'a> {
    facts: &'a dyn Facts,
    now: Timestamp,
    proof_age: ProofAge,
    acr: Option<&'a str>,
    every_scope: bool,
}

/// The time since the caller authenticated.
#[derive(Clone, Copy)]
enum ProofAge {
    /// The time that the token gives.
    Present,
    /// So many seconds ago.
    Ago(u64),
}

impl<'a> CallerView<'a> {
    fn satisfies(&self, rule: &Rule) -> bool {
        self.judge(rule) == Some(true)
    }

    /// Returns whether a condition holds; `None` if that cannot be said, which allows nothing, also
    /// below a `not`.
    fn judge(&self, rule: &Rule) -> Option<bool> {
        Some(match rule {
            Rule::Anyone => true,
            Rule::Role(role) => self.facts.has_role(role),
            Rule::Scope(scope) => self.every_scope || self.facts.has_scope(scope),
            Rule::Claim { name, value } => self.facts.has_claim(name, value)?,
            Rule::MaxAge(secs) => match self.proof_age {
                ProofAge::Ago(age) => age <= *secs,
                ProofAge::Present => self
                    .facts
                    .auth_time()
                    .is_some_and(|at| self.now.since(at) <= Duration::from_secs(*secs)),
            },
            Rule::Acr(acr) => self.acr == Some(*acr),
            Rule::All(rules) => return self.decided(rules, false),
            Rule::Any(rules) => return self.decided(rules, true),
            Rule::Not(rule) => !self.judge(rule)?,
        })
    }

    /// Returns `decides` if one of the conditions is it, and its opposite if all are the opposite.
    fn decided(&self, rules: &[Rule], decides: bool) -> Option<bool> {
        let mut judged = Some(!decides);
        for rule in rules {
            match self.judge(rule) {
                Some(holds) if holds == decides => return Some(decides),
                Some(_) => {}
                None => judged = None,
            }
        }
        judged
    }

    /// Finds the cheapest authentication after which the rule holds.
    fn step_up(&self, rule: &Rule) -> Option<StepUp> {
        let (mut ages, mut acr_values) = (Vec::new(), Vec::new());
        collect(rule, &mut ages, &mut acr_values);
        ages.sort_unstable();
        if let Some(max_age) = self.oldest(rule, &ages) {
            return Some(StepUp {
                max_age,
                acr_values: Vec::new(),
            });
        }
        let with = |acr: &&'static str| {
            Self {
                acr: Some(acr),
                ..*self
            }
            .oldest(rule, &ages)
        };
        acr_values.retain(|acr| with(acr).is_some());
        let max_age = acr_values
            .iter()
            .filter_map(|acr| with(acr).flatten())
            .min();
        (!acr_values.is_empty()).then_some(StepUp {
            max_age,
            acr_values,
        })
    }

    /// Returns the greatest age that an authentication of this kind may have, with `ages` from low
    /// to high: `None` if a fresh one is not enough, `Some(None)` if its age does not matter.
    ///
    /// The decision cannot change between two ages that the rule names, so each age stands for all
    /// ages between the one before and itself.
    fn oldest(&self, rule: &Rule, ages: &[u64]) -> Option<Option<u64>> {
        let holds = |age: u64| {
            Self {
                proof_age: ProofAge::Ago(age),
                ..*self
            }
            .satisfies(rule)
        };
        if !holds(0) {
            return None;
        }
        let held = ages.iter().copied().take_while(|age| holds(*age));
        let (count, oldest) = held.fold((0, None), |(count, _), age| (count + 1, Some(age)));
        Some(if count == ages.len() && holds(u64::MAX) {
            None
        } else {
            oldest
        })
    }
}

/// Collects the conditions of a rule on authentications, at any depth.
fn collect(rule: &Rule, ages: &mut Vec<u64>, acr_values: &mut Vec<&'static str>) {
    match rule {
        Rule::MaxAge(secs) => ages.push(*secs),
        Rule::Acr(acr) if !acr_values.contains(acr) => acr_values.push(acr),
        Rule::All(rules) | Rule::Any(rules) => rules
            .iter()
            .for_each(|rule| collect(rule, ages, acr_values)),
        Rule::Not(rule) => collect(rule, ages, acr_values),
        Rule::Anyone | Rule::Role(_) | Rule::Scope(_) | Rule::Claim { .. } | Rule::Acr(_) => {}
    }
}
