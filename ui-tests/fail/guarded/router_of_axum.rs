//! A router of axum inside a guarded one.
use axum::{Router, routing::get};
use tollgate::guarded::Guarded;

async fn report() -> &'static str { "everything" }

fn main() {
    let _: Guarded = Guarded::new().merge(Router::new().route("/report", get(report)));
}
