//! Generic users have generic claims.
#![deny(warnings)]

use std::fmt::{Debug, Display};
use std::str::FromStr;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tollgate::policy::PolicyFor;
use tollgate::token::ClaimSet;
use tollgate::{JwtClaims, Policy};

trait Tenant {
    type Plan: Clone + Serialize + DeserializeOwned + Send + Sync + 'static;
}

struct Free;

impl Tenant for Free {
    type Plan = u8;
}

#[derive(JwtClaims)]
struct User<Id, T: Tenant, X = String, const N: usize = 2>
where
    Id: Clone + Display + FromStr,
    X: Debug,
{
    #[claim(sub)]
    id: Id,
    plan: T::Plan,
    extra: Option<X>,
    #[claim(default)]
    tags: Vec<X>,
    #[claim(skip)]
    #[expect(dead_code)]
    buffer: [u8; N],
}

#[derive(Policy)]
#[policy(user = User<u64, Free, String, 3>, claim(plan = 1), claim(extra = "none"), claim(tags = "vip"))]
struct Vip;

#[derive(JwtClaims)]
struct Unused<T> {
    #[claim(sub)]
    id: u64,
    #[claim(skip)]
    #[expect(dead_code)]
    cache: Option<T>,
}

fn guard<U: tollgate::token::JwtClaims, P: PolicyFor<U>>() {}

fn main() {
    guard::<User<u64, Free, String, 3>, Vip>();
    let user: User<u64, Free> = User { id: 7, plan: 1, extra: None, tags: vec![String::from("a")], buffer: [0; 2] };
    let claims: UserClaims<u64, Free> = user.to_claims().clone();
    assert_eq!((claims.id(), claims.plan(), claims.extra(), claims.tags().len()), (&7, &1, &None, 1));
    assert_eq!(*Unused::<u8> { id: 1, cache: None }.to_claims().subject(), 1);
}
