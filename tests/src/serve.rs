//! A real server on a free port.

use std::net::SocketAddr;

use axum::Router;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

/// A server that stops when it is dropped.
#[derive(Debug)]
pub struct Server {
    /// The address that it listens on.
    pub address: SocketAddr,
    task: AbortHandle,
}

impl Server {
    /// Serves a router.
    pub async fn start(router: Router) -> Self {
        Self::start_at(router, SocketAddr::from(([127, 0, 0, 1], 0))).await
    }

    /// Serves a router at an address, such as that of a server that stopped.
    pub async fn start_at(router: Router, address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        let task = tokio::spawn(async move { axum::serve(listener, service).await }).abort_handle();
        Self { address, task }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}
