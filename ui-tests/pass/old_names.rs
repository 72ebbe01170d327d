//! Names that were changed before the first release still compile, with a warning where rustc can
//! give one.
#![allow(deprecated)]

use std::time::Duration;

use tollgate::action::Purpose;
use tollgate::extract::Optional;
use tollgate::prelude::*;
use tollgate::routing::get;
use tollgate::settings::{Bind, Counted};
use tollgate::store::{Rotation, StoreError};

#[derive(Clone, JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
}

#[auth_backend(email, user = User)]
struct Accounts;

impl Authenticate for Accounts {
    async fn authenticate(&self, _: EmailLogin, _: &Client) -> Result<User, AuthError> {
        Err(AuthError::More(Box::new(tollgate::error::Step::new(1, "totp"))))
    }

    async fn step(
        &self,
        _: &Step,
        _: &StepAnswer,
        _: &Client,
    ) -> Result<User, AuthError> {
        Err(AuthError::Invalid)
    }
}

impl Refresh for Accounts {
    async fn refresh(&self, _: &u64, _: &Client) -> Result<User, AuthError> {
        Err(AuthError::Gone)
    }
}

struct Invitation;

impl Purpose for Invitation {
    const NAME: &'static str = "invitation";
    const LIFETIME: Duration = Duration::from_secs(60);
}

async fn page(Optional(user): Optional<Auth<User>>) -> String {
    user.map_or_else(String::new, |user| user.subject().to_string())
}

fn routes() -> tollgate::Guarded<Gate<Accounts>> {
    Guarded::new().route("/", get(page))
}

async fn changed(gate: &Gate<Accounts>, keep: SessionId) {
    let _ = gate.password_changed(&1, Sessions::EndAll).await;
    let _ = gate
        .password_changed(&1, tollgate::gate::Sessions::EndOthers { keep })
        .await;
    let _ = gate.roles_changed(&1, Access::RefreshNow).await;
}

fn is_hold(rotation: &Rotation) -> Result<bool, StoreError> {
    Ok(matches!(rotation.step, tollgate::store::Step::Hold { .. }))
}

fn main() {
    let _ = (routes, changed, is_hold);
    let _: tollgate::gate::Shape = <Accounts as tollgate::gate::AuthBackend>::SHAPE;
    let _ = Accounts
        .gate()
        .bind_access(Bind::Enforce, Bind::Off)
        .bind_refresh(Bind::Record, Bind::Off);
    let _ = (
        Counted::Here,
        tollgate::store::TokenKind::Access,
        tollgate::password::Unfit::TooLong,
    );
}
