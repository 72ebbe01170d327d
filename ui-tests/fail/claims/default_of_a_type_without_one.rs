//! A default of a type that has none.
//! rustc suggests the derive: or name a function, as in `#[claim(default = free)]`.
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
