//! A mistake in a policy is reported once, however often the policy is used.
#[derive(tollgate::JwtClaims)]
struct User { #[claim(sub)] id: u64 }

#[derive(tollgate::Policy)]
#[policy(max_age = "soon")]
struct Fresh;

fn guard<P: tollgate::policy::PolicyFor<User>>() {}

fn main() {
    guard::<Fresh>();
}
