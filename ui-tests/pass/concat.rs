//! Strings made with `concat!`, wherever a policy takes one.
use tollgate::policy::PolicyFor;
use tollgate::{JwtClaims, Policy};

#[derive(JwtClaims)]
#[claims(external)]
struct Partner {
    #[claim(sub)]
    id: u64,
    plan: String,
    #[claim(roles)]
    roles: Vec<String>,
}

#[derive(Policy)]
#[policy(
    user = Partner,
    claim(plan = concat!("p", "ro")),
    role = std::concat!("ed", 'i', "tor"),
    not(claim(plan = ::core::concat!("free", 2))),
    acr = concat!("go", "ld"),
    max_age = concat!(5, "m")
)]
struct Paying;

fn main() {
    let rule = format!("{:?}", <Paying as PolicyFor<Partner>>::RULE);
    for part in ["\"pro\"", "\"editor\"", "\"free2\"", "\"gold\"", "300"] {
        assert!(rule.contains(part), "{rule} lacks {part}");
    }
}
