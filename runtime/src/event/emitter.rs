//! Handlers of events: inline, or behind a queue that never delays a request.

use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{mpsc, oneshot};

use super::{Event, Outcome};
use crate::realm::RealmName;

type Inline = Box<dyn Fn(&Event) + Send + Sync>;
type Queued = Arc<dyn Fn(Event) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// The handlers of events, beside the log.
///
/// A handler that panics is logged; the request that led to the event goes on.
///
/// # Examples
/// ```
/// use tollgate::event::{EventKind, Events};
///
/// let events = Events::new()
///     .inline(|event| if matches!(event.kind, EventKind::RefreshReuse { .. }) { /* count it */ })
///     .queued(1024, |event| async move {
///         /* write it to a table */
///         drop(event)
///     });
/// ```
#[derive(Default)]
pub struct Events {
    inline: Vec<Inline>,
    queued: Vec<(usize, Queued)>,
    realm: Option<RealmName>,
    #[cfg(feature = "metrics")]
    issuer: String,
}

impl Events {
    /// Begins without handlers: events go to the log alone.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a handler that runs before the request is answered, and so must be quick: it counts, or
    /// passes the event on.
    #[must_use]
    pub fn inline(mut self, handler: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.inline.push(Box::new(handler));
        self
    }

    /// Adds a handler with a task of its own, behind a queue of at most `capacity` events (at least
    /// one). Where the queue is full the event is dropped for this handler, and counted: see
    /// [`Emitter::dropped`].
    #[must_use]
    pub fn queued<F, T>(mut self, capacity: usize, handler: F) -> Self
    where
        F: Fn(Event) -> T + Send + Sync + 'static,
        T: Future<Output = ()> + Send + 'static,
    {
        self.queued.push((
            capacity.max(1),
            Arc::new(move |event| Box::pin(handler(event))),
        ));
        self
    }

    /// Returns whether there is no handler.
    pub(crate) fn is_empty(&self) -> bool {
        self.inline.is_empty() && self.queued.is_empty()
    }

    /// Sets the realm that events are of.
    pub(crate) fn in_realm(mut self, realm: Option<&RealmName>) -> Self {
        self.realm = realm.cloned();
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
    /// There is a queue, but no tokio runtime.
    #[must_use]
    pub fn start(self) -> Emitter {
        let queues = self.queued.into_iter().map(|(capacity, handler)| {
            let (sender, receiver) = mpsc::channel(capacity);
            tokio::spawn(serve(receiver, handler));
            sender
        });
        Emitter(Arc::new(EmitterState {
            queues: queues.collect(),
            inline: self.inline,
            dropped: AtomicU64::new(0),
            #[cfg(feature = "metrics")]
            meter: super::Meter::new(&self.issuer, self.realm.as_ref()),
            realm: self.realm,
        }))
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Events({} inline, {} queued)",
            self.inline.len(),
            self.queued.len()
        )
    }
}

/// Passes events to the log and to handlers. Clones share the handlers.
#[derive(Clone)]
pub struct Emitter(Arc<EmitterState>);

/// The state that the clones of an emitter share.
struct EmitterState {
    inline: Vec<Inline>,
    queues: Vec<mpsc::Sender<QueueItem>>,
    dropped: AtomicU64,
    realm: Option<RealmName>,
    #[cfg(feature = "metrics")]
    meter: super::Meter,
}

/// An item of a queue.
enum QueueItem {
    Event(Event),
    /// A mark: once it is reached, everything before it has been handled.
    Flush(oneshot::Sender<()>),
}

impl Emitter {
    /// Logs the event (its target begins with `tollgate::event`) and passes it to every handler.
    /// Call it after the commit.
    pub fn emit(&self, event: &Event) {
        let in_realm = self.0.realm.clone().map(|realm| Event {
            realm: Some(realm),
            ..event.clone()
        });
        let event = in_realm.as_ref().unwrap_or(event);
        if event.kind.outcome() == Outcome::Alarm {
            tracing::warn!(name = event.kind.name(), "{event}");
        } else {
            tracing::info!(name = event.kind.name(), "{event}");
        }
        #[cfg(feature = "metrics")]
        self.0.meter.event(event);
        for handler in &self.0.inline {
            if catch_unwind(AssertUnwindSafe(|| handler(event))).is_err() {
                tracing::error!(name = event.kind.name(), "an event handler panicked");
            }
        }
        for queue in &self.0.queues {
            if queue.try_send(QueueItem::Event(event.clone())).is_err()
                && self.0.dropped.fetch_add(1, Ordering::Relaxed) == 0
            {
                tracing::warn!("the queue of an event handler is full: events are being dropped");
            }
        }
    }

    /// Returns the meter that counts for this gate.
    #[cfg(feature = "metrics")]
    pub(crate) fn meter(&self) -> &super::Meter {
        &self.0.meter
    }

    /// Returns how many events were dropped because a queue was full, counted for each queue.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.0.dropped.load(Ordering::Relaxed)
    }

    /// Waits until every queue has handled what was emitted before.
    pub async fn flush(&self) {
        for queue in &self.0.queues {
            let (done, handled) = oneshot::channel();
            if queue.send(QueueItem::Flush(done)).await.is_ok() {
                _ = handled.await;
            }
        }
    }
}

impl fmt::Debug for Emitter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Emitter({} inline, {} queued)",
            self.0.inline.len(),
            self.0.queues.len()
        )
    }
}

/// Hands the events of one queue to its handler, one after the other.
async fn serve(mut queue: mpsc::Receiver<QueueItem>, handler: Queued) {
    while let Some(item) = queue.recv().await {
        match item {
            QueueItem::Event(event) => {
                let (name, handler) = (event.kind.name(), Arc::clone(&handler));
                // It has a task to itself: a panic ends that task alone.
                if tokio::spawn(async move { handler(event).await })
                    .await
                    .is_err()
                {
                    tracing::error!(name, "an event handler panicked");
                }
            }
            QueueItem::Flush(done) => _ = done.send(()),
        }
    }
}
