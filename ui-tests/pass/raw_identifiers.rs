//! Raw identifiers lose their `r#` on the wire.
#![deny(warnings)]
#![allow(non_camel_case_types)]

use tollgate::token::ClaimSet;
use tollgate::{ClaimValue, JwtClaims, Policy};

#[derive(Clone, Copy, ClaimValue)]
enum r#type {
    r#Self_,
    r#match,
}

#[derive(JwtClaims)]
struct r#struct {
    #[claim(sub)]
    r#fn: u64,
    r#impl: String,
    #[claim(roles)]
    r#enum: Vec<r#type>,
}

#[derive(Policy)]
#[policy(role = r#type::r#match)]
struct r#loop;

#[derive(Policy)]
#[policy(user = r#struct, claim(r#impl = "yes"), not(claim(impl = "no")))]
struct r#if;

fn guard<P: tollgate::policy::PolicyFor<r#struct>>() {}

fn main() {
    guard::<r#loop>();
    guard::<r#if>();
    assert_eq!(r#type::r#match.wire(), "match");
    assert_eq!(r#type::r#Self_.wire(), "self_");
    assert_eq!(structClaims::place("impl"), Some(0));
    let claims = r#struct { r#fn: 1, r#impl: String::new(), r#enum: Vec::new() }.to_claims();
    assert_eq!((claims.r#fn(), claims.r#impl().as_str(), claims.r#enum().len()), (&1, "", 0));
}
