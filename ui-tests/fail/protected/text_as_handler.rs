//! An answer in the place of a handler.
use tollgate::{ProtectedRouter, routing::get};

fn main() {
    let _: ProtectedRouter = ProtectedRouter::new().route("/version", get("1.0"));
}
