//! A policy compares claims in every kind of list, and names a variant as it is written.
#![deny(warnings)]

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;

use tollgate::policy::{Policy, PolicyFor};

const MASK: usize = 6;

#[derive(Clone, Copy, tollgate::ClaimValue)]
enum Role {
    Admin(),
    Editor,
}

#[derive(Clone, tollgate::JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
    #[claim(roles)]
    roles: Vec<Role>,
    queue: VecDeque<String>,
    levels: [u8; MASK & 3],
    groups: Arc<[String]>,
    tags: Cow<'static, [String]>,
    optional: Option<VecDeque<u8>>,
    teams: Vec<Cow<'static, str>>,
}

#[derive(tollgate::Policy)]
#[policy(user = User, claim(queue = "a"), claim(levels = 3), claim(groups = "b"), claim(tags = "c"))]
#[policy(claim(optional = 7), claim(optional = 8), claim(tags = "d"), claim(levels = 4), role = Role::Admin())]
#[policy(not(role = Role::Editor), claim(teams = "x"), claim(teams = "y"), claim(queue = "z"), claim(groups = "g"))]
struct Everything;

fn guard<P: Policy + PolicyFor<User>>() {}

fn main() {
    guard::<Everything>();
    let user = User {
        id: 1,
        roles: vec![Role::Admin(), Role::Editor],
        queue: VecDeque::new(),
        levels: [1; MASK & 3],
        groups: Arc::from([]),
        tags: Cow::Borrowed(&[]),
        optional: None,
        teams: Vec::new(),
    };
    let _ = (user.id, user.roles, user.queue, user.levels, user.groups, user.tags, user.optional, user.teams);
}
