//! A line between a node and its store, which a test can cut: silently, as a network does, or with
//! a bang, as a process does.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::AbortHandle;

/// The state of a line: which bytes arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// They arrive.
    Open,
    /// Nothing arrives and nobody is told; they are delivered when the line is open again.
    Silent,
    /// Requests arrive and no answer comes back: the client cannot know whether the work was done.
    Deaf,
    /// Connections break, and new ones do too.
    Broken,
}

/// A line to a server, on a port of its own.
#[derive(Debug)]
pub struct Line {
    /// The address of its near end.
    pub address: SocketAddr,
    state: watch::Sender<State>,
    task: AbortHandle,
}

impl Line {
    /// Opens a line to a port of this machine.
    pub async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (state, watched) = watch::channel(State::Open);
        let task = tokio::spawn(async move {
            loop {
                let (near, _) = listener.accept().await.unwrap();
                tokio::spawn(carry(near, port, watched.clone()));
            }
        });
        Self {
            address,
            state,
            task: task.abort_handle(),
        }
    }

    /// Cuts or mends the line, for open connections too.
    pub fn set(&self, state: State) {
        self.state.send_replace(state);
    }

    /// Returns the URL of the server at the far end with this line in between. The URL must name the
    /// server's port once.
    #[must_use]
    pub fn through(&self, url: &str, port: u16) -> String {
        url.replace(&format!(":{port}"), &format!(":{}", self.address.port()))
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn carry(near: TcpStream, port: u16, mut state: watch::Receiver<State>) {
    let mut broken = state.clone();
    let carried = async {
        state
            .wait_for(|state| matches!(state, State::Open | State::Deaf))
            .await
            .ok()?;
        let far = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
        let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
        tokio::join!(
            pump(near_in, far_out, state.clone(), &[State::Open, State::Deaf]),
            pump(far_in, near_out, state.clone(), &[State::Open])
        );
        Some(())
    };
    tokio::select! {
        _ = carried => {}
        _ = broken.wait_for(|state| *state == State::Broken) => {}
    }
}

async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut state: watch::Receiver<State>,
    carrying: &[State],
) {
    let mut piece = vec![0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut piece).await {
        let may_pass = state
            .wait_for(|state| carrying.contains(state))
            .await
            .is_ok();
        if !may_pass || to.write_all(&piece[..read]).await.is_err() {
            break;
        }
    }
    let _ = to.shutdown().await;
}
