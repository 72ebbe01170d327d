//! A user of an API: described, checked, built, and written by `serde_with`.

use bon::Builder;
use garde::Validate as _;
use serde::{Deserialize, Serialize};
use serde_with::{As, DisplayFromStr, Same, serde_as, skip_serializing_none};
use tollgate::{Caller, GateState, JwtClaims, Policy, auth_backend};
use tollgate::device::Client;
use tollgate::error::AuthError;
use tollgate::extract::Auth;
use tollgate::gate::{Authenticate, Gate, Refresh};
use ts_rs::TS;
use utoipa::ToSchema;
use validator::Validate;

use crate::value::{Role, Scope};

/// A customer, under what five crates derive.
#[derive(Clone, Debug, JwtClaims, Builder, ToSchema, Validate, garde::Validate)]
#[claims(derive(ToSchema, PartialEq))]
pub struct Customer {
    /// The number.
    #[claim(sub)]
    #[garde(skip)]
    pub id: u64,
    /// The address.
    #[validate(length(min = 3, max = 254))]
    #[garde(length(min = 3, max = 254))]
    #[builder(into)]
    #[schema(format = "email")]
    pub email: String,
    /// What they may do.
    #[claim(roles)]
    #[garde(skip)]
    #[builder(default)]
    pub roles: Vec<Role>,
    /// What their client was granted.
    #[claim(scope)]
    #[garde(skip)]
    #[builder(default)]
    pub scope: Vec<Scope>,
    /// How often they came, written as a text.
    #[claim(with = As::<DisplayFromStr>)]
    #[garde(range(max = 1_000_000))]
    pub visits: u32,
    /// The tags.
    #[claim(default = Vec::<String>::new)]
    #[garde(skip)]
    pub tags: Vec<String>,
    /// Not in a token.
    #[claim(skip)]
    #[garde(skip)]
    #[schema(write_only)]
    pub password: String,
}

/// A partner, whose fields `serde_with` writes for an API of its own.
#[serde_as]
#[skip_serializing_none]
#[derive(Clone, Debug, Serialize, Deserialize, JwtClaims, TS)]
#[claims(serde = own)]
#[serde(rename_all = "camelCase")]
#[ts(rename_all = "camelCase")]
pub struct Partner {
    /// The number.
    #[claim(sub)]
    #[serde_as(as = "DisplayFromStr")]
    pub partner_id: u64,
    /// Where it is.
    #[serde_as(as = "Vec<DisplayFromStr>")]
    pub ports: Vec<u16>,
    /// How to call it.
    pub nick_name: Option<String>,
}

/// A supplier, whose token is written as `serde_with` writes the API.
#[serde_as]
#[derive(Clone, Debug, Serialize, Deserialize, JwtClaims, TS)]
#[claims(derive(TS, PartialEq, Eq))]
pub struct Supplier {
    /// The number.
    #[claim(sub)]
    #[serde(rename = "sub")]
    pub id: u64,
    /// A port.
    #[claim(with = As::<DisplayFromStr>)]
    #[serde_as(as = "DisplayFromStr")]
    pub port: u16,
    /// More ports, as numbers: `serde_as` writes `Same` in place of `_`.
    #[claim(with = As::<Vec<Same>>)]
    #[serde_as(as = "Vec<_>")]
    pub more: Vec<u16>,
}

/// Who may write.
#[derive(Clone, Copy, Debug, Policy)]
#[policy(role = Role::ChiefEditor, scope = Scope::Write)]
pub struct Writers;

/// Somebody who may write.
#[derive(Debug, Caller, derive_more::Deref)]
pub struct Writing(pub Auth<Customer, Writers>);

/// The body of a sign-in.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
pub struct Login {
    /// The address.
    #[validate(email)]
    pub email: String,
}

/// The customers.
#[auth_backend(login = Login, user = Customer)]
#[derive(Clone, Debug, Builder)]
pub struct Accounts {
    /// The only one.
    pub customer: Customer,
}

impl Authenticate for Accounts {
    async fn authenticate(&self, login: Login, _: &Client) -> Result<Customer, AuthError> {
        let is_valid = Validate::validate(&login).is_ok() && self.customer.validate_with(&()).is_ok();
        Some(self.customer.clone())
            .filter(|customer| is_valid && customer.email == login.email)
            .ok_or(AuthError::Invalid)
    }
}

impl Refresh for Accounts {
    async fn refresh(&self, id: &u64, _: &Client) -> Result<Customer, AuthError> {
        Some(self.customer.clone()).filter(|customer| customer.id == *id).ok_or(AuthError::Gone)
    }
}

/// What handlers share.
#[derive(Clone, GateState, Builder, derive_more::From)]
#[allow(missing_debug_implementations)]
pub struct App {
    /// The gate.
    pub gate: Gate<Accounts>,
}
