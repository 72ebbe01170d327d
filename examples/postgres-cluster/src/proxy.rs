//! A round robin: each connection goes to the next node that takes it.

use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

/// Passes connections on, until it is dropped. It knows nothing of what goes through it.
pub(crate) async fn serve(listener: TcpListener, mut nodes: Vec<SocketAddr>) {
    loop {
        let Ok((mut client, _)) = listener.accept().await else {
            continue;
        };
        let order = nodes.clone();
        nodes.rotate_left(1);
        tokio::spawn(async move {
            for address in order {
                if let Ok(mut node) = TcpStream::connect(address).await {
                    // Either side may hang up whenever it likes.
                    let _ = copy_bidirectional(&mut client, &mut node).await;
                    return;
                }
            }
        });
    }
}
