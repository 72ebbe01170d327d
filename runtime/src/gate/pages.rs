//! Renews the tokens of browsers on their behalf, once for all requests of a node that bring the
//! same refresh token.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::clock::Timestamp;
use crate::device::Client;
use crate::error::{Causes, Code, Error, ErrorKind, Refusal};
use crate::secret::sha256;
use crate::session::Issued;
use crate::settings::BindingMode;

use super::running::Running;

/// The state of a gate's pages.
pub(crate) struct PagesState {
    /// The path of the page at which users sign in.
    login: Box<str>,
    renewals: Mutex<Renewals>,
}

/// The renewals of a node.
#[derive(Default)]
struct Renewals {
    flights: HashMap<RefreshKey, Flight>,
    /// Refresh tokens that are not valid, and the time until which that is remembered.
    dead: HashMap<RefreshKey, Timestamp>,
    /// The number of the next flight.
    next: u64,
}

/// A hash of a refresh token, and of the address where a session is bound to one.
type RefreshKey = [u8; 32];

/// A renewal that is under way, or was done a moment ago.
struct Flight {
    number: u64,
    outcome: watch::Receiver<Option<Renewed>>,
}

/// The outcome of a renewal.
#[derive(Clone)]
pub(crate) enum Renewed {
    /// The tokens that the browser gets.
    Tokens(Arc<PageTokens>),
    /// The refresh token is not valid.
    Nobody,
    /// The refusal is the answer: its code, and after how many seconds to try again.
    Refused(Code, Option<u64>),
}

/// The tokens of a renewal.
pub(crate) struct PageTokens {
    pub(crate) issued: Issued,
    /// `true` if the refresh token differs from the one that the browser sent.
    pub(crate) is_new: bool,
    /// `true` if the refresh cookie moves to the name that the gate writes.
    pub(crate) moves: bool,
    /// The time after the store's answer within which the cookies must be sent.
    timely: Duration,
}

impl PageTokens {
    /// Returns whether an answer at this time is too late for the cookies. A browser does not give
    /// up a request: cookies that arrive after another tab renewed again would be out of date.
    pub(crate) fn is_late(&self, now: Timestamp) -> bool {
        now.since(self.issued.issued_at) > self.timely
    }
}

impl Running {
    /// Notes that the program has pages, and where users sign in.
    pub(crate) fn open_pages(&self, login: &str) -> Result<(), Error> {
        let state = self.pages.get_or_init(|| PagesState {
            login: login.into(),
            renewals: Mutex::default(),
        });
        if *state.login == *login {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Usage,
            format!(
                "a gate has one login page: `gate.pages` was called with `{}` and with `{login}`",
                state.login
            ),
        ))
    }

    /// Returns the path of the login page, if the program has pages.
    pub(crate) fn login(&self) -> Option<&str> {
        self.pages.get().map(|pages| &*pages.login)
    }

    /// Renews by a refresh token of a browser. Requests with the same token wait for one renewal,
    /// which continues if their clients close the connection.
    pub(crate) async fn renew_page(
        self: &Arc<Self>,
        token: &str,
        client: &Client,
        moves: bool,
    ) -> Renewed {
        let Some(pages) = self.pages.get() else {
            return Renewed::Nobody;
        };
        let key = self.refresh_key(token, client);
        let now = self.admission().now();
        let mut outcome = {
            let mut renewals = pages.renewals();
            if renewals.is_dead(&key, now) {
                return Renewed::Nobody;
            }
            match renewals.joined(&key, now) {
                Some(outcome) => outcome,
                None => self.start_flight(&mut renewals, key, token, client, moves),
            }
        };
        let settled = outcome.wait_for(Option::is_some).await;
        settled
            .ok()
            .and_then(|outcome| outcome.clone())
            .unwrap_or(Renewed::Refused(Code::Unavailable, None))
    }

    /// Forgets a renewal whose tokens are no longer valid. A renewal that began later stays, so that
    /// all requests that got these tokens wait for the same one.
    pub(crate) fn forget_renewal(&self, token: &str, client: &Client, dead: &Renewed) {
        let (Some(pages), Renewed::Tokens(dead)) = (self.pages.get(), dead) else {
            return;
        };
        let key = self.refresh_key(token, client);
        let mut renewals = pages.renewals();
        let is_dead = renewals.flights.get(&key).is_some_and(|flight| {
            let outcome = flight.outcome.borrow();
            matches!(&*outcome, Some(Renewed::Tokens(tokens)) if Arc::ptr_eq(tokens, dead))
        });
        if is_dead {
            renewals.flights.remove(&key);
        }
    }

    /// Returns the key of a renewal.
    fn refresh_key(&self, token: &str, client: &Client) -> RefreshKey {
        let is_bound = self.settings().binding.refresh_network == BindingMode::Enforce;
        match client.ip.filter(|_| is_bound) {
            // With binding the result depends on the address, so each address has its own entry.
            Some(ip) => sha256(format!("{token} {ip}").as_bytes()),
            None => sha256(token.as_bytes()),
        }
    }

    /// Starts a renewal in a task of its own.
    fn start_flight(
        self: &Arc<Self>,
        renewals: &mut Renewals,
        key: RefreshKey,
        token: &str,
        client: &Client,
        moves: bool,
    ) -> watch::Receiver<Option<Renewed>> {
        let (sender, outcome) = watch::channel(None);
        let number = renewals.next;
        renewals.next += 1;
        let flight = Flight {
            number,
            outcome: outcome.clone(),
        };
        renewals.flights.insert(key, flight);
        let (gate, token, client) = (Arc::clone(self), token.to_owned(), client.clone());
        tokio::spawn(async move {
            let timely = gate.settings().refresh.window / 2;
            // In a task of its own, for the backend may panic: the next request tries again.
            let (renewing, sent) = (Arc::clone(&gate), token.clone());
            let refreshed =
                tokio::spawn(async move { renewing.flows().refresh(&sent, &client).await });
            let renewed = match refreshed.await {
                Ok(Ok(issued)) => Renewed::Tokens(Arc::new(PageTokens {
                    is_new: issued.refresh_token.expose() != token,
                    issued,
                    moves,
                    timely,
                })),
                Ok(Err(refusal)) => refused(&refusal),
                Err(_) => Renewed::Refused(Code::Unavailable, None),
            };
            let is_kept = matches!(renewed, Renewed::Tokens(_));
            if !is_kept {
                gate.end_flight(&key, number, matches!(renewed, Renewed::Nobody));
            }
            sender.send_replace(Some(renewed));
            // The tokens stay in memory no longer than they may be handed out.
            let gate = Arc::downgrade(&gate);
            if is_kept {
                tokio::time::sleep(timely).await;
                if let Some(gate) = gate.upgrade() {
                    gate.end_flight(&key, number, false);
                }
            }
        });
        outcome
    }

    fn end_flight(&self, key: &RefreshKey, number: u64, is_dead: bool) {
        let Some(pages) = self.pages.get() else {
            return;
        };
        let mut renewals = pages.renewals();
        if renewals
            .flights
            .get(key)
            .is_some_and(|flight| flight.number == number)
        {
            renewals.flights.remove(key);
        }
        if is_dead {
            renewals.bury(*key, self.admission().now());
        }
    }
}

impl PagesState {
    fn renewals(&self) -> MutexGuard<'_, Renewals> {
        self.renewals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Renewals {
    fn is_dead(&self, key: &RefreshKey, now: Timestamp) -> bool {
        self.dead.get(key).is_some_and(|until| now < *until)
    }

    /// Remembers a refresh token that is not valid. Browsers send it with each request, and each
    /// would ask the store.
    fn bury(&mut self, key: RefreshKey, now: Timestamp) {
        if self.dead.len() >= MOST_DEAD {
            self.dead.retain(|_, until| now < *until);
        }
        if self.dead.len() >= MOST_DEAD {
            self.dead.clear();
        }
        self.dead.insert(key, now.plus(DEAD_FOR));
    }

    /// Returns the renewal of this refresh token that is under way, or that was done so lately that
    /// its cookies may still be sent.
    fn joined(&self, key: &RefreshKey, now: Timestamp) -> Option<watch::Receiver<Option<Renewed>>> {
        let flight = self.flights.get(key)?;
        let is_late = matches!(
            &*flight.outcome.borrow(),
            Some(Renewed::Tokens(tokens)) if tokens.is_late(now)
        );
        (!is_late).then(|| flight.outcome.clone())
    }
}

/// Returns what a refusal of a refresh means for a page.
fn refused(refusal: &Refusal) -> Renewed {
    match refusal.code() {
        Code::InvalidGrant => Renewed::Nobody,
        code => {
            let cause = Causes(std::error::Error::source(refusal));
            tracing::debug!(code = code.as_str(), %cause, "a page was not renewed");
            Renewed::Refused(code, refusal.retry_in())
        }
    }
}

/// The most dead refresh tokens that are remembered.
const MOST_DEAD: usize = 4096;
/// The time for which a dead refresh token is remembered.
const DEAD_FOR: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dead_tokens_are_remembered_for_a_minute_and_not_without_bound() {
        let mut renewals = Renewals::default();
        let key = |number: usize| sha256(&number.to_be_bytes());
        let start = Timestamp::from_secs(1_700_000_000);
        let last = MOST_DEAD * 2 + 7;
        for number in 0..=last {
            renewals.bury(key(number), start);
            assert!(renewals.dead.len() <= MOST_DEAD, "{number}");
        }
        assert!(renewals.is_dead(&key(last), start));
        assert!(renewals.is_dead(&key(last), start.plus(Duration::from_secs(59))));
        assert!(!renewals.is_dead(&key(last), start.plus(DEAD_FOR)));
        assert!(!renewals.is_dead(&key(last + 1), start));
    }
}
