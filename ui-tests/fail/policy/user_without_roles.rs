//! A policy that asks for roles of a user without them.
#[derive(Clone, Copy, tollgate::ClaimValue)]
enum Role { Admin }
#[derive(tollgate::JwtClaims)]
struct User { #[claim(sub)] id: u64 }
#[derive(tollgate::Policy)]
#[policy(role = Role::Admin)]
struct Admins;

fn guard<P: tollgate::policy::PolicyFor<User>>() {}

fn main() {
    guard::<Admins>();
}
