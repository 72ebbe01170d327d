//! A role with functions and impls that the macro would also write where it is asked to.
use tollgate::prelude::*;

#[derive(Clone, Copy, ClaimValue)]
pub enum Role {
    Admin {},
    #[claim(rename = concat!("chief", "-", "editor"))]
    Editor(),
}

impl Role {
    pub fn as_str(&self) -> String {
        String::from("mine")
    }
    pub fn wire(&self) -> u8 {
        1
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("mine")
    }
}

impl std::str::FromStr for Role {
    type Err = ();
    fn from_str(_: &str) -> Result<Self, ()> {
        Ok(Self::Admin {})
    }
}

#[derive(JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
    #[claim(roles)]
    roles: Vec<Role>,
}

#[derive(Policy)]
#[policy(role = Role::Admin {}, not(role = Role::Editor {}))]
struct Admins;

fn main() {
    let user = User { id: 1, roles: vec![Role::Admin {}] };
    assert_eq!((user.id, user.roles.len()), (1, 1));
    let rule = <Admins as tollgate::policy::PolicyFor<User>>::RULE;
    assert_eq!(format!("{rule:?}"), r#"All([Role("admin"), Not(Role("chief-editor"))])"#);
    assert_eq!(Role::Admin {}.as_str(), "mine");
    assert_eq!(ClaimValue::wire(&Role::Editor()), "chief-editor");
}
