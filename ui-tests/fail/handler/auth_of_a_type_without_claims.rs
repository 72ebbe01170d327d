//! A handler that asks for the claims of a type without any.
use tollgate::prelude::*;
struct User;

async fn me(_user: Auth<User>) {}

fn main() {}
