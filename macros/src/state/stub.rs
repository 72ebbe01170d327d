//! Writes the stand-in for the gates of a state with a mistake. Nothing of it runs.

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse_quote;

use crate::pipeline::{Outline, owned_args, without_lifetimes};

/// Returns impls with which the state holds every gate.
pub(crate) fn emit(outline: &Outline<()>) -> TokenStream {
    let Outline {
        krate,
        ident,
        generics,
        ..
    } = outline;
    let args = owned_args(generics);
    let kept = without_lifetimes(generics);
    let with = |param| {
        let mut generics = kept.clone();
        generics.params.push(param);
        generics
    };
    let of_users = with(parse_quote!(__TollgateU: #krate::JwtClaims));
    let (for_users, _, clause) = of_users.split_for_impl();
    let of_backends = with(parse_quote!(__TollgateB: #krate::AuthBackend));
    let (for_backends, ..) = of_backends.split_for_impl();
    quote! {
        impl #for_users #krate::FromRef<#ident #args> for #krate::Verifier<__TollgateU> #clause {
            fn from_ref(_: &#ident #args) -> Self { ::core::unreachable!() }
        }
        impl #for_backends #krate::FromRef<#ident #args> for #krate::Gate<__TollgateB> #clause {
            fn from_ref(_: &#ident #args) -> Self { ::core::unreachable!() }
        }
    }
}
