//! Further derives of the generated type.
use tollgate::JwtClaims;

#[derive(JwtClaims)]
#[claims(derive(PartialEq, Eq, std::hash::Hash))]
struct User {
    #[claim(sub)]
    id: u64,
    email: String,
}

fn main() {
    let user = User { id: 7, email: "ada@example.com".into() };
    assert!(user.to_claims() == user.to_claims());
}
