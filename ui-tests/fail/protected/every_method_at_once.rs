//! `any`, which is easily forgotten.
use tollgate::{ProtectedRouter, routing::any};

async fn proxy(_: axum::extract::Request) {}

fn main() {
    let _: ProtectedRouter = ProtectedRouter::new().route("/{*path}", any(proxy));
}
