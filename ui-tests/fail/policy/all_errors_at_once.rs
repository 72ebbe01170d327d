//! Every mistake is reported in one run.
#[derive(tollgate::Policy)]
#[policy(rol = Role::Admin, scope = "write", max_age = "5 minutes", any(), acr = "a b", claim(plan = 1.5, level = 1))]
#[policy(max_age = "0s", all(role = Admin, user = User), consistency = sometimes, claim(plan = "pro"), crate)]
#[policy(any(role = Role::Admin, not(role = Role::Admin)), not(acr = "x", acr = "y"))]
enum Admins {
    One,
}

fn main() {}
