//! An enum instead of a struct.
#[tollgate::auth_backend(email, user = User)]
enum Accounts {
    Local,
}

fn main() {}
