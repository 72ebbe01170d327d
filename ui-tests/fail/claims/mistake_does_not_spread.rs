//! A mistake in a claim is reported once, however often the claims are used.
use tollgate::{token::JwtClaims as _, *};
#[derive(Clone, Copy, ClaimValue)]
enum Role { Admin }
#[derive(JwtClaims)]
struct User { #[claim(sub)] id: u64, #[claim(roles)] roles: Vec<Role>, salt: String }
#[derive(Policy)]
#[policy(role = Role::Admin)]
struct Admins;
fn guard<P: policy::PolicyFor<User>>() {}

fn main() {
    guard::<Admins>();
    println!("{} {:?}", User { id: 1, roles: vec![], salt: String::new() }.to_claims().id(), None::<UserClaims>);
}
