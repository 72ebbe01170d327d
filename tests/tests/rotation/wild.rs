//! A session whose tokens anybody presents at any time, in any order, several at once, with crashes
//! and failures in between.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use tollgate::clock::Timestamp;
use tollgate::prelude::*;
use tollgate::store::Session;
use tollgate_tests::Role;

use crate::probe::{Fault, Op};
use crate::world::{Stepper, Tokens, Visit, World, client};

/// One thing that happens.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Act {
    /// A refresh comes in; it goes on at `Step` and `Finish`, or ends at `Crash`.
    Begin(Request),
    Step(u8),
    Finish(u8),
    Crash(u8),
    /// A refresh from start to end.
    Refresh(Request),
    /// A request with an access token.
    Use {
        age: u8,
        node: usize,
    },
    /// A node writes what was confirmed.
    Settle(usize),
    Wait(u64),
    Revoke(How),
    /// The operation after so many others fails.
    Fail(usize, Fault),
}

/// Which token is presented, how old among those that were handed out, from which device, to which
/// node.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request {
    age: u8,
    other_device: bool,
    node: usize,
}

/// The target that the application revokes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum How {
    Access,
    Session,
    Subject,
    Refresh,
}

/// The happenings, in order.
pub(crate) struct Trace {
    pub(crate) visit: Visit,
    /// The session's rows: when it was opened, and after each operation.
    pub(crate) rows: Vec<Session>,
    pub(crate) ops: Vec<Op>,
    pub(crate) answers: Vec<Answer>,
    pub(crate) uses: Vec<Use>,
    /// Every refresh token that was handed out, in order.
    pub(crate) handed_out: Vec<String>,
}

/// A refresh that was answered, and how many operations had been done before and after it.
pub(crate) struct Answer {
    pub(crate) presented: String,
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) outcome: Result<Tokens, Code>,
}

/// A request with an access token.
pub(crate) struct Use {
    pub(crate) from: usize,
    pub(crate) was_admitted: bool,
}

struct Flight {
    presented: String,
    from: usize,
    refresh: Stepper<Result<Tokens, Refusal>>,
}

/// Schedules in which waits lie around the limits of the windows.
pub(crate) fn schedules(longest: usize) -> impl Strategy<Value = Vec<Act>> {
    let age = || prop_oneof![6 => Just(0), 4 => Just(1), 2 => Just(2), 1 => any::<u8>()];
    let node = 0..2_usize;
    let request = (age(), prop::bool::weighted(0.1), node.clone());
    let request = request.prop_map(|(age, other_device, node)| Request {
        age,
        other_device,
        node,
    });
    let fault = prop_oneof![Just(Fault::Before), Just(Fault::After)];
    let how = prop_oneof![4 => Just(How::Access), 1 => Just(How::Session), 1 => Just(How::Subject), 1 => Just(How::Refresh)];
    let act = prop_oneof![
        6 => request.clone().prop_map(Act::Begin),
        12 => any::<u8>().prop_map(Act::Step),
        2 => any::<u8>().prop_map(Act::Finish),
        1 => any::<u8>().prop_map(Act::Crash),
        6 => request.prop_map(Act::Refresh),
        3 => (age(), node.clone()).prop_map(|(age, node)| Act::Use { age, node }),
        3 => node.prop_map(Act::Settle),
        8 => waits().prop_map(Act::Wait),
        1 => how.prop_map(Act::Revoke),
        1 => (0..3_usize, fault).prop_map(|(skip, fault)| Act::Fail(skip, fault)),
    ];
    prop::collection::vec(act, 1..longest)
}

/// Spans around the windows of [`Rules::AWARE`](crate::world::Rules::AWARE).
pub(crate) fn waits() -> impl Strategy<Value = u64> {
    prop_oneof![
        Just(1),
        Just(5_000),
        Just(10_000),
        Just(10_001),
        Just(20_000),
        Just(20_001),
        Just(50_000),
        Just(100_000),
        Just(100_001),
        1..30_000_u64,
    ]
}

/// Runs a schedule on a fresh session.
pub(crate) async fn run(world: &World, acts: Vec<Act>) -> Trace {
    let visit = world.arrive().await;
    let mut wild = Wild {
        world,
        handed_out: vec![visit.tokens.refresh.clone()],
        access: vec![visit.tokens.access.clone()],
        flights: Vec::new(),
        answers: Vec::new(),
        uses: Vec::new(),
    };
    let opened = world.row(&visit).await;
    for act in acts {
        wild.act(&visit, act).await;
    }
    while !wild.flights.is_empty() {
        wild.finish(0).await;
    }
    let Wild {
        handed_out,
        answers,
        uses,
        ..
    } = wild;
    let ops = world.probe.ops();
    let rows = std::iter::once(opened)
        .chain(ops.iter().map(|op| op.rows[0].clone()))
        .collect();
    Trace {
        visit,
        rows,
        ops,
        answers,
        uses,
        handed_out,
    }
}

struct Wild<'a> {
    world: &'a World,
    handed_out: Vec<String>,
    access: Vec<String>,
    flights: Vec<Flight>,
    answers: Vec<Answer>,
    uses: Vec<Use>,
}

impl Wild<'_> {
    async fn act(&mut self, visit: &Visit, act: Act) {
        let world = self.world;
        let pick = |count: usize, which: u8| (count > 0).then(|| usize::from(which) % count);
        match act {
            Act::Begin(request) if self.flights.len() < 4 => self.begin(request),
            Act::Refresh(request) => {
                self.begin(request);
                self.finish(self.flights.len() - 1).await;
            }
            Act::Step(which) => {
                if let Some(at) = pick(self.flights.len(), which)
                    && let Some(outcome) = self.flights[at].refresh.step().await
                {
                    let flight = self.flights.remove(at);
                    self.answered(flight.presented, flight.from, outcome);
                }
            }
            Act::Finish(which) => {
                if let Some(at) = pick(self.flights.len(), which) {
                    self.finish(at).await;
                }
            }
            Act::Crash(which) => {
                if let Some(at) = pick(self.flights.len(), which) {
                    drop(self.flights.remove(at));
                }
            }
            Act::Use { age, node } => {
                let from = world.probe.count();
                let was_admitted = world
                    .admits(node, nth_newest(&self.access, age))
                    .await
                    .is_ok();
                self.uses.push(Use { from, was_admitted });
            }
            Act::Settle(node) => world.settle(node).await,
            Act::Wait(millis) => world.wait(millis),
            Act::Revoke(how) => {
                let subject = world.accounts.id_of(&visit.email);
                world.accounts.set_roles(&visit.email, vec![Role::Editor]);
                let revoke = match how {
                    How::Access => Revoke::access_of(subject),
                    How::Session => Revoke::session(visit.sid),
                    How::Subject => Revoke::subject(subject),
                    How::Refresh => Revoke::refresh_of(subject),
                };
                // The store may be told to fail.
                drop(world.at_once(world.nodes[0].gate.revoke(revoke)).await);
            }
            Act::Fail(skip, fault) => world.probe.fail(skip, fault),
            Act::Begin(_) => {}
        }
    }

    fn begin(&mut self, request: Request) {
        let presented = nth_newest(&self.handed_out, request.age).clone();
        let device = if request.other_device { "another" } else { "" };
        let refresh = self.world.refresh(request.node, &presented, client(device));
        self.flights.push(Flight {
            presented,
            from: self.world.probe.count(),
            refresh,
        });
    }

    async fn finish(&mut self, at: usize) {
        let Flight {
            presented,
            from,
            refresh,
        } = self.flights.remove(at);
        let outcome = refresh.finish().await;
        self.answered(presented, from, outcome);
    }

    fn answered(&mut self, presented: String, from: usize, outcome: Result<Tokens, Refusal>) {
        let to = self.world.probe.count();
        let outcome = outcome.map_err(|refusal| refusal.code());
        if let Ok(tokens) = &outcome {
            self.access.push(tokens.access.clone());
            if !self.handed_out.contains(&tokens.refresh) {
                self.handed_out.push(tokens.refresh.clone());
            }
        }
        self.answers.push(Answer {
            presented,
            from,
            to,
            outcome,
        });
    }
}

impl Trace {
    /// The rows that a request may have met.
    pub(crate) fn during(&self, answer: &Answer) -> &[Session] {
        &self.rows[answer.from..=answer.to]
    }

    /// The generations of the session that ever were, each with the hashes that were current under
    /// it.
    pub(crate) fn currents(&self) -> BTreeSet<(u32, [u8; 32])> {
        self.rows
            .iter()
            .map(|row| (row.generation, row.current))
            .collect()
    }

    pub(crate) fn opened_at(&self) -> Timestamp {
        self.visit.opened
    }
}

fn nth_newest(all: &[String], age: u8) -> &String {
    &all[all.len() - 1 - usize::from(age) % all.len()]
}

/// A failed property, with words.
pub(crate) fn ensure(holds: bool, why: impl FnOnce() -> String) -> Result<(), TestCaseError> {
    if holds {
        Ok(())
    } else {
        Err(TestCaseError::fail(why()))
    }
}
