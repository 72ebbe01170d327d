//! A mistake in a role is reported once, however often the roles are used.
use tollgate::{ClaimValue, JwtClaims, Policy, policy::PolicyFor};
#[derive(Clone, Copy, ClaimValue)]
#[claim_value(text, rename_al = "lowercase")]
enum Role { Admin }
#[derive(JwtClaims)]
struct User { #[claim(sub)] id: u64, #[claim(roles)] roles: Vec<Role> }
#[derive(Policy)]
#[policy(role = Role::Admin)]
struct Admins;
const RULE: tollgate::policy::Rule = <Admins as PolicyFor<User>>::RULE;

fn main() {
    println!("{} {RULE:?}", Role::Admin.as_str());
}
