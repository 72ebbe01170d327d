//! A caller that only guards a route has a field that nothing else reads.
#![deny(warnings)]

use tollgate::prelude::*;

#[derive(Clone, JwtClaims)]
pub struct User {
    #[claim(sub)]
    pub id: u64,
}

#[derive(Caller)]
struct Known(Auth<User>);

#[derive(Caller)]
struct Named {
    user: Auth<User>,
}

async fn ping(_: Known) -> &'static str {
    "pong"
}

async fn pong(_: Named) -> &'static str {
    "ping"
}

fn main() {
    let _ = (ping, pong);
}
