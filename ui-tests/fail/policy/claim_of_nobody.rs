//! A claim of which nothing says whose it is.
#[derive(tollgate::Policy)]
#[policy(claim(plan = "pro"))]
struct Customers;

fn main() {}
