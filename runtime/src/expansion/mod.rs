//! The items that macro expansions name. Not part of the public interface: any version may change
//! it.

mod absent;
mod containers;
pub mod foreign;
#[cfg(not(feature = "sqlx"))]
mod no_sql;
mod of_value;
mod policy;
mod presence;
mod routes;
mod sets;
#[cfg(feature = "sqlx")]
pub mod sql;
mod stand_in;
mod subject;
mod values;
mod via;

pub use containers::{RolesOf, ScopesOf};
pub use foreign::{ForeignRoles, ForeignScopes};
pub use of_value::{ForeignRolesOf, ForeignScopesOf, RoleSetOf, ScopeSetOf};
pub use policy::{
    HasClaim, HasTextRoles, HasTextScopes, Limited, Limits, LimitsOf, NoLimits, fitting_number,
    fitting_text, one_value,
};
pub use presence::{Presence, Required};
pub use sets::{RoleSet, ScopeSet, scope};
pub use stand_in::{Answered, AnyEntry, Asked, Mistaken, OfType, Unknown, has_claims};
pub use subject::{FROM_STR, NoFromStr, SubjectReader, SubjectValue, Values, tells_users_apart};
pub use values::{
    Action, Carried, Claim, Coded, OwnedText, Shared, UnknownValue, debug_claims,
    deserialize_value, read_coded, read_once, serialize_claims, serialize_value, skip_value,
    value_of_text, write_coded,
};

pub use via::{
    CarriedVia, ClaimVia, ForeignRolesVia, ForeignScopesVia, Reported, RoleSetVia, RolesOfVia,
    ScopeSetVia, ScopesOfVia,
};

pub use crate::__tollgate_column as column;
pub use crate::__tollgate_routes as routes;
pub use crate::gate::{
    Answering, AuthBackend, AuthRoute, EmailLogin, Exchanged, FromStored, GuardLogin, NoRefresh,
    Own, Package, Reload, RouteConfig, RouteOptions, UsernameLogin,
};
pub use crate::policy::{
    Comparable, HasRoles, HasScopes, Number, Policy, PolicyFor, Rule, Text, Truth, Value,
    compose::{said_by_all, stricter, strictest},
};
pub use crate::settings::Consistency;
pub use crate::token::{
    ClaimSet, ClaimValue, Confidential, Issuable, JwtClaims, Open, Subject, TextValue, ValueSet,
};
pub use serde;

#[cfg(feature = "axum")]
pub use crate::gate::{Gate, Verifier};
#[cfg(feature = "axum")]
pub use crate::http::named::{
    CallerArgument, CallerRejection, CallerUser, FromRef, FromRequestParts, IsCaller, Parts,
    Security, caller, held_gate, held_verifier, verifier_for, verifier_of,
};

/// The builder that `fn gate(self)` starts.
pub use crate::gate::GateBuilder;
