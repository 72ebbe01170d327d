//! Claims of others: open and closed sets, every option, and what a protected router makes of them.
#![deny(warnings, missing_docs, unreachable_pub)]

use std::collections::BTreeSet;

use tollgate::guard::{Context, GuardRouter, Issuer, StaticGuard};
use tollgate::prelude::*;
use tollgate::routing::get;

/// A closed set of which the issuer may have more.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ClaimValue)]
enum Group {
    Staff,
}

/// With every option.
#[derive(Clone, JwtClaims)]
#[claims(external, namespace = "https://partner.example/", rename_all = "camelCase")]
struct Partner {
    #[claim(sub)]
    id: String,
    #[claim(roles, rename = "groups", default)]
    groups: BTreeSet<Group>,
    #[claim(scope, default)]
    scope: Vec<String>,
    sid: Option<String>,
    access_token_hash: Option<String>,
    #[claim(skip)]
    cached: u8,
}

/// For one action.
#[derive(Clone, JwtClaims)]
#[claims(external)]
struct Approval<T: Clone + serde::Serialize + serde::de::DeserializeOwned> {
    #[claim(sub)]
    id: u64,
    #[claim(action, rename = "txn")]
    action: Box<str>,
    extra: Option<T>,
}

#[derive(Policy)]
#[policy(user = Partner, any(role = Group::Staff, scope = "orders:write", scope = "orders:admin"))]
struct Writers;

/// A user of the program itself, beside it.
#[derive(Clone, JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
}

async fn both(caller: OneOf<Auth<User>, Auth<Partner, Writers>>) -> String {
    match caller {
        OneOf::First(user) => user.subject().to_string(),
        OneOf::Second(partner) => partner.claims().access_token_hash().clone().unwrap_or_default(),
    }
}

fn routes<S: Clone + Send + Sync + 'static>() -> ProtectedRouter<S>
where
    Verifier<User>: axum::extract::FromRef<S>,
    Verifier<Partner>: axum::extract::FromRef<S>,
{
    ProtectedRouter::new().route("/both", get(both)).route("/partner", get(async |_: Auth<Partner>| "in"))
}

fn main() {
    let partner = Partner {
        id: "p".into(),
        groups: BTreeSet::from([Group::Staff]),
        scope: vec!["a".into()],
        sid: None,
        access_token_hash: None,
        cached: 7,
    };
    let guards = GuardRouter::alone("partner", StaticGuard::<Partner>::new(Issuer::new("i").audience("a")));
    let _ = (routes::<Both>, partner.cached, guards.map(|guards| guards.verifier()), Context::none());
    let _ = Approval::<u8> { id: 1, action: "a".into(), extra: None };
}

/// A state of both.
#[derive(Clone)]
struct Both(Verifier<User>, Verifier<Partner>);

impl axum::extract::FromRef<Both> for Verifier<User> {
    fn from_ref(state: &Both) -> Self {
        state.0.clone()
    }
}

impl axum::extract::FromRef<Both> for Verifier<Partner> {
    fn from_ref(state: &Both) -> Self {
        state.1.clone()
    }
}
