//! Claims that nobody verified.
//! rustc reports the private field: claims come from `to_claims()` of a user, or from a verified token.
mod model {
    #[derive(tollgate::JwtClaims)]
    pub struct User {
        #[claim(sub)]
        pub id: u64,
    }
}

fn main() {
    let _ = model::UserClaims { id: 1 };
}
