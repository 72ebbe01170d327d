//! A subject that is less visible than its user.
//! Make `UserId` as visible as `User`, or `User` as private as `UserId`.
use std::fmt::{Display, Formatter, Result};
#[derive(Clone, PartialEq, Eq, Hash)]
struct UserId(String);
impl Display for UserId { fn fmt(&self, f: &mut Formatter<'_>) -> Result { self.0.fmt(f) } }
impl From<String> for UserId { fn from(text: String) -> Self { Self(text) } }

#[derive(tollgate::JwtClaims)]
pub struct User { #[claim(sub)] id: UserId, name: String }

fn main() {}
