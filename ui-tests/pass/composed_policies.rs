//! Policies made of others, wherever a policy stands.
#![deny(warnings, missing_docs, unreachable_pub, clippy::all, clippy::pedantic, rust_2018_idioms)]
#![forbid(unsafe_code, dead_code)]

use tollgate::policy::PolicyFor;
use tollgate::prelude::*;

#[derive(Clone, Copy, ClaimValue)]
enum Role {
    Admin,
    Editor,
}

#[derive(Clone, JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
    #[claim(roles)]
    roles: Vec<Role>,
}

mod policies {
    use super::{AnyOf, Policy, Role, User};

    #[derive(Policy)]
    #[policy(role = Role::Admin, consistency = strict)]
    pub(super) struct Admins;

    #[derive(Policy)]
    #[policy(user = User, role = Role::Editor, policy = tollgate::policy::Anyone)]
    pub(super) struct Editors;

    /// Made of a policy for one user type, and so for that type too.
    #[derive(Policy)]
    #[policy(policy = AnyOf<(self::Admins, Editors)>, not(policy = (Admins, Editors)))]
    pub(super) struct Staff;
}

use policies::{Admins, Editors, Staff};

async fn argument(_: Auth<User, (Admins, AnyOf<(Editors, Staff)>)>) {}
async fn perhaps(_: Lenient<Auth<User, AnyOf<(Admins, Editors)>>>) {}

#[derive(Caller)]
struct Chief(Auth<User, (Admins, Staff)>);

async fn caller(Chief(user): Chief) -> String {
    user.subject().to_string()
}

fn guard<P: PolicyFor<User>>() {}

fn main() {
    guard::<Staff>();
    guard::<(Admins, Staff, Editors, Anyone, Anyone, Admins)>();
    let _: ProtectedRouter<Verifier<User>> = ProtectedRouter::new()
        .route("/argument", tollgate::routing::get(argument))
        .route("/perhaps", tollgate::routing::get(perhaps))
        .route("/caller", tollgate::routing::get(caller));
    let user = User {
        id: 1,
        roles: vec![Role::Admin],
    };
    assert_eq!((user.id, user.roles.len()), (1, 1));
}
