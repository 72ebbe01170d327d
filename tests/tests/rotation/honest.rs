//! P6: honest clients on a bad network are never signed out.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use tollgate::clock::Timestamp;
use tollgate::prelude::*;
use tollgate_tests::Role;

use crate::probe::{Detail, Fault};
use crate::wild::ensure;
use crate::world::{Rules, Stepper, Tokens, Visit, World, client, ms, random};

/// An act of a client or its user, or a mishap.
#[derive(Clone, Debug)]
enum Act {
    /// A tab refreshes, unless it does so already.
    Refresh {
        tab: usize,
        sent: Sent,
        /// The same request once more, as a network that repeats what it carries.
        again: Option<Sent>,
    },
    /// A tab uses the access token that is stored.
    Use {
        node: usize,
    },
    Settle(usize),
    Wait(Wait),
    /// The user's roles change.
    Roles,
    /// An operation of the store fails.
    Fail(usize, Fault),
}

/// The length of a pause, in terms of the windows.
#[derive(Clone, Copy, Debug)]
enum Wait {
    Millis(u64),
    /// So many per mille of the window for lost answers.
    OfLost(u64),
}

/// The way of a request, in per mille of the half window after which its client gives up.
#[derive(Clone, Debug)]
struct Sent {
    node: usize,
    there: u64,
    /// The time that the server takes at each of its points, in milliseconds.
    work: Vec<u64>,
    back: u64,
    fate: Fate,
}

#[derive(Clone, Copy, Debug)]
enum Fate {
    Delivered,
    RequestLost,
    AnswerLost,
    /// The node falls over at this point.
    Crash(usize),
}

/// A request on its way.
struct Flight {
    tab: usize,
    token: String,
    gives_up: Timestamp,
    sent: Sent,
    at: usize,
    refresh: Option<Stepper<Result<Tokens, Refusal>>>,
    outcome: Option<Result<Tokens, Code>>,
}

/// A browser: tabs that share their storage. Each waits for its own refresh, none for the others'.
struct Browser<'a> {
    world: &'a World,
    visit: Visit,
    stored: Tokens,
    /// The time since which refreshes with the stored token went out without an answer.
    in_doubt: Option<Timestamp>,
    waiting: [Option<usize>; TABS],
    flights: Vec<Flight>,
    /// The next happenings: when, in which order, to which flight.
    agenda: BinaryHeap<Reverse<(Timestamp, usize, usize)>>,
    events: usize,
}

impl<'a> Browser<'a> {
    async fn new(world: &'a World) -> Self {
        let visit = world.arrive().await;
        Self {
            world,
            stored: visit.tokens.clone(),
            visit,
            in_doubt: None,
            waiting: [None; TABS],
            flights: Vec::new(),
            agenda: BinaryHeap::new(),
            events: 0,
        }
    }

    async fn act(&mut self, act: Act) -> Result<(), TestCaseError> {
        match act {
            Act::Refresh { tab, sent, again } => {
                if self.waiting[tab].is_none() && !self.is_too_late() {
                    self.waiting[tab] = Some(self.flights.len());
                    self.in_doubt.get_or_insert(self.world.now());
                    self.send(tab, sent);
                    again.into_iter().for_each(|sent| self.send(tab, sent));
                }
            }
            // Refused or not: the client would refresh.
            Act::Use { node } => {
                let _ = self.world.admits(node, &self.stored.access).await;
            }
            Act::Settle(node) => self.world.settle(node).await,
            Act::Wait(wait) => {
                let millis = match wait {
                    Wait::Millis(millis) => millis,
                    Wait::OfLost(share) => self.world.rules.lost * share / 1000,
                };
                self.pass(self.world.now().plus(ms(millis))).await?;
            }
            Act::Roles => {
                let subject = self.world.accounts.id_of(&self.visit.email);
                self.world
                    .accounts
                    .set_roles(&self.visit.email, vec![Role::Editor]);
                drop(
                    self.world
                        .at_once(self.world.nodes[1].gate.revoke(Revoke::access_of(subject)))
                        .await,
                );
            }
            Act::Fail(skip, fault) => self.world.probe.fail(skip, fault),
        }
        Ok(())
    }

    /// Returns whether a retry could come after the window for lost answers. Such a client signs in
    /// again.
    fn is_too_late(&self) -> bool {
        let patience = ms(self.world.rules.lost - 4 * self.world.rules.window);
        self.in_doubt
            .is_some_and(|since| self.world.now().since(since) >= patience)
    }

    fn send(&mut self, tab: usize, sent: Sent) {
        let half = self.world.rules.window / 2;
        let now = self.world.now();
        self.plan(now.plus(ms(half * sent.there / 1000)), self.flights.len());
        let flight = Flight {
            tab,
            token: self.stored.refresh.clone(),
            gives_up: now.plus(ms(half)),
            sent,
            at: 0,
            refresh: None,
            outcome: None,
        };
        self.flights.push(flight);
    }

    fn plan(&mut self, when: Timestamp, flight: usize) {
        self.events += 1;
        self.agenda.push(Reverse((when, self.events, flight)));
    }

    /// Lets everything happen that happens until then.
    async fn pass(&mut self, until: Timestamp) -> Result<(), TestCaseError> {
        while let Some(Reverse((when, _, _))) = self.agenda.peek()
            && *when <= until
        {
            let Some(Reverse((when, _, flight))) = self.agenda.pop() else {
                break;
            };
            self.world.clock.advance(when.since(self.world.now()));
            self.give_up();
            self.go_on(flight).await?;
        }
        self.world.clock.advance(until.since(self.world.now()));
        self.give_up();
        Ok(())
    }

    /// A client aborts after half a window, and may try again.
    fn give_up(&mut self) {
        let now = self.world.now();
        for waiting in &mut self.waiting {
            if waiting.is_some_and(|flight| now > self.flights[flight].gives_up) {
                *waiting = None;
            }
        }
    }

    /// A request comes in, or goes on at its node, or its answer comes back.
    async fn go_on(&mut self, at: usize) -> Result<(), TestCaseError> {
        let now = self.world.now();
        let flight = &mut self.flights[at];
        if let Some(outcome) = flight.outcome.take() {
            return self.hear(at, outcome);
        }
        let crash = match flight.sent.fate {
            Fate::RequestLost => return Ok(()),
            Fate::Crash(point) => Some(point),
            Fate::Delivered | Fate::AnswerLost => None,
        };
        let refresh = flight.refresh.get_or_insert_with(|| {
            self.world
                .refresh(flight.sent.node, &flight.token, client(DEVICE))
        });
        let outcome = refresh.step().await;
        flight.at += 1;
        if crash.is_some_and(|point| flight.at > point) {
            flight.refresh = None;
            return Ok(());
        }
        let next = match outcome {
            // The reading is part of the way; after it a node may take as long as it likes.
            None if flight.at < READ => 0,
            None => flight.sent.work.get(flight.at).copied().unwrap_or_default(),
            Some(outcome) => {
                flight.refresh = None;
                if matches!(flight.sent.fate, Fate::AnswerLost) {
                    // Nobody hears it, but it must be none that ends the session.
                    return self.judge(&outcome.map_err(|refusal| refusal.code()));
                }
                flight.outcome = Some(outcome.map_err(|refusal| refusal.code()));
                self.world.rules.window / 2 * flight.sent.back / 1000
            }
        };
        self.plan(now.plus(ms(next)), at);
        Ok(())
    }

    /// An answer comes back. Who aborted does not listen; who listens stores it before it is used.
    fn hear(&mut self, at: usize, outcome: Result<Tokens, Code>) -> Result<(), TestCaseError> {
        self.judge(&outcome)?;
        let flight = &self.flights[at];
        let is_awaited =
            self.waiting[flight.tab].is_some_and(|first| self.flights[first].token == flight.token);
        if !is_awaited || self.world.now() > flight.gives_up {
            return Ok(());
        }
        self.waiting[flight.tab] = None;
        if let Ok(tokens) = outcome {
            // The token that it had already: a request that was given up may still replace it.
            if tokens.is_fresh {
                self.in_doubt = None;
            }
            self.stored = tokens;
        }
        Ok(())
    }

    /// The client tries with what it stored until it gets through.
    async fn get_through(&mut self) -> Result<(), TestCaseError> {
        for _ in 0..5 {
            let outcome = self
                .world
                .refresh(0, &self.stored.refresh, client(DEVICE))
                .finish()
                .await;
            let outcome = outcome.map_err(|refusal| refusal.code());
            self.judge(&outcome)?;
            if let Ok(tokens) = outcome {
                self.stored = tokens;
                let admitted = self.world.admits(1, &self.stored.access).await;
                return ensure(admitted.is_ok(), || {
                    format!("the access token of the end: {admitted:?}")
                });
            }
            self.world.wait(self.world.rules.window / 2);
        }
        Err(TestCaseError::fail("an honest client did not get through"))
    }

    fn judge(&self, outcome: &Result<Tokens, Code>) -> Result<(), TestCaseError> {
        let fine = matches!(outcome, Ok(_) | Err(Code::Unavailable));
        ensure(fine, || format!("an honest client got {outcome:?}"))
    }
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let share = || prop_oneof![2 => Just(0), 1 => Just(1000), 3 => 0..=1000_u64];
    let work = prop_oneof![6 => Just(0), 3 => 0..=500_u64, 1 => 0..=30_000_u64];
    let fate = prop_oneof![
        6 => Just(Fate::Delivered),
        1 => Just(Fate::RequestLost),
        4 => Just(Fate::AnswerLost),
        2 => (0..6_usize).prop_map(Fate::Crash),
    ];
    let sent = (
        0..2_usize,
        share(),
        prop::collection::vec(work, 8),
        share(),
        fate,
    )
        .prop_map(|(node, there, work, back, fate)| Sent {
            node,
            there,
            work,
            back,
            fate,
        });
    let wait = prop_oneof![
        3 => Just(Wait::Millis(0)),
        2 => Just(Wait::Millis(2_500)),
        2 => Just(Wait::Millis(5_001)),
        2 => Just(Wait::Millis(10_001)),
        4 => Just(Wait::Millis(20_001)),
        6 => (0..30_000_u64).prop_map(Wait::Millis),
        2 => (0..900_u64).prop_map(Wait::OfLost),
    ];
    let fault = prop_oneof![Just(Fault::Before), Just(Fault::After)];
    let act = prop_oneof![
        10 => (0..TABS, sent.clone(), prop::option::weighted(0.3, sent)).prop_map(|(tab, sent, again)| Act::Refresh { tab, sent, again }),
        5 => (0..2_usize).prop_map(|node| Act::Use { node }),
        4 => (0..2_usize).prop_map(Act::Settle),
        10 => wait.prop_map(Act::Wait),
        1 => Just(Act::Roles),
        1 => (0..3_usize, fault).prop_map(|(skip, fault)| Act::Fail(skip, fault)),
    ];
    prop::collection::vec(act, 1..80)
}

/// R65, R81. The session lives, no answer says otherwise, and at the end the stored token still
/// gets through.
#[test]
pub(crate) fn p6_no_schedule_of_honest_clients_revokes() {
    random(
        200,
        &[Rules::AWARE, Rules::DAY],
        &acts(),
        async |world, acts| {
            let mut browser = Browser::new(world).await;
            for act in acts {
                browser.act(act).await?;
                if browser.is_too_late() {
                    break;
                }
            }
            if !browser.is_too_late() {
                browser.get_through().await?;
            }
            // Slow nodes come to the end of their work.
            while let Some(Reverse((when, _, _))) = browser.agenda.peek().copied() {
                browser.pass(when).await?;
            }
            ensure(world.row(&browser.visit).await.revoked.is_none(), || {
                "an honest client was signed out".into()
            })
        },
    );
}

/// The schedules of P6 are worth something: they meet every row that answers.
#[test]
fn p6_its_schedules_meet_rotations_replays_and_remints() {
    let seen = std::cell::RefCell::new([0_u32; 4]);
    random(60, &[Rules::AWARE], &acts(), async |world, acts| {
        let mut browser = Browser::new(world).await;
        for act in acts {
            browser.act(act).await?;
        }
        for op in world.probe.ops() {
            let row = match op.detail {
                Detail::Advanced(..) => 0,
                Detail::Reminted(..) => 1,
                Detail::Held(_) => 2,
                Detail::Lost => 3,
                Detail::None | Detail::Extended(..) => continue,
            };
            seen.borrow_mut()[row] += 1;
        }
        Ok(())
    });
    assert!(seen.borrow().iter().all(|count| *count > 0), "{seen:?}");
}

const TABS: usize = 3;
/// The point after the first reading.
const READ: usize = 2;
const DEVICE: &str = "a device";
