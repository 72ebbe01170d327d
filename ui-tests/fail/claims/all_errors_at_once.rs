//! Every mistake is reported in one run.
#[derive(tollgate::JwtClaims)]
#[claims(nam = UserClaims)]
struct User {
    id: Option<u64>,
    #[claim(rename = "exp")]
    until: u64,
    api_key: &'static str,
    #[claim(roles, scope, expose, confidential)]
    roles: Vec<u8>,
    #[claim(skip = true, defualt, action)]
    seen_at: f64,
}

fn main() {}
