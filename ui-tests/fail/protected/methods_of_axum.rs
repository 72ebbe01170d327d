//! `get` of axum, whose handlers need not say anything.
use axum::routing::get;
use tollgate::ProtectedRouter;

async fn report() -> &'static str { "everything" }

fn main() {
    let _: ProtectedRouter = ProtectedRouter::new().route("/report", get(report));
}
