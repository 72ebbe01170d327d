//! Markers that hold `&'static T`, of a parameter too.
#![deny(warnings)]
use std::marker::PhantomData;

use tollgate::JwtClaims;

#[derive(JwtClaims)]
struct User<T: 'static> {
    #[claim(sub)]
    id: u64,
    marker: PhantomData<&'static T>,
    other: Option<PhantomData<&'static [T]>>,
}

fn main() {
    let user: User<String> = User { id: 7, marker: PhantomData, other: None };
    let _: &PhantomData<&'static String> = user.to_claims().marker();
}
