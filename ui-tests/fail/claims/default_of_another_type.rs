//! A default of another type.
//! rustc compares the types: the function returns what the field holds.
fn nobody() -> String { String::new() }
#[derive(tollgate::JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
    #[claim(default = nobody)]
    visits: u32,
}

fn main() {}
