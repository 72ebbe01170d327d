//! The expansion does not bring up again what the user allowed in an item.
#![deny(warnings)]

use tollgate::token::JwtClaims as _;

#[derive(Clone, Copy, tollgate::ClaimValue)]
enum Role {
    Admin,
    #[deprecated]
    Owner,
}

#[derive(tollgate::JwtClaims)]
#[allow(non_snake_case, non_camel_case_types)]
struct some_user {
    #[claim(sub)]
    userId: u64,
    #[deprecated]
    fullName: String,
    isA: bool,
    isB: bool,
    isC: bool,
    isD: bool,
    #[claim(roles)]
    roles: Vec<Role>,
}

#[derive(tollgate::Policy)]
#[policy(role = Role::Owner)]
struct Owners;

fn guard<P: tollgate::policy::PolicyFor<some_user>>() {}

fn main() {
    guard::<Owners>();
    #[allow(deprecated)]
    let user =
        some_user { userId: 1, fullName: String::new(), isA: true, isB: true, isC: true, isD: true, roles: vec![Role::Admin] };
    let claims = user.to_claims();
    assert_eq!((*claims.userId(), *claims.isA(), claims.roles().len()), (1, true, 1));
}
