//! The macros of tollgate: `JwtClaims`, `ClaimValue`, `Policy`, `Caller`, `GateState` and
//! `auth_backend`.
//!
//! Use them through the `tollgate` crate, which documents each where it re-exports it.
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    warn(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

mod attr;
mod backend;
mod caller;
mod case;
mod claims;
mod diag;
mod lints;
mod options;
mod page;
mod path;
mod pipeline;
mod policy;
mod receiver;
mod shown;
mod state;
#[cfg(test)]
mod tests;
mod value;

use proc_macro::TokenStream;

/// Says which fields of a struct its tokens carry.
#[proc_macro_derive(JwtClaims, attributes(claims, claim))]
pub fn jwt_claims(item: TokenStream) -> TokenStream {
    claims::expand(item.into()).into()
}

/// Makes an enum without fields a closed set of strings.
#[proc_macro_derive(ClaimValue, attributes(claim_value, claim, claims))]
pub fn claim_value(item: TokenStream) -> TokenStream {
    value::expand(item.into()).into()
}

/// Makes a unit struct a condition on the caller.
#[proc_macro_derive(Policy, attributes(policy))]
pub fn policy(item: TokenStream) -> TokenStream {
    policy::expand(item.into()).into()
}

/// Gives a name to a caller, so that a protected router takes it.
#[proc_macro_derive(Caller, attributes(caller))]
pub fn caller(item: TokenStream) -> TokenStream {
    caller::expand(item.into()).into()
}

/// Lets handlers find the gates of a state.
#[proc_macro_derive(GateState, attributes(gate))]
pub fn gate_state(item: TokenStream) -> TokenStream {
    state::expand(item.into()).into()
}

/// Makes a struct a backend that signs users in.
#[proc_macro_attribute]
pub fn auth_backend(options: TokenStream, item: TokenStream) -> TokenStream {
    backend::expand(options.into(), item.into()).into()
}

/// Returns the text of a page of tollgate's guide, for `#[doc = …]`.
#[doc(hidden)]
#[proc_macro]
pub fn page(name: TokenStream) -> TokenStream {
    page::expand(name.into()).into()
}
