//! An extraction that does not exist.
use tollgate::prelude::*;
#[derive(Caller)]
#[caller(extract = mine)]
struct Anyone(Public);

fn main() {}
