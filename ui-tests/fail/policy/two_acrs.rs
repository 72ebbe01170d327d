//! Two ways to sign in at once.
#[derive(tollgate::Policy)]
#[policy(acr = "gold", acr = "silver")]
struct Strong;

fn main() {}
