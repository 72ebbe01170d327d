//! States whose gates are found by a derive, under strict lints.
#![deny(warnings, missing_docs, unreachable_pub, clippy::all, clippy::pedantic, rust_2018_idioms)]
#![forbid(unsafe_code)]

use std::sync::Arc;

use axum::{Router, routing::get};
use tollgate::prelude::*;

#[derive(Clone, JwtClaims)]
struct Customer {
    #[claim(sub)]
    id: u64,
}

#[derive(Clone, JwtClaims)]
struct Staff {
    #[claim(sub)]
    id: u64,
}

#[derive(Clone, JwtClaims)]
#[claims(external)]
struct Partner {
    #[claim(sub)]
    id: String,
}

#[auth_backend(email, user = Customer, refresh(from = stored))]
struct Shop;

#[auth_backend(email, user = Staff)]
struct Desk<R: Send + Sync + 'static>(R);

impl Authenticate for Shop {
    async fn authenticate(&self, _: EmailLogin, _: &Client) -> Result<Customer, AuthError> {
        Err(AuthError::Invalid)
    }
}

impl<R: Send + Sync + 'static> Authenticate for Desk<R> {
    async fn authenticate(&self, _: EmailLogin, _: &Client) -> Result<Staff, AuthError> {
        let _ = &self.0;
        Err(AuthError::Invalid)
    }
}

impl<R: Send + Sync + 'static> Refresh for Desk<R> {
    async fn refresh(&self, _: &u64, _: &Client) -> Result<Staff, AuthError> {
        Err(AuthError::Gone)
    }
}

/// Something that is no gate.
#[derive(Clone)]
struct Pool(Option<u8>);

/// One gate: nothing has to be said.
#[derive(Clone, GateState)]
struct One {
    gate: Gate<Shop>,
    db: Pool,
}

/// Behind an `Arc`.
#[derive(Clone, GateState)]
struct Both {
    r#gate: Arc<Gate<Shop>>,
    db: Pool,
}

type Gatekeeper<R> = Gate<Desk<R>>;

/// Several, one of them under another name, with parameters and a field of another sort.
#[derive(Clone, GateState)]
struct Several<R, const N: usize = 1>
where
    R: Send + Sync + 'static,
{
    #[gate(user = Customer)]
    shop: tollgate::gate::Gate<Shop>,
    #[gate(user = self::Staff)]
    r#type: Gatekeeper<R>,
    partners: Verifier<Partner>,
    #[gate(skip)]
    old: Gate<Shop>,
    maybe: [Option<Pool>; N],
}

/// Without names.
#[derive(Clone, GateState)]
struct Pair(Gate<Shop>, Verifier<Partner>);

async fn customer(_: Auth<Customer>) {}
async fn staff(_: Auth<Staff>, _: Current<Desk<String>>) {}
async fn either(_: OneOf<Auth<Customer>, Auth<Partner>>) {}

fn main() {
    let one: Router<One> = Router::new().route("/", get(customer));
    let shared: Router<Arc<One>> = Router::new().route("/", get(customer));
    let both: Router<Both> = Router::new().route("/", get(customer));
    let pair: Router<Pair> = Router::new().route("/", get(either));
    let several: Router<Several<String>> = Router::new()
        .route("/", get(customer))
        .route("/staff", get(staff))
        .route("/either", get(either));
    let _ = (one, shared, both, pair, several);
    let _ = |one: One, both: Both| (one.db.0, both.db.0, both.gate);
    let _ = |several: Several<u8, 2>| (several.old, several.maybe);
}
