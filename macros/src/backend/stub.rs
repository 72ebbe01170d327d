//! Stand-ins for a backend with a mistake, so that only the mistake is reported.
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
    /// `None` where no login can be of the type that was said.
    pub(crate) login: Option<LoginBody>,
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
    // The errors stand in one of the types that are not known.
    let unknown = mistaken(krate, &errors);
    let (errors, user, login) = match (&names.user, &names.login) {
        (Some(user), Some(login)) => (Some(errors), user.to_token_stream(), body(krate, login)),
        (Some(user), None) => (None, user.to_token_stream(), unknown),
        (None, login) => {
            let login = login.as_ref().unwrap_or(&LoginBody::Email);
            (None, unknown, body(krate, login))
        }
    };
    let kind = &names.kind;
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
