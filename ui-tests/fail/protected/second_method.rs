//! The second handler of a route forgot what the first one says.
use tollgate::{extract::Public, ProtectedRouter, routing::get};

async fn read(_: Public) {}
async fn write(_: axum::body::Bytes) {}

fn main() {
    let _: ProtectedRouter = ProtectedRouter::new().route("/notes", get(read).post(write));
}
