//! A router of axum below a path of a guarded one.
use axum::{Router, routing::get};
use tollgate::guarded::Guarded;

async fn report() -> &'static str { "everything" }

fn main() {
    let _: Guarded = Guarded::new().nest("/api", Router::new().route("/report", get(report)));
}
