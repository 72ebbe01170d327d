//! Wake-ups: a connection of its own that listens, and a notification after a revocation. They are
//! a hint; only the log is complete.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgListener, PgPoolOptions};
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

use crate::realm::RealmName;

/// The listening connection, which is opened when a caller waits for the first time.
pub(super) struct Wake {
    options: PgConnectOptions,
    channel: String,
    notified: Arc<Notify>,
    listening: Mutex<Option<AbortHandle>>,
    /// The connection on which notifications are sent: those of the pool are for operations, and
    /// their age matters to cursors.
    sender: tokio::sync::Mutex<Option<PgConnection>>,
    /// `true` while a notification is waiting to be sent: one is enough for all that revoke
    /// meanwhile.
    is_notifying: AtomicBool,
}

impl Wake {
    pub(super) fn new(options: PgConnectOptions, realm: Option<&RealmName>) -> Self {
        let channel =
            realm.map_or_else(|| CHANNEL.to_owned(), |realm| format!("{CHANNEL}@{realm}"));
        Self {
            options,
            channel,
            notified: Arc::default(),
            listening: Mutex::default(),
            sender: tokio::sync::Mutex::default(),
            is_notifying: AtomicBool::new(false),
        }
    }

    /// Returns the wake-ups of another realm.
    pub(super) fn of(&self, realm: &RealmName) -> Self {
        Self::new(self.options.clone(), Some(realm))
    }

    /// Waits for a notification, for at most `patience`.
    pub(super) async fn wait(&self, patience: Duration) {
        let notified = self.notified.notified();
        self.listen();
        let _ = timeout(patience, notified).await;
    }

    /// Notifies every node that the log has a new entry, after the commit and without delaying the
    /// caller: notifications are written under a lock that all databases of the server share, and
    /// no revocation should wait for it. If it fails, the nodes read the log a little later.
    pub(super) fn notify(self: &Arc<Self>, patience: Duration) {
        if self.is_notifying.swap(true, Ordering::AcqRel) {
            return;
        }
        let wake = Arc::clone(self);
        tokio::spawn(async move {
            let mut sender = wake.sender.lock().await;
            wake.is_notifying.store(false, Ordering::Release);
            match timeout(patience, wake.send(sender.take())).await {
                Ok(Ok(connection)) => *sender = Some(connection),
                Ok(Err(error)) => {
                    tracing::debug!(%error, "the other nodes will read the log by themselves");
                }
                Err(_) => tracing::debug!("the server took too long for a notification"),
            }
        });
    }

    async fn send(&self, connection: Option<PgConnection>) -> Result<PgConnection, sqlx::Error> {
        let mut connection = match connection {
            Some(connection) => connection,
            None => self.options.connect().await?,
        };
        sqlx::query("SELECT pg_notify($1, '')")
            .bind(self.channel.as_str())
            .execute(&mut connection)
            .await?;
        Ok(connection)
    }

    /// Starts the task that listens, if it was not started, or if it ended with its runtime.
    fn listen(&self) {
        let mut listening = self
            .listening
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if listening.as_ref().is_none_or(AbortHandle::is_finished) {
            let task = tokio::spawn(listen(
                self.options.clone(),
                self.channel.clone(),
                Arc::clone(&self.notified),
            ));
            *listening = Some(task.abort_handle());
        }
    }
}

impl Drop for Wake {
    fn drop(&mut self) {
        if let Some(task) = self
            .listening
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
        {
            task.abort();
        }
    }
}

/// Listens for ever. It also wakes the callers when a connection begins or ends, because
/// notifications in between were missed.
async fn listen(options: PgConnectOptions, channel: String, notified: Arc<Notify>) {
    loop {
        if let Err(error) = receive(&options, &channel, &notified).await {
            tracing::debug!(%error, "no notifications are received");
        }
        notified.notify_waiters();
        sleep(RECONNECT_PAUSE).await;
    }
}

async fn receive(
    options: &PgConnectOptions,
    channel: &str,
    notified: &Notify,
) -> Result<(), sqlx::Error> {
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .connect_lazy_with(options.clone());
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.listen(channel).await?;
    notified.notify_waiters();
    while listener.try_recv().await?.is_some() {
        notified.notify_waiters();
    }
    Ok(())
}

/// The channel of the notifications. Deployments in several schemas of one database wake each other
/// without need, which does no harm.
const CHANNEL: &str = "tollgate";
const RECONNECT_PAUSE: Duration = Duration::from_secs(1);
