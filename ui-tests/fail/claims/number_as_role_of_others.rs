//! Roles of another issuer that are no strings.
#[derive(tollgate::JwtClaims)]
#[claims(external)]
struct Partner {
    #[claim(sub)]
    id: u64,
    #[claim(roles)]
    roles: Vec<u32>,
}

fn main() {}
