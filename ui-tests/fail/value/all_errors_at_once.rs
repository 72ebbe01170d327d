//! Every mistake is reported in one run.
#[derive(Clone, Copy, tollgate::ClaimValue)]
#[claim_value(rename_all = "snake-case", serde = mine)]
enum Role {
    Admin(u8),
    #[claim_value(rename = "")]
    Editor,
    #[claim_value(name = "guest")]
    Guest,
}

fn main() {}
