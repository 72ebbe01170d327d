//! Every mistake is reported in one run.
#[derive(tollgate::Policy)]
#[policy(rol = Role::Admin, scope = "write", max_age = "5 minutes", any())]
#[policy(max_age = "0s", all(role = Admin))]
enum Admins {
    One,
}

fn main() {}
