//! A module that can only write.
//! rustc finds no `deserialize` in it: write one as for `#[serde(with = "…")]`.
mod hex {
    pub fn serialize<S: serde::Serializer>(_: &Vec<u8>, to: S) -> Result<S::Ok, S::Error> { to.serialize_str("") }
}

#[derive(tollgate::JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
    #[claim(with = hex)]
    blob: Vec<u8>,
}

fn main() {}
