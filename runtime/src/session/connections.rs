//! Connections that stay open after their request was admitted, and the events that end them: the
//! expiry of their token, a revocation, a pause.
//!
//! A connection has no task. The log marks the view; then one task checks the connections, and once
//! a second those that expire.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::clock::{Clock, Timestamp};
use crate::token::TokenInfo;

use super::clock::StoreClock;
use super::view::View;

/// The reason why a connection has to end: its caller is no longer known to be signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Ended {
    /// The access token expired. A client that sends a new one can continue.
    Expired,
    /// The token, its session, its subject or its key was revoked, or the claims of its subject
    /// changed.
    Revoked,
    /// The deployment is paused, so the gate cannot decide.
    Paused,
}

/// The open connections of a gate on this node.
#[derive(Debug)]
pub(crate) struct Connections {
    view: Arc<View>,
    clock: Clock,
    time: Arc<StoreClock>,
    /// The connections, by the whole second in which they expire.
    open: Mutex<BTreeMap<Place, Arc<Connection>>>,
    next: AtomicU64,
}

/// The second in which a connection expires, and its number.
type Place = (u64, u64);

/// A connection, and the task that waits for its end.
#[derive(Debug)]
struct Connection {
    token: TokenInfo,
    end: Mutex<End>,
}

#[derive(Debug, Default)]
struct End {
    ended: Option<Ended>,
    waker: Option<Waker>,
}

impl Connections {
    pub(super) fn new(view: &Arc<View>, clock: &Clock, time: &Arc<StoreClock>) -> Self {
        Self {
            view: Arc::clone(view),
            clock: clock.clone(),
            time: Arc::clone(time),
            open: Mutex::default(),
            next: AtomicU64::new(0),
        }
    }

    /// Returns a value that waits for the end of a connection which this token admitted.
    pub(crate) fn watch(&self, token: &TokenInfo) -> Watch<'_> {
        Watch {
            connections: self,
            connection: Arc::new(Connection {
                token: token.clone(),
                end: Mutex::default(),
            }),
            place: None,
        }
    }

    /// Waits until connections have to be checked, and checks them: all of them after an entry of
    /// the log, those that expire once a second.
    pub(crate) async fn look_once(&self) {
        let marked = tokio::time::timeout(TICK, self.view.marked()).await;
        self.end_expired().await;
        if marked.is_ok() || self.view.is_paused() {
            self.end_revoked().await;
        }
    }

    async fn end_expired(&self) {
        let now = self.now();
        loop {
            let expired: Vec<_> = {
                let open = self.open();
                let until = (now.as_secs().saturating_add(1), 0);
                let places = open
                    .range(..until)
                    .map(|(place, found)| (*place, Arc::clone(found)));
                places.take(AT_ONCE).collect()
            };
            let expired = expired
                .into_iter()
                .filter(|(_, found)| found.token.expires_at() <= now);
            let mut count = 0;
            for (place, connection) in expired {
                count += 1;
                self.open().remove(&place);
                connection.end(Ended::Expired);
            }
            if count < AT_ONCE {
                return;
            }
            tokio::task::yield_now().await;
        }
    }

    /// Ends the connections whose token is revoked. It wakes a limited number at a time, so that
    /// other tasks of the program can run.
    async fn end_revoked(&self) {
        let mut from = (0, 0);
        loop {
            let some: Vec<_> = {
                let open = self.open();
                let places = open
                    .range(from..)
                    .map(|(place, found)| (*place, Arc::clone(found)));
                places.take(AT_ONCE).collect()
            };
            let Some(((second, number), _)) = some.last() else {
                return;
            };
            from = (*second, number.saturating_add(1));
            for (place, connection) in some {
                if let Some(ended) = self.revoked(&connection.token) {
                    self.open().remove(&place);
                    connection.end(ended);
                }
            }
            tokio::task::yield_now().await;
        }
    }

    /// Returns the reason why a token is not valid at the moment, if there is one.
    fn ended(&self, token: &TokenInfo) -> Option<Ended> {
        if token.expires_at() <= self.now() {
            return Some(Ended::Expired);
        }
        self.revoked(token)
    }

    fn revoked(&self, token: &TokenInfo) -> Option<Ended> {
        if self.view.is_revoked(token) {
            Some(Ended::Revoked)
        } else {
            self.view.is_paused().then_some(Ended::Paused)
        }
    }

    /// Returns the later of both clocks' times: a token that has expired by either has expired.
    fn now(&self) -> Timestamp {
        self.time.later(self.clock.now())
    }

    fn open(&self) -> MutexGuard<'_, BTreeMap<Place, Arc<Connection>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connection {
    fn end(&self, ended: Ended) {
        let waker = {
            let mut end = self.state();
            end.ended = Some(ended);
            end.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn state(&self) -> MutexGuard<'_, End> {
        self.end.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for the end of a connection.
#[must_use = "nothing is waited for until `.await`"]
pub(crate) struct Watch<'a> {
    connections: &'a Connections,
    connection: Arc<Connection>,
    /// The place where it is registered.
    place: Option<Place>,
}

impl Future for Watch<'_> {
    type Output = Ended;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Ended> {
        let ended = {
            let mut state = self.connection.state();
            state.waker = Some(context.waker().clone());
            state.ended
        };
        if let (Some(ended), _) | (None, Some(ended)) = (ended, self.register()) {
            return Poll::Ready(ended);
        }
        Poll::Pending
    }
}

impl Watch<'_> {
    /// Registers the connection if it is not registered yet, and returns the reason if it is over
    /// already. It registers first: a later revocation finds the connection, and an earlier one is
    /// in the view.
    fn register(&mut self) -> Option<Ended> {
        if self.place.is_some() {
            return None;
        }
        let (connections, connection) = (self.connections, &self.connection);
        let number = connections.next.fetch_add(1, Ordering::Relaxed);
        let place = (connection.token.expires_at().as_secs(), number);
        connections.open().insert(place, Arc::clone(connection));
        self.place = Some(place);
        connections.ended(&connection.token)
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            self.connections.open().remove(&place);
        }
    }
}

/// The number of connections that are checked before other tasks can run.
const AT_ONCE: usize = 1000;
/// The time between two checks of the connections that expire.
const TICK: Duration = Duration::from_secs(1);
