//! A gate as middleware.
use tollgate::{gate::AuthBackend, prelude::*};
fn routes<B: AuthBackend>(app: axum::Router, gate: &Gate<B>) -> axum::Router {
    app.layer(gate.middleware())
}

fn main() {}
