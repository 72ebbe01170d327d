//! A function instead of a struct.
#[tollgate::auth_backend(email, user = User)]
fn accounts() {}

fn main() {}
