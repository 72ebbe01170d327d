//! A router of axum below a path of a protected one.
use axum::{Router, routing::get};
use tollgate::ProtectedRouter;

async fn report() -> &'static str { "everything" }

fn main() {
    let _: ProtectedRouter = ProtectedRouter::new().nest("/api", Router::new().route("/report", get(report)));
}
