//! A closure that forgot to say who may call it.
use tollgate::{ProtectedRouter, routing::get};

fn main() {
    let _: ProtectedRouter = ProtectedRouter::new().route("/notes", get(async |_: axum::http::HeaderMap| "all of them"));
}
