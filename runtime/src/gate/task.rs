//! What runs beside the requests: following the log, writing confirmations, reading the ring again.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex, mpsc};
use tokio::task::AbortHandle;

use crate::error::Causes;
use crate::id::SessionId;
use crate::session::Engine;
use crate::store::StoreError;

/// An engine and its tasks, which end when this is dropped.
pub(crate) struct Running {
    pub(crate) engine: Arc<Engine>,
    /// The scheme that challenges name: the first that is accepted.
    #[cfg(feature = "axum")]
    pub(crate) scheme: Arc<str>,
    confirming: Arc<Mutex<Confirming>>,
    tasks: std::sync::Mutex<Vec<AbortHandle>>,
}

/// The receiving end of the confirmations, and what the store has not taken yet.
struct Confirming {
    queue: mpsc::Receiver<(SessionId, u32)>,
    pending: BTreeMap<SessionId, u32>,
}

impl Running {
    /// Starts the tasks of an engine.
    pub(super) fn start(engine: Engine, queue: mpsc::Receiver<(SessionId, u32)>) -> Self {
        #[cfg(feature = "axum")]
        let scheme = engine
            .settings
            .access
            .schemes
            .first()
            .map_or("Bearer", String::as_str)
            .into();
        let engine = Arc::new(engine);
        let confirming = Arc::new(Mutex::new(Confirming {
            queue,
            pending: BTreeMap::new(),
        }));
        let mut tasks = vec![
            follow(&engine),
            every(PURGE, &engine, |engine| async move { engine.purge_view() }),
            every(COMPARE, &engine, |engine| async move {
                if let Err(error) = engine.compare_clocks().await {
                    tracing::warn!(error = %Causes(Some(&error)), "the store's clock cannot be read");
                }
            }),
            every(RELOAD, &engine, |engine| async move {
                if let Err(error) = engine.ring.reload().await {
                    tracing::error!(error = %Causes(Some(&error)), "the key ring cannot be read again; the keys read last stay in use");
                }
            }),
            {
                let confirming = Arc::clone(&confirming);
                every(CONFIRM, &engine, move |engine| {
                    let confirming = Arc::clone(&confirming);
                    async move {
                        if let Err(error) = write(&engine, &confirming).await {
                            tracing::warn!(error = %Causes(Some(&error)), "confirmations wait for the store");
                        }
                    }
                })
            },
        ];
        tasks.extend(archiver(&engine));
        Self {
            engine,
            #[cfg(feature = "axum")]
            scheme,
            confirming,
            tasks: std::sync::Mutex::new(tasks),
        }
    }

    /// Stops the tasks and writes what is waiting.
    pub(super) async fn stop(&self) -> Result<(), StoreError> {
        self.abort();
        write(&self.engine, &self.confirming).await
    }

    fn abort(&self) {
        for task in self
            .tasks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .drain(..)
        {
            task.abort();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.abort();
    }
}

async fn write(engine: &Engine, confirming: &Mutex<Confirming>) -> Result<(), StoreError> {
    let mut confirming = confirming.lock().await;
    let Confirming { queue, pending } = &mut *confirming;
    engine.write_confirmations(queue, pending).await
}

/// Follows the log: reads it when it got something, and in any case once a second. The wait begins
/// before the log is read, so what is logged in between is not missed.
fn follow(engine: &Arc<Engine>) -> AbortHandle {
    let engine = Arc::clone(engine);
    let task = tokio::spawn(async move {
        loop {
            let (waited, read) = tokio::join!(engine.wait_for_news(FOLLOW), engine.catch_up());
            if let Err(error) = &read {
                tracing::warn!(error = %Causes(Some(error)), "the revocation log cannot be read");
            }
            engine.report_staleness();
            #[cfg(feature = "metrics")]
            engine.report_figures();
            if let Err(error) = engine.follow_ring().await {
                tracing::error!(error = %Causes(Some(&error)), "a key was retired, and the key ring cannot be read again");
            }
            tokio::time::sleep(if waited.is_ok() && read.is_ok() {
                TOGETHER
            } else {
                RETRY
            })
            .await;
        }
    });
    task.abort_handle()
}

/// The archiver, where the settings want one: the first time soon, so that a program that often
/// starts archives too.
fn archiver(engine: &Arc<Engine>) -> Option<AbortHandle> {
    let interval = engine.settings.archive.interval;
    if interval.is_zero() {
        return None;
    }
    let engine = Arc::clone(engine);
    let task = tokio::spawn(async move {
        let mut pause = interval.min(SOON);
        loop {
            tokio::time::sleep(pause).await;
            match engine.archive_by_age().await {
                Ok(gone) => {
                    let (sessions, tokens, others) = (gone.sessions, gone.tokens, gone.others);
                    tracing::debug!(sessions, tokens, others, "what had ended was archived");
                }
                Err(error) => {
                    tracing::warn!(error = %Causes(Some(&error)), "the archive waits for the store")
                }
            }
            pause = interval;
        }
    });
    Some(task.abort_handle())
}

/// Runs `work` again and again, with a pause between.
fn every<W, F>(pause: Duration, engine: &Arc<Engine>, mut work: W) -> AbortHandle
where
    W: FnMut(Arc<Engine>) -> F + Send + 'static,
    F: Future<Output = ()> + Send,
{
    let engine = Arc::clone(engine);
    let task = tokio::spawn(async move {
        loop {
            tokio::time::sleep(pause).await;
            work(Arc::clone(&engine)).await;
        }
    });
    task.abort_handle()
}

/// How long a node goes without a look at the log.
const FOLLOW: Duration = Duration::from_secs(1);
/// How long revocations are waited for that come together with one.
const TOGETHER: Duration = Duration::from_millis(10);
const RETRY: Duration = Duration::from_millis(250);
const CONFIRM: Duration = Duration::from_millis(250);
const COMPARE: Duration = Duration::from_secs(60);
const SOON: Duration = Duration::from_secs(60);
const PURGE: Duration = Duration::from_secs(30);
/// How often the ring is read again.
pub(super) const RELOAD: Duration = Duration::from_secs(10);
