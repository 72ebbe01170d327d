//! What expansions name. Not part of the public interface: any version may change it.

pub mod foreign;
mod policy;
mod sets;
mod subject;
mod values;

pub use foreign::{ForeignRoles, ForeignScopes};
pub use policy::{HasClaim, NamedVariant, Variant, wire};
pub use sets::{AnyText, RoleSet, ScopeSet, scope};
pub use subject::{AnySubject, Identity};
pub use values::{
    Action, Carried, Claim, Coded, debug_claims, deserialize_value, read_coded, read_once,
    serialize_claims, serialize_value, skip_value, write_coded,
};

pub use crate::gate::{
    AuthBackend, AuthRoute, EmailLogin, Exchanged, FromStored, GuardLogin, Own, Reload,
    RouteConfig, RouteOptions, UsernameLogin,
};
pub use crate::policy::{
    Comparable, HasRoles, HasScopes, Number, PolicyFor, Rule, Text, Truth, Value,
};
pub use crate::settings::Consistency;
pub use crate::token::{
    ClaimSet, ClaimValue, Confidential, Issuable, JwtClaims, Open, Subject, ValueSet,
};
pub use serde;

/// The builder that `fn gate(self)` starts.
pub use crate::gate::GateBuilder;
