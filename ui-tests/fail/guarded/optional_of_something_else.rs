//! `Optional` around something that is no caller.
use tollgate::extract::Optional;

fn greet(_: Optional<u64>) {}

fn main() {
    let _ = greet;
}
