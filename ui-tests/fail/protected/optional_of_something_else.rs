//! `Lenient` around something that is no caller.
use tollgate::extract::Lenient;

fn greet(_: Lenient<u64>) {}

fn main() {
    let _ = greet;
}
