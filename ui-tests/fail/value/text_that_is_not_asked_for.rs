//! `as_str` of a set that does not say that it is used as text.
use tollgate::ClaimValue;
#[derive(Clone, Copy, ClaimValue)]
enum Role { Admin }

fn main() {
    println!("{}", Role::Admin.as_str());
}
