//! A default of a type that has none.
#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Plan(u8);
#[derive(tollgate::JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
    #[claim(default)]
    plan: Plan,
}

fn main() {}
