//! A handler with seventeen arguments.
//! rustc says it twice, for neither step of the check can tell the arguments.
use axum::http::{HeaderMap as H, Method as M};
use tollgate::{ProtectedRouter, extract::Public, routing::get};

async fn all(
    _: Public, _: H, _: H, _: H, _: H, _: H, _: H, _: H, _: H, _: H, _: H, _: H, _: H, _: H, _: H, _: H, _: M,
) {}

fn main() {
    let _: ProtectedRouter = ProtectedRouter::new().route("/all", get(all));
}
