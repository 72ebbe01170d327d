//! Stand-ins for a policy with a mistake, in a program that does not compile.

use proc_macro2::TokenStream;
use quote::quote;

use crate::pipeline::{Outline, owned_args, without_lifetimes};

/// Returns an impl for every user type, which asks for nothing.
pub(crate) fn emit(outline: &Outline<()>) -> TokenStream {
    let Outline {
        krate,
        ident,
        generics,
        ..
    } = outline;
    let args = owned_args(generics);
    let mut kept = without_lifetimes(generics);
    let types: Vec<_> = kept
        .type_params()
        .map(|param| param.ident.clone())
        .collect();
    for ty in &types {
        kept.make_where_clause()
            .predicates
            .push(syn::parse_quote!(#ty: 'static));
    }
    let (own_params, _, own_clause) = kept.split_for_impl();
    let policy = quote!(impl #own_params #krate::Policy for #ident #args #own_clause {});
    let mut kept = kept.clone();
    kept.params
        .push(syn::parse_quote!(__TollgateUser: #krate::JwtClaims));
    let (params, _, clause) = kept.split_for_impl();
    quote! {
        #policy
        impl #params #krate::PolicyFor<__TollgateUser> for #ident #args #clause {
            const RULE: #krate::Rule = #krate::Rule::Anyone;
        }
    }
}
