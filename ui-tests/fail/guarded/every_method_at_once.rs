//! `any`, which is easily forgotten.
use tollgate::{guarded::Guarded, routing::any};

async fn proxy(_: axum::extract::Request) {}

fn main() {
    let _: Guarded = Guarded::new().route("/{*path}", any(proxy));
}
