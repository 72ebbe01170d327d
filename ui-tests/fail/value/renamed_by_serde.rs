//! A name that only serde knows.
#[derive(Clone, Copy, serde::Serialize, serde::Deserialize, tollgate::ClaimValue)]
enum Role {
    #[serde(rename = "root")]
    Admin,
}

fn main() {}
