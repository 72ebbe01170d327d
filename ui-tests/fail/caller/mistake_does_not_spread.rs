//! A mistake in a caller is reported once, however often it is used.
use tollgate::{ProtectedRouter, prelude::*, routing::get};
#[derive(Caller)]
struct Anybody(Public, u8);
async fn one(_: Anybody) {}
async fn two(_: Anybody) {}
fn main() {
    let _: ProtectedRouter = ProtectedRouter::new().route("/", get(one)).route("/two", get(two));
}
