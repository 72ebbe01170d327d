//! The user of both sides: a subject, an address, three roles.

use tollgate::prelude::*;
use uuid::Uuid;

/// A role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ClaimValue)]
pub enum Role {
    /// May do everything.
    Admin,
    /// May change what others wrote.
    Editor,
    /// May write.
    Author,
}

/// A user.
#[derive(Clone, JwtClaims)]
pub struct User {
    /// The subject.
    #[claim(sub)]
    pub id: Uuid,
    /// The address.
    pub email: String,
    /// The roles.
    #[claim(roles)]
    pub roles: Vec<Role>,
}

impl User {
    /// One who has them all.
    #[must_use]
    pub fn ada() -> Self {
        Self {
            id: Uuid::from_u128(0x0190_5b1e_7c5a_7000_8000_0000_0000_0ada),
            email: "ada@example.com".into(),
            roles: vec![Role::Admin, Role::Editor, Role::Author],
        }
    }
}
