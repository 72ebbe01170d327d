//! A handler that asks a user without roles for one.
use tollgate::prelude::*;
#[derive(Clone, Copy, ClaimValue)]
enum Role { Admin }
#[derive(JwtClaims)]
struct Plain { #[claim(sub)] id: u64 }
#[derive(Policy)]
#[policy(role = Role::Admin)]
struct Admins;

async fn purge(_admin: Auth<Plain, Admins>) {}

fn main() {}
