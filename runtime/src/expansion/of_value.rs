//! Sets of roles and scopes by the value that they hold, as a parameter: rustc looks at a condition
//! without one where it is written, and would report a type that holds nothing twice.

use super::foreign::{ForeignRoles, ForeignScopes};
use super::sets::{RoleSet, ScopeSet};

macro_rules! of_value {
    ($($(#[$doc:meta])* $name:ident: $set:ident<$value:ident>;)*) => {$(
        $(#[$doc])*
        pub trait $name<V> {}

        #[diagnostic::do_not_recommend]
        impl<V, T: $set<$value = V>> $name<V> for T {}
    )*};
}

of_value! {
    /// A set of roles of the type `V`.
    RoleSetOf: RoleSet<Role>;
    /// A set of scopes of the type `V`.
    ScopeSetOf: ScopeSet<Scope>;
    /// A set of roles of the type `V`, which another issuer chose.
    ForeignRolesOf: ForeignRoles<Role>;
    /// A set of scopes of the type `V`, which another issuer chose.
    ForeignScopesOf: ForeignScopes<Scope>;
}
