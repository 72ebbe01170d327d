//! A role that carries data.
#[derive(Clone, Copy, tollgate::ClaimValue)]
enum Role {
    Admin,
    Editor(u8),
}

fn main() {}
