//! A string in place of a guard.
use tollgate::guard::GuardRouter;
use tollgate::prelude::*;
#[derive(JwtClaims)]
#[claims(external)]
struct Partner { #[claim(sub)] id: u64 }

fn build() { let _ = GuardRouter::<Partner>::builder().guard("partner", "https://partner.example"); }
fn main() {}
