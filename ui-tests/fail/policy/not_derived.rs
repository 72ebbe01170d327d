//! A struct that derives no policy.
#[derive(tollgate::JwtClaims)]
struct User { #[claim(sub)] id: u64 }
struct Admins;

fn guard<P: tollgate::policy::PolicyFor<User>>() {}

fn main() {
    guard::<Admins>();
}
