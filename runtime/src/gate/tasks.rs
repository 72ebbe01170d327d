//! The tasks that run beside the requests: following the log, writing confirmations, reading the
//! ring again.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{sleep, timeout};

use crate::error::Causes;
use crate::session::{Engine, Unwritten};
use crate::store::StoreError;

/// The tasks of a gate, which end when this is dropped.
pub(super) struct Tasks {
    engine: Arc<Engine>,
    unwritten: Arc<Mutex<Unwritten>>,
    handles: std::sync::Mutex<Vec<AbortHandle>>,
}

impl Tasks {
    /// Starts the tasks of an engine.
    pub(super) fn start(engine: &Arc<Engine>, unwritten: Unwritten) -> Self {
        let unwritten = Arc::new(Mutex::new(unwritten));
        let mut handles = vec![
            follow(engine),
            every("purge", PURGE, engine, |engine| async move {
                let purged = tokio::task::spawn_blocking(move || engine.purge_view());
                if let Err(error) = purged.await
                    && error.is_panic()
                {
                    std::panic::resume_unwind(error.into_panic());
                }
            }),
            every("compare_clocks", COMPARE, engine, |engine| async move {
                if let Err(error) = engine.alarms.compare_clocks().await {
                    tracing::warn!(
                        error = %Causes(Some(&error)),
                        "the store's clock cannot be read"
                    );
                }
            }),
            reload_keys(engine),
            {
                let unwritten = Arc::clone(&unwritten);
                every("confirm", CONFIRM, engine, move |_| {
                    let unwritten = Arc::clone(&unwritten);
                    async move {
                        if let Err(error) = unwritten.lock().await.write().await {
                            tracing::warn!(
                                error = %Causes(Some(&error)),
                                "confirmations wait for the store"
                            );
                        }
                    }
                })
            },
        ];
        handles.extend(archiver(engine));
        #[cfg(feature = "axum")]
        handles.push(supervise(
            "end_connections",
            FOLLOW,
            engine,
            |engine| async move {
                loop {
                    engine.connections.look_once().await;
                }
            },
        ));
        Self {
            engine: Arc::clone(engine),
            unwritten,
            handles: std::sync::Mutex::new(handles),
        }
    }

    /// Stops the tasks, writes what is waiting, and lets the handlers of events finish.
    pub(super) async fn stop(&self) -> Result<(), StoreError> {
        self.abort();
        let write = async { self.unwritten.lock().await.write().await };
        let (written, ()) = tokio::join!(write, self.engine.events.drain(DRAIN));
        #[cfg(feature = "metrics")]
        self.engine.report_figures();
        written
    }

    fn abort(&self) {
        let mut handles = self.handles.lock().unwrap_or_else(PoisonError::into_inner);
        for handle in handles.drain(..) {
            handle.abort();
        }
    }
}

impl Drop for Tasks {
    fn drop(&mut self) {
        self.abort();
    }
}

/// Reads the ring again. A signing key that left it ends on this node as if the log named it: the
/// store may have failed to log that it was retired.
fn reload_keys(engine: &Arc<Engine>) -> AbortHandle {
    let kids = |engine: &Engine| -> BTreeSet<Arc<str>> {
        let keys = engine.ring.set();
        keys.verifying()
            .iter()
            .map(|key| Arc::clone(key.kid()))
            .collect()
    };
    let known = Arc::new(std::sync::Mutex::new(kids(engine)));
    every("reload_keys", RELOAD, engine, move |engine| {
        let known = Arc::clone(&known);
        async move {
            if let Err(error) = engine.ring.reload().await {
                tracing::error!(
                    error = %Causes(Some(&error)),
                    "the key ring cannot be read again; the keys read last stay in use"
                );
            }
            let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
            let now = kids(&engine);
            for kid in known.difference(&now) {
                engine.key_left(kid);
            }
            *known = now;
        }
    })
}

/// Follows the log: reads it when the store reports an entry, and in any case once a second. The
/// wait begins before the log is read, so an entry that is written in between is not missed.
fn follow(engine: &Arc<Engine>) -> AbortHandle {
    supervise("follow_log", FOLLOW, engine, |engine| async move {
        // If the store panics while a task waits for it, each new task still reads the log first.
        read_log(&engine).await;
        loop {
            let (waited, read) =
                tokio::join!(engine.follower.wait_for_news(FOLLOW), read_log(&engine));
            if read {
                engine.log_retired_keys().await;
            }
            if let Err(error) = engine.follower.follow_ring().await {
                tracing::error!(
                    error = %Causes(Some(&error)),
                    "a key was retired, and the key ring cannot be read again"
                );
            }
            sleep(if waited.is_ok() && read {
                TOGETHER
            } else {
                RETRY
            })
            .await;
        }
    })
}

/// Reads the log, and returns whether the store answered.
async fn read_log(engine: &Engine) -> bool {
    let read = engine.follower.catch_up().await;
    if let Err(error) = &read {
        tracing::warn!(error = %Causes(Some(error)), "the revocation log cannot be read");
    }
    engine.alarms.report_staleness();
    #[cfg(feature = "metrics")]
    engine.report_figures();
    read.is_ok()
}

/// Starts the archiver, where the settings ask for one. Its first run is soon after the start, so
/// that a program that restarts often archives too.
fn archiver(engine: &Arc<Engine>) -> Option<AbortHandle> {
    let interval = engine.settings.archive.interval;
    if interval.is_zero() {
        return None;
    }
    let task = supervise(ARCHIVE, interval, engine, move |engine| async move {
        let mut pause = interval.min(SOON);
        loop {
            sleep(pause).await;
            match engine.archive_by_age().await {
                Ok(gone) => {
                    let (sessions, tokens, others) = (gone.sessions, gone.tokens, gone.others);
                    tracing::debug!(sessions, tokens, others, "rows that ended were deleted");
                }
                Err(error) => {
                    tracing::warn!(error = %Causes(Some(&error)), "the archive waits for the store");
                }
            }
            engine.alarms.task_is_well(ARCHIVE);
            pause = interval;
        }
    });
    Some(task)
}

/// Runs `work` again and again, with a pause in between.
fn every<W, F>(name: &'static str, pause: Duration, engine: &Arc<Engine>, work: W) -> AbortHandle
where
    W: Fn(Arc<Engine>) -> F + Clone + Send + 'static,
    F: Future<Output = ()> + Send,
{
    supervise(name, pause, engine, move |engine| {
        let work = work.clone();
        async move {
            loop {
                sleep(pause).await;
                work(Arc::clone(&engine)).await;
                engine.alarms.task_is_well(name);
            }
        }
    })
}

/// Runs a task that has no end, and starts it again if it panics, as a store may make it: after a
/// pause that grows. `period` is the time between two rounds of the task. A task that has
/// completed a round since is well again, and so is one that has run for twice that time.
fn supervise<W, F>(
    name: &'static str,
    period: Duration,
    engine: &Arc<Engine>,
    work: W,
) -> AbortHandle
where
    W: Fn(Arc<Engine>) -> F + Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let engine = Arc::clone(engine);
    let well_after = period.saturating_mul(2);
    let task = tokio::spawn(async move {
        let mut pause = RETRY;
        loop {
            // The inner task ends with this one, when that is stopped.
            let mut running = JoinSet::new();
            running.spawn(work(Arc::clone(&engine)));
            if timeout(well_after, running.join_next()).await.is_err() {
                pause = RETRY;
                engine.alarms.task_is_well(name);
                let _ = running.join_next().await;
            }
            engine.alarms.report_panic(name);
            sleep(pause).await;
            pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
        }
    });
    task.abort_handle()
}

const ARCHIVE: &str = "archive";
/// The longest time between two reads of the log.
const FOLLOW: Duration = Duration::from_secs(1);
/// The pause after a read of the log: entries that arrive within it are read together.
const TOGETHER: Duration = Duration::from_millis(10);
const RETRY: Duration = Duration::from_millis(250);
/// The longest pause before a task that panics each time is started again: no longer than the time
/// between two reads of the log.
const LONGEST_PAUSE: Duration = FOLLOW;
/// The time that the handlers of events have at the end for what is in their queues.
const DRAIN: Duration = Duration::from_secs(10);
const CONFIRM: Duration = Duration::from_millis(250);
const COMPARE: Duration = Duration::from_secs(60);
const SOON: Duration = Duration::from_secs(60);
const PURGE: Duration = Duration::from_secs(30);
/// The time between two reads of the ring.
pub(crate) const RELOAD: Duration = Duration::from_secs(10);
