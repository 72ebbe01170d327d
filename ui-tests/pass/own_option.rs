//! A type of the user's own that is called `Option`, and another name for the real one.
use serde::{Deserialize, Serialize};
use tollgate::JwtClaims;
use tollgate::token::ClaimSet as _;

#[derive(Clone, Serialize, Deserialize)]
struct Option<T>(T);
type Perhaps = std::option::Option<String>;

#[derive(JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
    choice: Option<u8>,
    nickname: Perhaps,
}

fn main() {
    let user = User { id: 7, choice: Option(3), nickname: None };
    let wire = serde_json::to_string(&user.to_claims()).unwrap();
    assert_eq!(wire, r#"{"sub":"7","choice":3}"#);
    assert_eq!(UserClaims::finish(Default::default(), 7).err(), Some("choice"));
}
