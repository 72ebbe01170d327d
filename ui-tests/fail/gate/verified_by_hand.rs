//! A token that nobody verified.
//! rustc reports the private constructor: only `gate.verify(token)` and the extractors make a `Verified`.
#[derive(tollgate::JwtClaims)]
struct User { #[claim(sub)] id: u64 }

fn trust(claims: UserClaims) -> tollgate::token::Verified<UserClaims> {
    tollgate::token::Verified(claims)
}

fn main() {}
