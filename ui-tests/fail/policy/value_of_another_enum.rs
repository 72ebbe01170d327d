//! A claim that is compared with a value of another enum.
#[derive(Clone, Copy, tollgate::ClaimValue)]
enum Plan { Free, Pro }
#[derive(Clone, Copy, tollgate::ClaimValue)]
enum Role { Admin }
#[derive(tollgate::JwtClaims)]
struct User { #[claim(sub)] id: u64, plan: Plan }

#[derive(tollgate::Policy)]
#[policy(user = User, claim(plan = Role::Admin))]
struct Customers;

fn main() {}
