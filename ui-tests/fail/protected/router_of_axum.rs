//! A router of axum inside a protected one.
use axum::{Router, routing::get};
use tollgate::ProtectedRouter;

async fn report() -> &'static str { "everything" }

fn main() {
    let _: ProtectedRouter = ProtectedRouter::new().merge(Router::new().route("/report", get(report)));
}
