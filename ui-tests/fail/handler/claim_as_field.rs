//! A claim that is read like a field, from another module.
//! Claims are read only, and each has a function of its name: `user.id()`.
mod model {
    #[derive(tollgate::JwtClaims)]
    pub struct User { #[claim(sub)] pub id: u64 }
}

fn owner(user: tollgate::extract::Auth<model::User>) -> u64 { user.id }

fn main() {}
