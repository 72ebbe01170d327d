//! A service has no arguments, so it cannot say who may call it.
use axum::routing::any_service;
use tollgate::guarded::Guarded;

fn main() {
    let files = axum::Router::<()>::new();
    let _: Guarded = Guarded::new().route("/files", any_service(files));
}
