//! A route that takes tokens of others, on a state that has no verifier for them.
//! The state of the router lacks what verifies the tokens of others: give it a `Verifier<Partner>`, and `FromRef` for both verifiers.
use tollgate::prelude::*;
#[derive(JwtClaims)]
struct User { #[claim(sub)] id: u64 }
#[derive(JwtClaims)]
#[claims(external)]
struct Partner { #[claim(sub)] id: u64 }

async fn both(_: OneOf<Auth<User>, Auth<Partner>>) {}
fn app(state: Verifier<User>) -> axum::Router {
    axum::Router::new().route("/", axum::routing::get(both)).with_state(state)
}
fn main() {}
