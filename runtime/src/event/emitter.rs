//! Handlers of events: inline, or behind a queue that never delays a request.

use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use super::{Event, EventKind, Outcome};
use crate::clock::{Clock, Timestamp};
use crate::error::{Error, ErrorKind};
use crate::realm::RealmName;

type Inline = Box<dyn Fn(&Event) -> Next + Send + Sync>;
type Queued = Arc<dyn Fn(Event) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;
type Filter = Box<dyn Fn(&Event) -> bool + Send + Sync>;

/// The way of an event after a handler has seen it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// The next handler sees it.
    Continue,
    /// No later handler sees it. The log and the metrics have it already.
    Stop,
}

/// The handlers of events: a pipeline, in which each event goes from handler to handler, in the
/// order in which they were added.
///
/// A handler with a name can be replaced, removed, and moved before another one, for example if a
/// library adds handlers and a program changes them. An inline handler may stop an event; later
/// handlers then do not see it.
///
/// A panic of a handler is logged; the request and the later handlers continue.
///
/// # Examples
/// ```
/// use tollgate::event::{EventKind, Events, Next};
///
/// let events = Events::new()
///     .step("no_refreshes", |event| match event.kind {
///         EventKind::Refreshed(_) => Next::Stop,
///         _ => Next::Continue,
///     })
///     .inline(|event| if matches!(event.kind, EventKind::RefreshReuse { .. }) { /* count it */ })
///     .queued_step("audit", 1024, |event| async move {
///         /* write it to a table */
///         drop(event)
///     });
/// let names: Vec<&str> = events.names().collect();
/// assert_eq!(names, ["no_refreshes", "audit"]);
/// ```
#[derive(Default)]
pub struct Events {
    steps: Vec<Step>,
    realm: Option<RealmName>,
    clock: Clock,
    #[cfg(feature = "metrics")]
    issuer: String,
}

/// A handler in its place.
struct Step {
    name: Option<String>,
    handler: Handler,
}

enum Handler {
    Inline(Inline),
    Queued {
        capacity: usize,
        /// Returns whether an event enters the queue.
        accepts: Filter,
        handler: Queued,
    },
}

impl Events {
    /// Begins without handlers: events go to the log alone.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a handler that runs before the request is answered, and so must be quick: let it count,
    /// or pass the event on.
    #[must_use]
    pub fn inline(mut self, handler: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        let handler = move |event: &Event| {
            handler(event);
            Next::Continue
        };
        self.steps.push(Step {
            name: None,
            handler: Handler::Inline(Box::new(handler)),
        });
        self
    }

    /// Adds a handler with its own task, behind a queue of `capacity` events (at least one). If the
    /// queue is full, the event is dropped for this handler, and counted: see [`Emitter::dropped`].
    #[must_use]
    pub fn queued<F, T>(mut self, capacity: usize, handler: F) -> Self
    where
        F: Fn(Event) -> T + Send + Sync + 'static,
        T: Future<Output = ()> + Send + 'static,
    {
        self.steps.push(Step {
            name: None,
            handler: queue(capacity, Box::new(|_| true), handler),
        });
        self
    }

    /// Adds an inline handler with a name, which decides whether later handlers see the event. It
    /// replaces a handler of the same name, at the place of that handler.
    #[must_use]
    pub fn step(
        self,
        name: impl Into<String>,
        handler: impl Fn(&Event) -> Next + Send + Sync + 'static,
    ) -> Self {
        self.put(name.into(), Handler::Inline(Box::new(handler)))
    }

    /// Adds a handler with a name and its own task, as [`queued`](Self::queued). It replaces a
    /// handler of the same name, at the place of that handler.
    #[must_use]
    pub fn queued_step<F, T>(self, name: impl Into<String>, capacity: usize, handler: F) -> Self
    where
        F: Fn(Event) -> T + Send + Sync + 'static,
        T: Future<Output = ()> + Send + 'static,
    {
        self.put(name.into(), queue(capacity, Box::new(|_| true), handler))
    }

    /// Adds the handler `touch_last_login`, which records when a user last signed in: calls `touch`
    /// with the subject and the time of each sign-in, in its own task behind a queue of `capacity`
    /// sign-ins. A refresh is not a sign-in. A request never waits for it.
    ///
    /// One column is enough: let `touch` update only that.
    ///
    /// ```
    /// use tollgate::event::Events;
    ///
    /// let events = Events::new().touch_last_login(1024, |subject, at| async move {
    ///     // UPDATE users SET last_login = $2 WHERE id = $1
    ///     drop((subject, at));
    /// });
    /// ```
    #[must_use]
    pub fn touch_last_login<F, T>(self, capacity: usize, touch: F) -> Self
    where
        F: Fn(String, Timestamp) -> T + Send + Sync + 'static,
        T: Future<Output = ()> + Send + 'static,
    {
        let is_sign_in =
            |event: &Event| event.kind == EventKind::SignedIn && event.subject.is_some();
        let handler = move |event: Event| {
            let at = event.at.unwrap_or_default();
            touch(event.subject.unwrap_or_default(), at)
        };
        self.put(
            "touch_last_login".to_owned(),
            queue(capacity, Box::new(is_sign_in), handler),
        )
    }

    /// Adds a queued handler that gets the events of a filter alone.
    #[cfg(feature = "webhook")]
    pub(super) fn filtered<F, T>(
        self,
        name: &str,
        capacity: usize,
        accepts: impl Fn(&Event) -> bool + Send + Sync + 'static,
        handler: F,
    ) -> Self
    where
        F: Fn(Event) -> T + Send + Sync + 'static,
        T: Future<Output = ()> + Send + 'static,
    {
        self.put(name.to_owned(), queue(capacity, Box::new(accepts), handler))
    }

    /// Moves the handler `name` to the place before the handler `other`.
    ///
    /// # Errors
    /// There is no handler of one of these names, or both are the same one.
    pub fn before(mut self, name: &str, other: &str) -> Result<Self, Error> {
        if name == other {
            let what = format!("the handler of events `{name}` cannot be moved before itself");
            return Err(Error::new(ErrorKind::Usage, what));
        }
        let step = self.steps.remove(self.find(name)?);
        match self.find(other) {
            Ok(place) => self.steps.insert(place, step),
            Err(error) => return Err(error),
        }
        Ok(self)
    }

    /// Removes the handler `name`.
    ///
    /// # Errors
    /// There is no handler of this name.
    pub fn without(mut self, name: &str) -> Result<Self, Error> {
        let place = self.find(name)?;
        self.steps.remove(place);
        Ok(self)
    }

    /// Returns the names of the handlers in their order; those without a name are left out.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().filter_map(|step| step.name.as_deref())
    }

    /// Adds the handlers of `other` after these. A handler with the name of one of these replaces
    /// it, at its place.
    #[must_use]
    pub fn then(mut self, other: Self) -> Self {
        for step in other.steps {
            match step.name {
                Some(name) => self = self.put(name, step.handler),
                None => self.steps.push(step),
            }
        }
        self
    }

    fn put(mut self, name: String, handler: Handler) -> Self {
        match self
            .steps
            .iter_mut()
            .find(|step| step.name.as_ref() == Some(&name))
        {
            Some(step) => step.handler = handler,
            None => self.steps.push(Step {
                name: Some(name),
                handler,
            }),
        }
        self
    }

    fn find(&self, name: &str) -> Result<usize, Error> {
        let is_it = |step: &Step| step.name.as_deref() == Some(name);
        self.steps.iter().position(is_it).ok_or_else(|| {
            let names: Vec<&str> = self.names().collect();
            let names = names.join("`, `");
            let what =
                format!("there is no handler of events called `{name}`: there are `{names}`");
            Error::new(ErrorKind::Usage, what)
        })
    }

    /// Returns whether there is no handler.
    pub(crate) fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Sets the realm that events are of.
    pub(crate) fn in_realm(mut self, realm: Option<&RealmName>) -> Self {
        self.realm = realm.cloned();
        self
    }

    /// Sets the clock by which events are dated.
    pub(crate) fn clock(mut self, clock: &Clock) -> Self {
        self.clock = clock.clone();
        self
    }

    /// Sets the issuer under which events are counted.
    #[cfg(feature = "metrics")]
    pub(crate) fn named(mut self, issuer: &str) -> Self {
        issuer.clone_into(&mut self.issuer);
        self
    }

    /// Starts the tasks of the queues; they end with the last clone of the emitter, once their
    /// queues are empty. `build()` does so.
    ///
    /// # Panics
    /// Outside of a tokio runtime, where there is a queue.
    #[must_use]
    pub fn start(self) -> Emitter {
        let start = |step: Step| match step.handler {
            Handler::Inline(handler) => Started::Inline(handler),
            Handler::Queued {
                capacity,
                accepts,
                handler,
            } => {
                let (queue, receiver) = mpsc::channel(capacity);
                let waiting = Arc::default();
                let task = tokio::spawn(serve(receiver, handler, Arc::clone(&waiting)));
                Started::Queued(Queue {
                    queue,
                    accepts,
                    waiting,
                    task: Mutex::new(Some(task)),
                })
            }
        };
        Emitter(Arc::new(EmitterState {
            steps: self.steps.into_iter().map(start).collect(),
            dropped: AtomicU64::new(0),
            #[cfg(feature = "metrics")]
            meter: super::Meter::new(&self.issuer, self.realm.as_ref()),
            realm: self.realm,
            clock: self.clock,
        }))
    }
}

fn queue<F, T>(capacity: usize, accepts: Filter, handler: F) -> Handler
where
    F: Fn(Event) -> T + Send + Sync + 'static,
    T: Future<Output = ()> + Send + 'static,
{
    Handler::Queued {
        capacity: capacity.max(1),
        accepts,
        handler: Arc::new(move |event| Box::pin(handler(event))),
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.steps.iter().map(|step| &step.name).collect();
        f.debug_tuple("Events").field(&names).finish()
    }
}

/// Passes events to the log and to handlers. Clones share the handlers.
#[derive(Clone)]
pub struct Emitter(Arc<EmitterState>);

/// The state that the clones of an emitter share.
struct EmitterState {
    steps: Vec<Started>,
    dropped: AtomicU64,
    realm: Option<RealmName>,
    clock: Clock,
    #[cfg(feature = "metrics")]
    meter: super::Meter,
}

/// A handler that is at work.
enum Started {
    Inline(Inline),
    Queued(Queue),
}

/// The queue of a handler.
struct Queue {
    queue: mpsc::Sender<QueueItem>,
    accepts: Filter,
    /// The number of events that are in the queue or with the handler.
    waiting: Arc<AtomicU64>,
    /// The task that hands the events over, until it is stopped.
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Queue {
    /// Adds an event; where that cannot be done, returns what the queue is.
    fn put(&self, event: &Event) -> Result<(), &'static str> {
        // Before the event is there, since its handler counts it off.
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let put = self.queue.try_send(QueueItem::Event(event.clone()));
        put.map_err(|refused| {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            match refused {
                TrySendError::Full(_) => "is full",
                TrySendError::Closed(_) => "was stopped",
            }
        })
    }

    /// Waits until what was put in before was handled.
    async fn flush(&self) {
        let (done, handled) = oneshot::channel();
        if self.queue.send(QueueItem::Flush(done)).await.is_ok() {
            _ = handled.await;
        }
    }

    /// Stops the task, and returns how many events it did not handle.
    async fn stop(&self) -> u64 {
        let task = self.task.lock();
        let task = task.unwrap_or_else(PoisonError::into_inner).take();
        let Some(task) = task else { return 0 };
        task.abort();
        _ = task.await;
        self.waiting.load(Ordering::Relaxed)
    }
}

/// An item of a queue.
enum QueueItem {
    Event(Event),
    /// A mark: once it is reached, everything before it has been handled.
    Flush(oneshot::Sender<()>),
}

impl Emitter {
    /// Dates the event, logs it (its target begins with `tollgate::event`) and passes it to every
    /// handler. Call it after the commit.
    pub fn emit(&self, event: &Event) {
        let is_dated = event.at.is_some() || self.0.steps.is_empty();
        let completed = (!is_dated || self.0.realm.is_some()).then(|| Event {
            at: event.at.or_else(|| Some(self.0.clock.now())),
            realm: self.0.realm.clone().or_else(|| event.realm.clone()),
            ..event.clone()
        });
        let event = completed.as_ref().unwrap_or(event);
        if event.kind.outcome() == Outcome::Alarm {
            tracing::warn!(name = event.kind.name(), "{event}");
        } else {
            tracing::info!(name = event.kind.name(), "{event}");
        }
        #[cfg(feature = "metrics")]
        self.0.meter.event(event);
        for step in &self.0.steps {
            match step {
                Started::Inline(handler) => {
                    match catch_unwind(AssertUnwindSafe(|| handler(event))) {
                        Ok(Next::Continue) => {}
                        Ok(Next::Stop) => return,
                        Err(_) => {
                            tracing::error!(name = event.kind.name(), "an event handler panicked");
                        }
                    }
                }
                Started::Queued(queue) => {
                    if (queue.accepts)(event)
                        && let Err(why) = queue.put(event)
                        && self.0.dropped.fetch_add(1, Ordering::Relaxed) == 0
                    {
                        tracing::warn!(
                            "the queue of an event handler {why}: events are being dropped"
                        );
                    }
                }
            }
        }
    }

    /// Returns the meter that counts for this gate.
    #[cfg(feature = "metrics")]
    pub(crate) fn meter(&self) -> &super::Meter {
        &self.0.meter
    }

    /// Returns how many events were dropped, counted for each queue: because it was full, or
    /// because the gate was shut down and the handler did not get to them in time.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.0.dropped.load(Ordering::Relaxed)
    }

    /// Waits until every queue has handled what was emitted before.
    pub async fn flush(&self) {
        for queue in self.queues() {
            queue.flush().await;
        }
    }

    /// Waits until the queues are empty, for `bound` at most. A queue that is not empty by then is
    /// stopped; its events are counted as dropped, and the log says how many they are.
    pub(crate) async fn drain(&self, bound: Duration) {
        if timeout(bound, self.flush()).await.is_ok() {
            return;
        }
        for queue in self.queues() {
            if queue.waiting.load(Ordering::Relaxed) == 0 {
                continue;
            }
            let lost = queue.stop().await;
            if lost == 0 {
                continue;
            }
            self.0.dropped.fetch_add(lost, Ordering::Relaxed);
            tracing::warn!(
                events = lost,
                "the gate was shut down, and an event handler did not keep up: its events are lost"
            );
        }
    }

    fn queues(&self) -> impl Iterator<Item = &Queue> {
        self.0.steps.iter().filter_map(|step| match step {
            Started::Queued(queue) => Some(queue),
            Started::Inline(_) => None,
        })
    }
}

impl fmt::Debug for Emitter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Emitter({} handlers)", self.0.steps.len())
    }
}

/// Hands the events of one queue to its handler, one after the other.
async fn serve(mut queue: mpsc::Receiver<QueueItem>, handler: Queued, waiting: Arc<AtomicU64>) {
    while let Some(item) = queue.recv().await {
        match item {
            QueueItem::Event(event) => {
                let (name, handler) = (event.kind.name(), Arc::clone(&handler));
                // It has a task to itself, so a panic ends that task alone. The task ends with this
                // one, where that is stopped.
                let mut running = JoinSet::new();
                running.spawn(async move { handler(event).await });
                if let Some(Err(_)) = running.join_next().await {
                    tracing::error!(name, "an event handler panicked");
                }
                waiting.fetch_sub(1, Ordering::Relaxed);
            }
            QueueItem::Flush(done) => _ = done.send(()),
        }
    }
}
