//! A closure that forgot to say who may call it.
use tollgate::{guarded::Guarded, routing::get};

fn main() {
    let _: Guarded = Guarded::new().route("/notes", get(async |_: axum::http::HeaderMap| "all of them"));
}
