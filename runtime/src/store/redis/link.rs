//! The connections: made when they are needed, shared by all callers, given up when they break.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use redis::aio::MultiplexedConnection;
use redis::{Cmd, ErrorKind, RedisError, ServerErrorKind, Value};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::connect::Connector;
use super::script::Call;
use crate::store::shared::operation::Cause;

/// The connections to the server.
pub(super) struct Link {
    connector: Connector,
    lanes: Box<[Lane]>,
    turn: AtomicUsize,
    replicas: Option<Replicas>,
}

/// The number of replicas that must have a write before it is answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Replicas {
    pub(super) count: u32,
    pub(super) timeout: Duration,
}

/// The reason why a call was not answered.
#[derive(Debug)]
pub(super) enum LinkError {
    /// The server holds another deployment than the caller knows, or none. Nothing was done.
    Lost,
    /// Any other reason.
    Failed(Cause),
}

impl From<RedisError> for LinkError {
    fn from(error: RedisError) -> Self {
        let is_lost = error.code() == Some(LOST)
            || error.detail().is_some_and(|detail| detail.contains(LOST));
        if is_lost {
            Self::Lost
        } else {
            Self::Failed(error.into())
        }
    }
}

impl Link {
    pub(super) fn new(connector: Connector, lanes: usize, replicas: Option<Replicas>) -> Self {
        let lanes = (0..lanes.max(1)).map(|_| Lane::default()).collect();
        Self {
            connector,
            lanes,
            turn: AtomicUsize::new(0),
            replicas,
        }
    }

    /// Runs a script, whose keys begin with `prefix`. A script that was sent is never sent again,
    /// except to a server that answers that it does not have the script, and so has done nothing.
    pub(super) async fn run(
        &self,
        call: &Call,
        deployment: &str,
        prefix: &str,
    ) -> Result<Value, LinkError> {
        let lane = self.lane()?;
        let connection = lane.connection(&self.connector).await?;
        let mut reply = lane
            .send(&connection, &call.by_hash(deployment, prefix))
            .await;
        if reply
            .as_ref()
            .is_err_and(|error| error.kind() == ErrorKind::Server(ServerErrorKind::NoScript))
        {
            reply = lane
                .send(&connection, &call.by_code(deployment, prefix))
                .await;
        }
        let reply = reply?;
        if let Some(replicas) = self.replicas.filter(|_| call.operation.writes) {
            await_replicas(lane, &connection, replicas).await?;
        }
        Ok(reply)
    }

    /// Runs a command that is not a script.
    pub(super) async fn ask(&self, command: &Cmd) -> Result<Value, RedisError> {
        let lane = self.lane()?;
        let connection = lane.connection(&self.connector).await?;
        lane.send(&connection, command).await
    }

    /// Makes a connection for one user.
    pub(super) async fn connect(&self) -> Result<MultiplexedConnection, RedisError> {
        self.connector.connect().await
    }

    fn lane(&self) -> Result<&Lane, RedisError> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let lane = self.lanes.get(turn % self.lanes.len().max(1));
        lane.ok_or_else(|| (ErrorKind::InvalidClientConfig, "there is no connection").into())
    }
}

/// Waits until replicas have a write (`WAIT`). If they do not, the write is done all the same, and
/// the caller cannot know.
async fn await_replicas(
    lane: &Lane,
    connection: &Arc<MultiplexedConnection>,
    replicas: Replicas,
) -> Result<(), LinkError> {
    let mut command = redis::cmd("WAIT");
    command.arg(replicas.count).arg(
        u64::try_from(replicas.timeout.as_millis())
            .unwrap_or(u64::MAX)
            .max(1),
    );
    match lane.send(connection, &command).await? {
        Value::Int(reached) if reached >= i64::from(replicas.count) => Ok(()),
        reached => {
            let reached = if let Value::Int(reached) = reached {
                reached
            } else {
                0
            };
            let wanted = replicas.count;
            Err(LinkError::Failed(
                format!("{reached} of {wanted} replicas have it so far").into(),
            ))
        }
    }
}

/// A connection that many callers use at a time, and its successors.
#[derive(Default)]
struct Lane {
    current: ArcSwapOption<MultiplexedConnection>,
    /// Locked while a connection is made; holds the time and the reason of the last failure.
    connecting: Mutex<Option<(Instant, RedisError)>>,
}

impl Lane {
    /// Returns the connection, which is made if it is missing. Callers that wait while another
    /// one connects get the same result.
    ///
    /// `redis::aio::ConnectionManager` cannot be used here: once a server has refused a handshake,
    /// for instance because it has too many clients, the manager refuses for ever.
    async fn connection(
        &self,
        connector: &Connector,
    ) -> Result<Arc<MultiplexedConnection>, RedisError> {
        if let Some(connection) = self.current.load_full() {
            return Ok(connection);
        }
        let asked = Instant::now();
        let mut failed = self.connecting.lock().await;
        if let Some(connection) = self.current.load_full() {
            return Ok(connection);
        }
        if let Some((at, error)) = failed
            .as_ref()
            .filter(|(at, _)| *at >= asked || at.elapsed() < RETRY_PAUSE)
        {
            let _ = at;
            return Err(error.clone());
        }
        match connector.connect().await {
            Ok(connection) => {
                let connection = Arc::new(connection);
                self.current.store(Some(Arc::clone(&connection)));
                *failed = None;
                Ok(connection)
            }
            Err(error) => {
                *failed = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }

    async fn send(
        &self,
        connection: &Arc<MultiplexedConnection>,
        command: &Cmd,
    ) -> Result<Value, RedisError> {
        let reply = command
            .query_async::<Value>(&mut MultiplexedConnection::clone(connection))
            .await;
        if reply.as_ref().is_err_and(is_broken) {
            self.give_up(connection);
        }
        reply
    }

    /// Gives up a connection that broke. The next caller makes another one.
    fn give_up(&self, broken: &Arc<MultiplexedConnection>) {
        let current = self.current.load();
        if current
            .as_ref()
            .is_some_and(|current| Arc::ptr_eq(current, broken))
        {
            self.current.compare_and_swap(&current, None);
        }
    }
}

/// Returns whether another connection may help: this one broke, no answer came over it in time, or
/// it leads to a server that has become a replica.
fn is_broken(error: &RedisError) -> bool {
    // Until Redis 7, the error of a script has this one inside of its text.
    let is_replica = error.kind() == ErrorKind::Server(ServerErrorKind::ReadOnly)
        || error
            .detail()
            .is_some_and(|detail| detail.contains("-READONLY"));
    is_replica || error.is_io_error() || error.is_unrecoverable_error()
}

/// The time after a failed attempt to connect in which every caller gets its error, so that a
/// server that is starting is not overloaded.
const RETRY_PAUSE: Duration = Duration::from_millis(50);
const LOST: &str = "TGLOST";

#[cfg(test)]
mod tests {
    use super::*;

    /// Until Redis 7, a script that may not write has its own text around the error.
    #[test]
    fn a_server_that_became_a_replica_is_given_up_in_each_version() {
        let script = "Error running script (call to f_1): @user_script:1: @user_script: 1: \
                      -READONLY You can't write against a read only replica.";
        for (detail, is_given_up) in [(script, true), ("ERR wrong number of arguments", false)] {
            let kind = ErrorKind::Server(ServerErrorKind::ResponseError);
            let error = RedisError::from((kind, "An error was signalled", detail.to_owned()));
            assert_eq!(is_broken(&error), is_given_up, "{detail}");
        }
    }
}
