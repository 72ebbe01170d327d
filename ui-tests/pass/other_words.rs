//! Words that are as good as the documented ones.
use tollgate::prelude::*;

#[derive(Clone, Copy, ClaimValue)]
#[claim(rename_all = "kebab-case")]
enum Role {
    #[claim(rename = "root")]
    Admin,
}

#[derive(JwtClaims)]
#[claim(rename_all = "camelCase")]
struct User {
    #[claims(subject)]
    id: u64,
    #[claims(role)]
    roles: Vec<Role>,
}

#[derive(Policy)]
#[policy(user = User, roles = Role::Admin, max_age = "5min")]
struct Admins;

#[derive(Policy)]
#[policy(max_age = "1w")]
struct ThisWeek;

fn main() {
    let _ = (Admins, ThisWeek);
}
