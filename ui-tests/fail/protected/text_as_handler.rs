//! An answer in the place of a handler.
//! rustc says it twice, for neither step of the check finds a function.
use tollgate::{ProtectedRouter, routing::get};

fn main() {
    let _: ProtectedRouter = ProtectedRouter::new().route("/version", get("1.0"));
}
