//! A service has no arguments, so it cannot say who may call it.
use axum::routing::any_service;
use tollgate::ProtectedRouter;

fn main() {
    let files = axum::Router::<()>::new();
    let _: ProtectedRouter = ProtectedRouter::new().route("/files", any_service(files));
}
