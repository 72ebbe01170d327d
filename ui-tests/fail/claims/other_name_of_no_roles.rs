//! Another name of a list that holds no roles.
type Levels = Vec<u8>;

#[derive(tollgate::JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
    #[claim(roles)]
    roles: Levels,
}

fn main() {}
