//! An answer in the place of a handler.
use tollgate::{guarded::Guarded, routing::get};

fn main() {
    let _: Guarded = Guarded::new().route("/version", get("1.0"));
}
