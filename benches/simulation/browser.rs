//! Honest browsers: tabs that refresh when their token is about to run out, on a network that loses
//! answers.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use tollgate::clock::Timestamp;
use tollgate::prelude::Code;

use crate::chance::Chance;
use crate::deployment::{Deployment, Tokens};

/// The conditions of a session.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// The number of tabs that share a storage.
    pub(crate) tabs: usize,
    /// The number of storages, each a copy of the first.
    pub(crate) copies: usize,
    /// The share of the answers to a refresh that are lost.
    pub(crate) lost: f64,
    /// The share of the lost answers that are lost because the device goes to sleep.
    pub(crate) asleep: f64,
    /// Within how many seconds all tabs and copies notice that the token is about to run out.
    pub(crate) jitter: u64,
}

/// A storage and its tabs.
struct Browser {
    stored: Tokens,
    /// The refresh that each tab waits for, by its number.
    waiting: Vec<Option<usize>>,
    asleep_until: Timestamp,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// A tab looks at the stored token.
    Look,
    /// A refresh arrives, which began as this one.
    Arrive(usize),
    /// Its answer does.
    Answer(usize),
    /// Its tab waits no longer.
    GiveUp(usize),
}

/// A refresh on its way.
struct Flight {
    token: String,
    answer: Option<Result<Tokens, Code>>,
}

/// The events by time, with the tab and the browser of each.
type Agenda = BinaryHeap<Reverse<(Timestamp, usize, usize, usize, Event)>>;

struct Day<'a> {
    deployment: &'a Deployment,
    scenario: &'a Scenario,
    chance: Chance,
    browsers: Vec<Browser>,
    flights: Vec<Flight>,
    agenda: Agenda,
    events: usize,
}

/// Lets a session live for a day's work. Answers whether it was ended although nobody did wrong.
pub(crate) async fn day(deployment: &Deployment, scenario: &Scenario, seed: u64) -> bool {
    let first = deployment.sign_in(seed).await;
    let browser = || Browser {
        stored: first.clone(),
        waiting: vec![None; scenario.tabs],
        asleep_until: deployment.now(),
    };
    let mut day = Day {
        deployment,
        scenario,
        chance: Chance::new(seed),
        browsers: (0..scenario.copies).map(|_| browser()).collect(),
        flights: Vec::new(),
        agenda: Agenda::new(),
        events: 0,
    };
    let end = deployment.now().plus(LONG);
    for browser in 0..scenario.copies {
        for tab in 0..scenario.tabs {
            day.look_later(browser, tab);
        }
    }
    while let Some(Reverse((when, _, browser, tab, event))) = day.agenda.pop() {
        if when >= end {
            break;
        }
        deployment.until(when);
        if day.happens(browser, tab, event).await {
            return true;
        }
    }
    deployment.until(end);
    false
}

impl Day<'_> {
    /// Answers whether the session is over.
    async fn happens(&mut self, browser: usize, tab: usize, event: Event) -> bool {
        let now = self.deployment.now();
        match event {
            Event::Look => {
                let it = &self.browsers[browser];
                if now < it.asleep_until {
                    let (awake, jitter) = (it.asleep_until, self.jitter());
                    let again = awake.plus(self.chance.between(Duration::ZERO, jitter));
                    self.plan(again, browser, tab, Event::Look);
                } else if it.waiting[tab].is_none() {
                    if it.stored.until.since(now) > EARLY {
                        let access = it.stored.access.clone();
                        self.deployment.admits(&access).await;
                        self.look_later(browser, tab);
                    } else {
                        self.send(browser, tab);
                    }
                }
                false
            }
            Event::Arrive(flight) => {
                let outcome = self.deployment.refresh(&self.flights[flight].token).await;
                self.flights[flight].answer = Some(outcome);
                if self.chance.unit() >= self.scenario.lost {
                    let back = now.plus(self.chance.latency());
                    self.plan(back, browser, tab, Event::Answer(flight));
                } else if self.chance.unit() < self.scenario.asleep {
                    self.browsers[browser].asleep_until =
                        now.plus(self.chance.between(NAP, LONG_NAP));
                }
                false
            }
            Event::Answer(flight) => {
                if self.browsers[browser].waiting[tab] != Some(flight) {
                    return false;
                }
                self.browsers[browser].waiting[tab] = None;
                self.hear(browser, tab, flight).await
            }
            Event::GiveUp(flight) => {
                if self.browsers[browser].waiting[tab] == Some(flight) {
                    self.browsers[browser].waiting[tab] = None;
                    self.plan(now, browser, tab, Event::Look);
                }
                false
            }
        }
    }

    fn send(&mut self, browser: usize, tab: usize) {
        let now = self.deployment.now();
        let flight = self.flights.len();
        self.flights.push(Flight {
            token: self.browsers[browser].stored.refresh.clone(),
            answer: None,
        });
        self.browsers[browser].waiting[tab] = Some(flight);
        let there = now.plus(self.chance.latency());
        self.plan(there, browser, tab, Event::Arrive(flight));
        self.plan(now.plus(TIMEOUT), browser, tab, Event::GiveUp(flight));
    }

    async fn hear(&mut self, browser: usize, tab: usize, flight: usize) -> bool {
        let Flight { token, answer } = &mut self.flights[flight];
        match answer.take() {
            Some(Ok(tokens)) => {
                let access = tokens.access.clone();
                self.browsers[browser].stored = tokens;
                self.deployment.admits(&access).await;
                self.look_later(browser, tab);
                false
            }
            // Another tab has stored a newer one meanwhile: that one is tried before anybody signs
            // in again.
            Some(Err(Code::InvalidGrant)) if self.browsers[browser].stored.refresh != *token => {
                self.send(browser, tab);
                false
            }
            Some(Err(Code::InvalidGrant)) => true,
            _ => {
                let again = self.deployment.now().plus(RETRY);
                self.plan(again, browser, tab, Event::Look);
                false
            }
        }
    }

    /// When the token is about to run out, or a little later.
    fn look_later(&mut self, browser: usize, tab: usize) {
        let jitter = self.jitter();
        let due = self.browsers[browser]
            .stored
            .until
            .minus(EARLY)
            .plus(self.chance.between(Duration::ZERO, jitter));
        self.plan(due.max(self.deployment.now()), browser, tab, Event::Look);
    }

    fn jitter(&self) -> Duration {
        Duration::from_secs(self.scenario.jitter)
    }

    fn plan(&mut self, when: Timestamp, browser: usize, tab: usize, event: Event) {
        self.events += 1;
        self.agenda
            .push(Reverse((when, self.events, browser, tab, event)));
    }
}

/// A day's work.
const LONG: Duration = Duration::from_secs(8 * 3600);
/// The time before its end at which a token is replaced.
const EARLY: Duration = Duration::from_secs(30);
/// The time that a tab waits for an answer: half a window.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The time after which a tab tries again, where the answer was 503.
const RETRY: Duration = Duration::from_secs(3);
/// The time that a device sleeps.
const NAP: Duration = Duration::from_secs(60);
const LONG_NAP: Duration = Duration::from_secs(4 * 3600);
