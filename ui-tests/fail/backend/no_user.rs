//! A backend that does not say whom it signs in.
#[tollgate::auth_backend(email)]
struct Accounts;

fn main() {}
