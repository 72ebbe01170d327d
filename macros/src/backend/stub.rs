//! What stands in for a backend with a mistake, so that the mistake is all that is reported.
//! Nothing of it runs.

use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote};
use syn::Type;

use super::emit::{body, gate};
use super::model::LoginBody;
use crate::pipeline::{Outline, mistaken, owned_args, without_lifetimes};

/// The types that the stand-in for a backend names.
pub(crate) struct BackendNames {
    /// `None` where nobody knows whom it signs in.
    pub(crate) user: Option<Type>,
    pub(crate) kind: String,
    pub(crate) login: LoginBody,
}

/// Returns the errors, an impl of `AuthBackend` and `gate()`.
pub(crate) fn emit(outline: &Outline<BackendNames>, errors: TokenStream) -> TokenStream {
    let Outline {
        krate,
        ident,
        vis,
        generics,
        names,
    } = outline;
    let (errors, user) = match &names.user {
        Some(user) => (errors, user.to_token_stream()),
        None => (TokenStream::new(), mistaken(krate, &errors)),
    };
    let kind = &names.kind;
    let login = body(krate, &names.login);
    let gate = gate(krate, vis);
    let args = owned_args(generics);
    let kept = without_lifetimes(generics);
    let (params, _, clause) = kept.split_for_impl();
    quote! {
        #errors
        impl #params #krate::AuthBackend for #ident #args #clause {
            type User = #user;
            type Login = #login;
            type Entry = #krate::AnyEntry;
            type Renewal = #krate::NoRefresh;
            const KIND: &'static ::core::primitive::str = #kind;
            const ROUTES: #krate::RouteConfig = #krate::RouteConfig::DEFAULT;
        }
        impl #params #ident #args #clause { #gate }
    }
}
